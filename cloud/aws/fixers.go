package aws

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
)

// Fixer is a remediation of AWS Config that runs by itself.
type Fixer struct {
	Rule  string
	Types []string // resource types; empty is any
}

// fixersFor is how long what AWS Config says of itself is remembered: a guardrail
// asks for every finding.
const fixersFor = 10 * time.Minute

type rememberedFixers struct {
	at   time.Time
	list []Fixer
}

// Fixers returns the rules of AWS Config in an account and region whose
// remediation runs by itself. The answer is remembered for ten minutes; an error
// is not.
func (c *Client) Fixers(ctx context.Context, account, region string) ([]Fixer, error) {
	key := account + "/" + region
	c.mu.Lock()
	known, ok := c.fixers[key]
	c.mu.Unlock()
	if ok && c.now().Sub(known.at) < fixersFor {
		return known.list, nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	at := c.now()
	list, err := c.readFixers(ctx, account, c.regionFor(region))
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fixers[key] = rememberedFixers{at, list}
	return list, nil
}

func (c *Client) config(account, region string) *configservice.Client {
	return shared(c, "config", account, region, func(cfg aws.Config, limited aws.Retryer) *configservice.Client {
		return configservice.NewFromConfig(cfg, func(o *configservice.Options) {
			o.Retryer = limited
			o.APIOptions = append(o.APIOptions, c.observe(account, region, false))
		})
	})
}

func (c *Client) readFixers(ctx context.Context, account, region string) ([]Fixer, error) {
	api := c.config(account, region)
	types := map[string][]string{}
	var names []string
	err := walk(func(token *string) (*string, error) {
		page, err := api.DescribeConfigRules(ctx, &configservice.DescribeConfigRulesInput{NextToken: token})
		if err == nil && page.ConfigRules == nil {
			err = foreign("it has no list of rules")
		}
		if err != nil {
			return nil, wrap(account, region, "config:DescribeConfigRules", err)
		}
		for _, r := range page.ConfigRules {
			name := aws.ToString(r.ConfigRuleName)
			names = append(names, name)
			types[name] = typesOf(r)
		}
		return page.NextToken, nil
	})
	if err != nil {
		return nil, err
	}
	var out []Fixer
	const most = 25 // names a call (AWS Config API reference, DescribeRemediationConfigurations)
	for chunk := range slices.Chunk(names, most) {
		answer, err := api.DescribeRemediationConfigurations(ctx, &configservice.DescribeRemediationConfigurationsInput{ConfigRuleNames: chunk})
		if err != nil {
			return nil, wrap(account, region, "config:DescribeRemediationConfigurations", err)
		}
		for _, r := range answer.RemediationConfigurations {
			if !r.Automatic {
				continue
			}
			f := Fixer{Rule: aws.ToString(r.ConfigRuleName)}
			if f.Types = types[f.Rule]; aws.ToString(r.ResourceType) != "" {
				f.Types = []string{*r.ResourceType}
			}
			out = append(out, f)
		}
	}
	return out, nil
}

// typesOf are the resource types that a rule is about, as far as it tells; in
// doubt none, which stands for any.
func typesOf(r types.ConfigRule) []string {
	if r.Scope != nil && len(r.Scope.ComplianceResourceTypes) > 0 {
		return r.Scope.ComplianceResourceTypes
	}
	if r.Source == nil || r.Source.Owner != types.OwnerAws {
		return nil
	}
	// Managed rules are named for the service that they are about (AWS Config
	// developer guide, "List of AWS Config Managed Rules").
	switch id := aws.ToString(r.Source.SourceIdentifier); {
	case strings.HasPrefix(id, "S3_ACCOUNT_"):
		return []string{"AWS::S3::AccountPublicAccessBlock"}
	case strings.HasPrefix(id, "S3_"):
		return []string{"AWS::S3::Bucket"}
	case id == "INCOMING_SSH_DISABLED", id == "RESTRICTED_INCOMING_TRAFFIC", strings.HasPrefix(id, "VPC_SG_"), id == "VPC_DEFAULT_SECURITY_GROUP_CLOSED",
		strings.HasPrefix(id, "EC2_SECURITY_GROUP_"):
		return []string{"AWS::EC2::SecurityGroup"}
	}
	return nil
}
