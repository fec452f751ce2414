package cloud

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"dera.example/dera"
)

// Fixer is a remediation of AWS Config that runs automatically, or a rule of it whose own
// function changes what it finds.
type Fixer struct {
	Rule  string
	Types []string // resource types; empty is any
	// Document is the automation document of Systems Manager that is started, or "".
	Document string
	// Function is the name of the function that judges and changes, as those of Cloud Custodian
	// do, or "".
	Function string
}

// custodian begins the names of what Cloud Custodian makes.
const custodian = "custodian-"

// fixersFor is how long what AWS Config says of itself is remembered: a guardrail
// asks for every finding.
const fixersFor = 10 * time.Minute

// Fixers returns the rules of AWS Config in an account and region whose
// remediation runs automatically. Rules of an organisation and of conformance packs stand
// among those of the account, under names of their own. The answer is remembered for ten minutes; an error
// is not.
func (c *Client) Fixers(ctx context.Context, account, region string) ([]Fixer, error) {
	return remember(c, "fixers of "+account+" in "+region, fixersFor, func() ([]Fixer, error) {
		ctx, cancel := within(ctx, c.cfg.Timeout)
		defer cancel()
		return c.readFixers(ctx, account, c.regionFor(region))
	})
}

func (c *Client) readFixers(ctx context.Context, account, region string, set ...func(*configservice.Options)) ([]Fixer, error) {
	r := c.reading(dera.Scope{Account: account, Region: region}, false)
	api := Service(r, "config", account, region, func(cfg aws.Config) *configservice.Client { return configservice.NewFromConfig(cfg) })
	types := map[string][]string{}
	var names []string
	var out []Fixer
	err := List(r, Listing[*configservice.DescribeConfigRulesOutput, configtypes.ConfigRule]{
		Call: "config:DescribeConfigRules", Of: "rules",
		Page: func(token *string) (*configservice.DescribeConfigRulesOutput, error) {
			return api.DescribeConfigRules(ctx, &configservice.DescribeConfigRulesInput{NextToken: token}, set...)
		},
		On: func(p *configservice.DescribeConfigRulesOutput) ([]configtypes.ConfigRule, *string) {
			return p.ConfigRules, p.NextToken
		},
	}, func(rule configtypes.ConfigRule) error {
		name := aws.ToString(rule.ConfigRuleName)
		names = append(names, name)
		types[name] = c.typesOf(rule)
		if s := rule.Source; s != nil && s.Owner == configtypes.OwnerCustomLambda {
			if _, function, _ := strings.Cut(dera.ARN(aws.ToString(s.SourceIdentifier)).Resource(), ":"); strings.HasPrefix(function, custodian) {
				out = append(out, Fixer{Rule: name, Types: types[name], Function: function})
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	const most = 25 // names a call (AWS Config API reference, DescribeRemediationConfigurations)
	for chunk := range slices.Chunk(names, most) {
		answer, err := api.DescribeRemediationConfigurations(ctx, &configservice.DescribeRemediationConfigurationsInput{ConfigRuleNames: chunk}, set...)
		if err != nil {
			return nil, r.Fail("config:DescribeRemediationConfigurations", err)
		}
		for _, x := range answer.RemediationConfigurations {
			if !x.Automatic {
				continue
			}
			f := Fixer{Rule: aws.ToString(x.ConfigRuleName), Document: aws.ToString(x.TargetId)}
			if f.Types = types[f.Rule]; aws.ToString(x.ResourceType) != "" {
				f.Types = []string{*x.ResourceType}
			}
			out = append(out, f)
		}
	}
	return out, nil
}

// typesOf are the resource types that a rule is about, as far as it tells; in
// doubt none, which stands for any. Managed rules are named for what they are about
// (AWS Config developer guide, "List of AWS Config Managed Rules").
func (c *Client) typesOf(r configtypes.ConfigRule) []string {
	if r.Scope != nil && len(r.Scope.ComplianceResourceTypes) > 0 {
		return r.Scope.ComplianceResourceTypes
	}
	if r.Source == nil || r.Source.Owner != configtypes.OwnerAws {
		return nil
	}
	var out []string
	best := 0
	for _, w := range c.cfg.Wires {
		for _, rule := range w.ConfigRules {
			if len(rule) > best && dera.MatchGlob(rule, aws.ToString(r.Source.SourceIdentifier)) {
				best, out = len(rule), []string{w.Type}
			}
		}
	}
	return out
}
