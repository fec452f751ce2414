// Package wire reads and writes the rules of EventBridge that bring dera its events.
package wire

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	"dera.example/dera/services/events/rule"
)

// Wire returns how the rules are read and written.
func Wire() cloud.Wire {
	t := rule.Type()
	return cloud.Wire{
		Type: rule.Name, Parts: t.Parts, Operations: t.Operations, Find: find, Gone: gone, AtOnce: 4,
		Sample: func(_ context.Context, r *cloud.Reading) (string, error) { return rule.Prefix + "ec2", nil },
		Unread: func(config any, part string) {
			if part == rule.PartTargets {
				config.(*rule.Rule).Targets = nil
			}
		},
		Readers: []cloud.Reader{{Parts: []string{rule.PartTargets}, Call: "events:ListTargetsByRule", One: readTargets}},
		Do:      map[string]func(context.Context, *cloud.Writing) error{rule.Enable: enable, rule.Disable: disable},
		Answers: map[string]cloud.Shape{"EventBridge ListRules": {Members: []string{"Rules"}}, "EventBridge ListTargetsByRule": {Members: []string{"Targets"}}},
	}
}

func api(r *cloud.Reading) *sdk.Client {
	return cloud.Service(r, "eventbridge", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *sdk.Client { return sdk.NewFromConfig(cfg) })
}

// find lists dera's rules of the default bus: they are few.
func find(ctx context.Context, r *cloud.Reading) (found cloud.Found, _ error) {
	seen := map[string]bool{}
	err := cloud.List(r, cloud.Listing[*sdk.ListRulesOutput, types.Rule]{
		Call: "events:ListRules", Of: "rules",
		Page: func(token *string) (*sdk.ListRulesOutput, error) {
			return api(r).ListRules(ctx, &sdk.ListRulesInput{NamePrefix: aws.String(rule.Prefix), NextToken: token})
		},
		On: func(p *sdk.ListRulesOutput) ([]types.Rule, *string) { return p.Rules, p.NextToken },
	}, func(x types.Rule) error {
		id := aws.ToString(x.Name)
		arn := rule.ARNOf(cloud.PartitionOf(r.Scope), r.Scope.Account, r.Scope.Region, id)
		if dera.ARN(aws.ToString(x.Arn)) != arn || !slices.Contains(x.State.Values(), x.State) {
			return cloud.Foreign("it is about %.140q in the state %.60q", aws.ToString(x.Arn), string(x.State))
		}
		if seen[id] = true; r.Scope.Sweep() || slices.Contains(r.Scope.IDs, id) {
			found.Items = append(found.Items, cloud.NewItem(r, id, id, arn, &rule.Rule{
				ID: id, Enabled: aws.Bool(x.State != types.RuleStateDisabled), Calls: x.State == types.RuleStateEnabledWithAllCloudtrailManagementEvents, Pattern: aws.ToString(x.EventPattern),
			}))
		}
		return nil
	})
	for _, id := range r.Scope.IDs {
		if !seen[id] {
			found.Missing = append(found.Missing, id)
		}
	}
	return found, err
}

// gone: EventBridge says itself that a rule is not there.
func gone(_ context.Context, _ *cloud.Reading, _ *cloud.Item, err error) bool {
	var absent *types.ResourceNotFoundException
	return errors.As(err, &absent)
}

func readTargets(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	out, err := api(r).ListTargetsByRule(ctx, &sdk.ListTargetsByRuleInput{Rule: &x.ID})
	if err != nil {
		return err
	}
	targets := []string{} // a rule has five at most: one page
	for _, t := range out.Targets {
		targets = append(targets, aws.ToString(t.Arn))
	}
	slices.Sort(targets)
	x.Config.(*rule.Rule).Targets = targets
	return nil
}

func enable(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[resource.SettingInput](w.Operation)
	if err == nil {
		_, err = sdk.NewFromConfig(w.Config).EnableRule(ctx, &sdk.EnableRuleInput{Name: &in.Resource})
	}
	return err
}

func disable(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[resource.SettingInput](w.Operation)
	if err == nil {
		_, err = sdk.NewFromConfig(w.Config).DisableRule(ctx, &sdk.DisableRuleInput{Name: &in.Resource})
	}
	return err
}
