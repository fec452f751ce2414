package cloud

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"

	"dera.example/dera"
)

// EventRule is a rule of EventBridge that is switched on, on the default bus, which is where
// AWS sends what its services report.
type EventRule struct {
	Account, Region string
	Name            string
	Pattern         string // JSON; "" of a rule that goes by the clock alone
	Schedule        string // cron(…) or rate(…), or ""
	Targets         []string
}

// The IAM actions of its calls.
const (
	callEventRules   = "events:ListRules"
	callEventTargets = "events:ListTargetsByRule"
)

// EventRules returns the rules of an account and region that follow chooses, with the ARNs of
// their targets; of the others the targets are not asked for. Rules that are switched off, and
// those that a service of AWS manages, are left out. The answer is remembered for ten
// minutes, whatever follow says the next time; an error is not.
func (c *Client) EventRules(ctx context.Context, account, region string, follow func(EventRule) bool) ([]EventRule, error) {
	return remember(c, "event rules of "+account+" in "+region, fixersFor, func() ([]EventRule, error) {
		ctx, cancel := within(ctx, c.cfg.Timeout)
		defer cancel()
		return c.readEventRules(ctx, account, c.regionFor(region), follow)
	})
}

// readEventRules reads the rules.
//
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListRules.html
func (c *Client) readEventRules(ctx context.Context, account, region string, follow func(EventRule) bool) ([]EventRule, error) {
	r := c.reading(dera.Scope{Account: account, Region: region}, false)
	api := Service(r, "eventbridge", account, region, func(cfg aws.Config) *eventbridge.Client { return eventbridge.NewFromConfig(cfg) })
	var out []EventRule
	err := List(r, Listing[*eventbridge.ListRulesOutput, types.Rule]{
		Call: callEventRules, Of: "rules",
		Page: func(token *string) (*eventbridge.ListRulesOutput, error) {
			return api.ListRules(ctx, &eventbridge.ListRulesInput{NextToken: token})
		},
		On: func(p *eventbridge.ListRulesOutput) ([]types.Rule, *string) { return p.Rules, p.NextToken },
	}, func(x types.Rule) error {
		one := EventRule{Account: account, Region: region, Name: aws.ToString(x.Name), Pattern: aws.ToString(x.EventPattern), Schedule: aws.ToString(x.ScheduleExpression)}
		if x.State != types.RuleStateDisabled && aws.ToString(x.ManagedBy) == "" && follow(one) {
			out = append(out, one)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range out {
		err := List(r, Listing[*eventbridge.ListTargetsByRuleOutput, types.Target]{
			Call: callEventTargets, Of: "targets",
			Page: func(token *string) (*eventbridge.ListTargetsByRuleOutput, error) {
				return api.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: &out[i].Name, NextToken: token})
			},
			On: func(p *eventbridge.ListTargetsByRuleOutput) ([]types.Target, *string) { return p.Targets, p.NextToken },
		}, func(t types.Target) error {
			out[i].Targets = append(out[i].Targets, aws.ToString(t.Arn))
			return nil
		})
		if err != nil && !Is(err, NotFound) { // deleted meanwhile: it starts nothing
			return nil, err
		}
	}
	return slices.Clip(out), nil
}

// tryEventRules makes the calls of EventRules, for the targets of one rule.
func (c *Client) tryEventRules(ctx context.Context, account, region string) {
	first := true
	_, _ = c.readEventRules(ctx, account, region, func(EventRule) bool {
		defer func() { first = false }()
		return first
	})
}

const callHubAdministrator = "securityhub:GetAdministratorAccount"

// HubAdministrator is the account that administers the Security Hub of an account in a region,
// and so hears of its findings; "" where there is none, or no Security Hub. The answer is
// remembered for ten minutes; an error is not.
//
// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_GetAdministratorAccount.html
func (c *Client) HubAdministrator(ctx context.Context, account, region string) (string, error) {
	return remember(c, "administrator of "+account+" in "+region, fixersFor, func() (string, error) {
		ctx, cancel := within(ctx, c.cfg.Timeout)
		defer cancel()
		return c.readHubAdministrator(ctx, account, c.regionFor(region))
	})
}

func (c *Client) readHubAdministrator(ctx context.Context, account, region string, set ...func(*securityhub.Options)) (string, error) {
	r := c.reading(dera.Scope{Account: account, Region: region}, false)
	api := Service(r, "securityhub", account, region, func(cfg aws.Config) *securityhub.Client { return securityhub.NewFromConfig(cfg) })
	out, err := api.GetAdministratorAccount(ctx, &securityhub.GetAdministratorAccountInput{}, set...)
	if err != nil {
		err = r.Fail(callHubAdministrator, err)
		if hubIsOff(err) || Is(err, NotFound) || Is(err, Unavailable) {
			return "", nil
		}
		return "", err
	}
	if out.Administrator == nil {
		return "", nil
	}
	return aws.ToString(out.Administrator.AccountId), nil
}
