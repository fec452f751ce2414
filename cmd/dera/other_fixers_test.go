package main

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/evaluate"
	"dera.example/dera/services"
)

// hubOf answers for the Security Hub of every account, and lets the rest through.
type hubOf struct {
	sim     http.RoundTripper
	answers map[string]string // JSON by path; "" refuses
}

func (h hubOf) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, ok := h.answers[r.URL.Path]
	if !ok {
		return h.sim.RoundTrip(r)
	}
	res := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(answer)), Request: r}
	if answer == "" {
		res.StatusCode = http.StatusForbidden
		res.Header.Set("X-Amzn-Errortype", "AccessDeniedException")
	}
	return res, nil
}

// TestRuleFixers: rules count in their own account and region, for what an account has once in
// every region and where its events arrive, and for its members where they go by findings that
// the administrator of Security Hub hears of; what cannot be asked is an error.
func TestRuleFixers(t *testing.T) {
	t.Parallel()
	const group, block = "AWS::EC2::SecurityGroup", "AWS::S3::AccountPublicAccessBlock"
	const admin = `{"Administrator":{"AccountId":"` + cloudtest.Hub + `","MemberStatus":"Enabled"}}`
	sim := awssim.New(awssim.Config{Seed: 4})
	add := func(account, region, name, pattern string) {
		sim.Account(account).Region(region).AddSchedule(awssim.Schedule{Kind: "rule", Name: name, Pattern: pattern, Target: "arn:aws:lambda:" + region + ":" + account + ":function:fix"})
	}
	const onCalls = `{"detail-type":["AWS API Call via CloudTrail"],"detail":{"eventName":["AuthorizeSecurityGroupIngress"]}}`
	add(cloudtest.Hub, "eu-west-1", "calls", onCalls)
	add(cloudtest.Hub, "eu-west-1", "EC2_AutoTrigger", `{"source":["aws.securityhub"],"detail-type":["Security Hub Findings - Imported"],"detail":{"findings":{"Compliance":{"SecurityControlId":["EC2.13"]}}}}`)
	add(cloudtest.Hub, "eu-west-1", "acls", `{"source":["aws.ec2"],"detail":{"eventName":["CreateNetworkAclEntry"]}}`)
	add(cloudtest.Hub, "us-east-1", "block", `{"source":["aws.s3"],"detail":{"eventName":["DeleteAccountPublicAccessBlock"]}}`)
	sim.Account(cloudtest.Member).Region("us-east-1").AddSchedule(awssim.Schedule{Kind: "rule", Name: "custodian-night", Expression: "rate(1 day)", Target: "arn:aws:lambda:us-east-1:" + cloudtest.Member + ":function:custodian-night"})
	sim.Account(cloudtest.Member).AddRole("reader", cloudtest.Hub, "", "*")
	at := func(answer string, accounts ...string) ruleFixers {
		client, err := cloud.New(t.Context(), cloud.Config{
			Region: "us-east-1", Wires: wires(), Endpoint: "https://aws.sim", HTTPClient: &http.Client{Transport: hubOf{sim.Transport(), map[string]string{"/administrator": answer}}},
			Credentials: cloudtest.Static(sim.Account(cloudtest.Hub).Credentials()),
			Accounts:    []cloud.Account{{ID: cloudtest.Hub}, {ID: cloudtest.Member, RoleARN: "arn:aws:iam::" + cloudtest.Member + ":role/reader"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return ruleFixers{client: client, triggers: services.NewTriggers(""), regions: []string{"us-west-2", "eu-west-1"}, accounts: accounts}
	}
	for _, tt := range []struct {
		name                 string
		f                    ruleFixers
		account, region, typ string
		want                 []string
		said                 string
	}{
		{name: "own_region", f: at(`{}`), account: cloudtest.Hub, region: "eu-west-1", typ: group, want: []string{"EC2_AutoTrigger", "calls"}, said: "the EventBridge rule calls in eu-west-1 of 111122223333, which starts the Lambda function fix,"},
		{name: "named_tool", f: at(`{}`), account: cloudtest.Hub, region: "eu-west-1", typ: group, want: []string{"EC2_AutoTrigger", "calls"}, said: "(Automated Security Response on AWS)"},
		{name: "findings_of_another_region", f: at(`{}`), account: cloudtest.Hub, region: "us-west-2", typ: group, want: []string{"EC2_AutoTrigger"}},
		{name: "calls_of_another_region", f: at(`{}`), account: cloudtest.Hub, region: "us-west-2", typ: "AWS::EC2::NetworkAcl"},
		{name: "another_type", f: at(`{}`), account: cloudtest.Hub, region: "eu-west-1", typ: "AWS::S3::Bucket"},
		{name: "once_in_an_account", f: at(`{}`), account: cloudtest.Hub, region: dera.GlobalRegion, typ: block, want: []string{"block"}},
		{name: "any_type", f: at(`{}`), account: cloudtest.Member, region: "us-east-1", typ: "AWS::KMS::Key", want: []string{"custodian-night"}},
		{name: "of_the_administrator", f: at(admin, cloudtest.Hub, cloudtest.Member), account: cloudtest.Member, region: "us-west-2", typ: group, want: []string{"EC2_AutoTrigger"}},
		{name: "that_cannot_be_asked", f: at(admin, cloudtest.Member), account: cloudtest.Member, region: "us-west-2", typ: group},
		{name: "no_administrator", f: at(`{}`, cloudtest.Hub, cloudtest.Member), account: cloudtest.Member, region: "us-west-2", typ: group},
		{name: "calls_of_that_region", f: at(`{}`), account: cloudtest.Hub, region: "eu-west-1", typ: "AWS::EC2::NetworkAcl", want: []string{"acls"}},
		{name: "a_replay", account: cloudtest.Hub, region: "eu-west-1", typ: group},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			list, err := tt.f.Fixers(t.Context(), tt.account, tt.region, tt.typ)
			var got []string
			said := ""
			for _, x := range list {
				got = append(got, x.Rule)
				said += x.Name
			}
			slices.Sort(got)
			if err != nil || !slices.Equal(got, tt.want) || !strings.Contains(said, tt.said) {
				t.Errorf("got %q (%s), %v, want %q", got, said, err, tt.want)
			}
		})
	}
	if _, err := at("").Fixers(t.Context(), cloudtest.Hub, "us-west-2", group); err == nil || !strings.Contains(err.Error(), "securityhub:GetAdministratorAccount") {
		t.Errorf("administrator denied: got %v, want an error that names it", err)
	}
}

// TestRulesThatCannotBeAsked: without the permission a finding goes to review, and the doctor
// names it.
func TestRulesThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	sim := awssim.New(awssim.Config{Seed: 5})
	sim.Inject(awssim.Fault{Match: awssim.Match{Service: "events", Operation: "ListRules"}, Kind: awssim.Denied})
	client, err := cloud.New(t.Context(), cloud.Config{
		Region: "us-east-1", Wires: wires(), Endpoint: "https://aws.sim", HTTPClient: sim.HTTPClient(), Credentials: cloudtest.Static(sim.Account(cloudtest.Hub).Credentials()),
	})
	if err != nil {
		t.Fatal(err)
	}
	cfg := fileConfig{AskRules: true}
	rails := cfg.otherFixers(configFixers{client, nil}, ruleFixers{client: client, triggers: services.NewTriggers(""), regions: []string{"us-east-1"}})
	gate := evaluate.Gate{Finding: []evaluate.Guardrail{rails}}
	f := dera.Finding{Account: cloudtest.Hub, Region: "us-east-1", ResourceType: "AWS::EC2::SecurityGroup", Control: "ec2-securitygroup-admin-ports-open"}
	got := gate.Decide(t.Context(), evaluate.Case{Finding: f})
	if last := got.Reasons[len(got.Reasons)-1]; last.Disposition != dera.Review || !last.Error || !strings.Contains(last.Why, "events:ListRules") {
		t.Errorf("got %+v, want review, since the rules are not known", got)
	}
	sim.Account(cloudtest.Hub).Region("us-east-1").AddConfigRule(awssim.ConfigRule{Name: "ssh", Identifier: "INCOMING_SSH_DISABLED", Remediation: &awssim.ConfigRemediation{Automatic: true, Document: "AWS-DisablePublicAccessForSecurityGroup"}})
	d := app.Doctor{Now: time.Now, Cloud: client, Others: otherTools{client, cfg, services.NewTriggers("")}.in}
	report, err := d.Examine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for says, health := range map[string]app.Health{"events:ListRules": app.Unchecked, "the AWS Config rule ssh in us-east-1 of 111122223333 starts the document AWS-DisablePublicAccessForSecurityGroup": app.ToDo} {
		if !slices.ContainsFunc(report.Checks, func(c app.Check) bool {
			return c.Check == "other fixers" && c.Health == health && strings.Contains(c.Says, says) && c.Fix != ""
		}) {
			t.Errorf("doctor: got %+v, want %s with %q", report.Checks, health, says)
		}
	}
}

// TestDoctorOnTheHub: the doctor names an administrator that is not among the accounts, and the
// automation rules that take findings out of sight, or the permission to ask for them.
func TestDoctorOnTheHub(t *testing.T) {
	t.Parallel()
	sim := awssim.New(awssim.Config{Seed: 6})
	const list, get = "/automationrules/list", "/automationrules/get"
	for name, tc := range map[string]struct {
		answers map[string]string
		check   string
		health  app.Health
		says    string
	}{
		"administrator": {map[string]string{"/administrator": `{"Administrator":{"AccountId":"999988887777"}}`}, "other fixers", app.NotTested, "account 999988887777 administers"},
		"suppresses": {map[string]string{list: `{"AutomationRulesMetadata":[{"RuleArn":"arn:x","RuleStatus":"ENABLED"}]}`, get: `{"Rules":[{"RuleArn":"arn:x","RuleName":"quiet dev","Actions":[{"FindingFieldsUpdate":{"Workflow":{"Status":"SUPPRESSED"}}}]}]}`},
			"automation rules of Security Hub", app.ToDo, "sets findings to SUPPRESSED"},
		"not_allowed": {map[string]string{list: ""}, "automation rules of Security Hub", app.NotTested, "securityhub:ListAutomationRules"},
		"not_read":    {map[string]string{list: `{"AutomationRulesMetadata":[{"RuleArn":"arn:x","RuleStatus":"ENABLED"}]}`, get: `{"Rules":[]}`}, "automation rules of Security Hub", app.Unchecked, "BatchGetAutomationRules"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := cloud.New(t.Context(), cloud.Config{
				Region: "us-east-1", Wires: wires(), Endpoint: "https://aws.sim", HTTPClient: &http.Client{Transport: hubOf{sim.Transport(), tc.answers}},
				Credentials: cloudtest.Static(sim.Account(cloudtest.Hub).Credentials()),
			})
			if err != nil {
				t.Fatal(err)
			}
			d := app.Doctor{Now: time.Now, Cloud: client, Others: otherTools{client, fileConfig{}, services.NewTriggers("")}.in}
			report, err := d.Examine(t.Context())
			found := slices.ContainsFunc(report.Checks, func(c app.Check) bool {
				return c.Check == tc.check && c.Health == tc.health && strings.Contains(c.Says, tc.says) && c.Account == cloudtest.Hub
			})
			if err != nil || !found {
				t.Errorf("got %+v, %v, want %s of %s with %q", report.Checks, err, tc.health, tc.check, tc.says)
			}
		})
	}
}
