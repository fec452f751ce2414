package awssim

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
)

// ConfigRule is a rule of AWS Config.
type ConfigRule struct {
	Name          string
	Identifier    string   // of a managed rule, such as S3_BUCKET_PUBLIC_READ_PROHIBITED
	Function      string   // ARN of the function that judges, of a rule that is not managed
	ResourceTypes []string // such as AWS::S3::Bucket; empty: all
	Compliance    string   // COMPLIANT, NON_COMPLIANT or INSUFFICIENT_DATA, which is the default
	Remediation   *ConfigRemediation
}

// ConfigRemediation is what AWS Config starts on a resource that breaks a rule.
type ConfigRemediation struct {
	Document     string // of Systems Manager, such as AWS-DisableS3BucketPublicReadWrite
	ResourceType string
	Automatic    bool
}

// AddConfigRule adds a rule of AWS Config, with its remediation, or replaces the rule of that name. It is not an API
// call: it emits no event.
func (r *Region) AddConfigRule(rule ConfigRule) {
	c := r.account.cloud
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.state(place{r.account.id, r.name})
	rule.ResourceTypes = slices.Clone(rule.ResourceTypes)
	rule.Compliance = cmp.Or(rule.Compliance, "INSUFFICIENT_DATA")
	if rule.Remediation != nil {
		copied := *rule.Remediation
		rule.Remediation = &copied
	}
	s.configRules.put(rule.Name, &rule)
	s.commit()
}

// configProtocol is AWS JSON 1.1.
// https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
type configProtocol struct{}

func (configProtocol) success(k *call, answer any) response {
	body, err := json.Marshal(answer)
	if err != nil { // answers are plain structs
		panic(err)
	}
	return configResponse(k, http.StatusOK, body)
}

func (configProtocol) failure(k *call, err *Error) response {
	body, marshalErr := json.Marshal(map[string]string{"__type": err.Code, "message": err.Message})
	if marshalErr != nil { // strings always marshal
		panic(marshalErr)
	}
	return configResponse(k, err.Status, body)
}

func configResponse(k *call, status int, body []byte) response {
	header := requestIDHeader(k)
	header.Set("Content-Type", "application/x-amz-json-1.1")
	return response{status: status, header: header, body: body}
}

// newConfig returns the reads of AWS Config that tell who else fixes a resource.
// https://docs.aws.amazon.com/config/latest/APIReference/Welcome.html
func newConfig() service {
	return service{protocol: configProtocol{}, operations: map[string]operation{
		"DescribeConfigRules":               {run: members(describeConfigRules), readOnly: true, request: configRequest},
		"DescribeRemediationConfigurations": {run: members(describeRemediations), readOnly: true, request: configRequest},
		"DescribeComplianceByConfigRule":    {run: members(describeCompliance), readOnly: true, request: configRequest},
	}}
}

// configRequest writes the members of a request in lower camel case.
func configRequest(k *call, e *encoder) {
	var in map[string]json.RawMessage
	if json.Unmarshal(k.request.body, &in) != nil {
		return
	}
	for _, name := range []string{"ConfigRuleNames", "ComplianceTypes", "NextToken", "Limit"} {
		if value, ok := in[name]; ok {
			e.raw(lowerFirst(name), value)
		}
	}
}

// configPage is how many rules a page holds.
// https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeConfigRules.html
const configPage = 25

// rules finds the rules that a request names, or all of them, in order of their names, and cuts one page.
func (k *call) rules(names []string, token string, only func(*ConfigRule) bool) ([]*ConfigRule, string, error) {
	for _, name := range names {
		if k.state.configRules.get(name, k.view()) == nil {
			return nil, "", errorf(400, "NoSuchConfigRuleException", "The ConfigRule '%s' provided in the request is invalid. Please check the configRule name.", name)
		}
	}
	var found []*ConfigRule
	for _, r := range k.state.configRules.from(0, k.view()) {
		if wanted(names, r.Name) && only(r) {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b *ConfigRule) int { return cmp.Compare(a.Name, b.Name) })
	shown, next, err := listing(k, found, func(r *ConfigRule) string { return r.Name }, configPage, token)
	if err != nil {
		return nil, "", errorf(400, "InvalidNextTokenException", "The specified next token is not valid.")
	}
	return shown, next, nil
}

type configScope struct {
	ComplianceResourceTypes []string `json:",omitempty"`
}

type configSource struct {
	Owner            string
	SourceIdentifier string
}

type shownRule struct {
	ConfigRuleName, ConfigRuleArn, ConfigRuleId, ConfigRuleState string
	Scope                                                        configScope
	Source                                                       configSource
}

func describeConfigRules(k *call, in struct {
	ConfigRuleNames []string
	NextToken       string
}) (any, error) {
	rules, next, err := k.rules(in.ConfigRuleNames, in.NextToken, func(*ConfigRule) bool { return true })
	if err != nil {
		return nil, err
	}
	out := struct {
		ConfigRules []shownRule
		NextToken   string `json:",omitempty"`
	}{ConfigRules: []shownRule{}, NextToken: next}
	for _, r := range rules {
		source := configSource{"AWS", r.Identifier}
		if r.Function != "" {
			source = configSource{"CUSTOM_LAMBDA", r.Function}
		}
		out.ConfigRules = append(out.ConfigRules, shownRule{
			ConfigRuleName: r.Name, ConfigRuleArn: k.configARN("config-rule", r.Name), ConfigRuleId: "config-rule-" + r.Name, ConfigRuleState: "ACTIVE",
			Scope: configScope{r.ResourceTypes}, Source: source,
		})
	}
	return out, nil
}

func (k *call) configARN(kind, name string) string {
	return "arn:aws:config:" + k.Region + ":" + k.Account + ":" + kind + "/" + name
}

type shownRemediation struct {
	ConfigRuleName, TargetID, TargetType, ResourceType, Arn string
	Automatic                                               bool
}

// MarshalJSON spells TargetId as the API does.
func (s shownRemediation) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{
		"ConfigRuleName": s.ConfigRuleName, "TargetId": s.TargetID, "TargetType": s.TargetType, "ResourceType": s.ResourceType,
		"Arn": s.Arn, "Automatic": s.Automatic,
	})
}

// describeRemediations answers for rules by name; one without a remediation, or that is not there, gives none.
func describeRemediations(k *call, in struct{ ConfigRuleNames []string }) (any, error) {
	if len(in.ConfigRuleNames) == 0 || len(in.ConfigRuleNames) > configPage {
		return nil, errorf(400, "ValidationException", "1 validation error detected: Value at 'configRuleNames' failed to satisfy constraint: Member must have length between 1 and %d", configPage)
	}
	out := struct{ RemediationConfigurations []shownRemediation }{[]shownRemediation{}}
	for _, name := range in.ConfigRuleNames {
		r := k.state.configRules.get(name, k.view())
		if r == nil || r.Remediation == nil {
			continue
		}
		out.RemediationConfigurations = append(out.RemediationConfigurations, shownRemediation{
			ConfigRuleName: name, TargetID: r.Remediation.Document, TargetType: "SSM_DOCUMENT", ResourceType: r.Remediation.ResourceType,
			Arn: k.configARN("remediation-configuration", name), Automatic: r.Remediation.Automatic,
		})
	}
	return out, nil
}

type shownCompliance struct {
	ConfigRuleName string
	Compliance     struct{ ComplianceType string }
}

func describeCompliance(k *call, in struct {
	ConfigRuleNames, ComplianceTypes []string
	NextToken                        string
}) (any, error) {
	rules, next, err := k.rules(in.ConfigRuleNames, in.NextToken, func(r *ConfigRule) bool { return wanted(in.ComplianceTypes, r.Compliance) })
	if err != nil {
		return nil, err
	}
	out := struct {
		ComplianceByConfigRules []shownCompliance
		NextToken               string `json:",omitempty"`
	}{ComplianceByConfigRules: []shownCompliance{}, NextToken: next}
	for _, r := range rules {
		shown := shownCompliance{ConfigRuleName: r.Name}
		shown.Compliance.ComplianceType = r.Compliance
		out.ComplianceByConfigRules = append(out.ComplianceByConfigRules, shown)
	}
	return out, nil
}
