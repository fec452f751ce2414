package main

import (
	"context"
	"slices"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/evaluate"
	"dera.example/dera/services"
)

// configFixers finds other tools by what AWS Config says of itself. For what an
// account has once, it is asked in every region that is covered.
type configFixers struct {
	client  *cloud.Client
	regions []string
}

var _ evaluate.Fixers = configFixers{}

// Fixers implements evaluate.Fixers.
func (f configFixers) Fixers(ctx context.Context, account, region, typ string) ([]evaluate.Fixer, error) {
	if f.client == nil { // a replay: there is nobody to ask, and nothing is written
		return nil, nil
	}
	regions := []string{region}
	if region == dera.GlobalRegion {
		regions = f.regions
	}
	var out []evaluate.Fixer
	for _, where := range regions {
		list, err := f.client.Fixers(ctx, account, where)
		if err != nil {
			return nil, err
		}
		for _, x := range list {
			if types, fixes := configTypes(x); fixes && (len(types) == 0 || slices.Contains(types, typ)) {
				out = append(out, evaluate.Fixer{Name: "the AWS Config rule " + x.Rule, Rule: x.Rule, Account: account, Region: where, Type: typ})
			}
		}
	}
	return out, nil
}

// configTypes are the types that a rule of AWS Config changes, none for any; fixes is false where it
// only notifies.
func configTypes(x cloud.Fixer) (types []string, fixes bool) {
	changed, known := services.DocumentTypes(x.Document)
	if known && len(changed) == 0 {
		return nil, false
	}
	if len(x.Types) == 0 {
		return changed, true
	}
	return x.Types, true
}

// ruleFixers finds other tools by the rules of EventBridge that start them: those of the account
// in the region, for what an account has once in every region that is covered and where its
// events arrive, and those of the administrator of its Security Hub.
type ruleFixers struct {
	client   *cloud.Client
	triggers services.Triggers
	regions  []string
	accounts []string // that can be asked
}

var _ evaluate.Fixers = ruleFixers{}

func (s *session) ruleFixers() ruleFixers {
	f := ruleFixers{client: s.client, regions: s.regions}
	for _, a := range s.accounts {
		f.accounts = append(f.accounts, a.ID)
	}
	if s.config.AskRules {
		f.triggers = services.NewTriggers(queueARN(s.queue()))
	}
	return f
}

// Fixers implements evaluate.Fixers.
func (f ruleFixers) Fixers(ctx context.Context, account, region, typ string) ([]evaluate.Fixer, error) {
	if f.client == nil { // a replay: there is nobody to ask, and nothing is written
		return nil, nil
	}
	regions := []string{region}
	if region == dera.GlobalRegion {
		regions = slices.Clone(f.regions)
		if home := dera.PartitionOf(f.client.Region()).Home; !slices.Contains(regions, home) {
			regions = append(regions, home)
		}
	}
	var out []evaluate.Fixer
	for _, where := range regions {
		list, err := f.of(ctx, account, where)
		if err != nil {
			return nil, err
		}
		out = append(out, fixersIn(list, func(x found) bool { return x.Any || slices.Contains(x.Types, typ) }, typ)...)
	}
	central, err := f.central(ctx, account, regions)
	if err != nil {
		return nil, err
	}
	return append(out, fixersIn(central, func(x found) bool { return slices.Contains(x.Central, typ) }, typ)...), nil
}

// found is a rule that starts something.
type found struct {
	cloud.EventRule
	services.Started
}

// of are the rules of an account in a region that start something.
func (f ruleFixers) of(ctx context.Context, account, region string) (out []found, _ error) {
	list, err := f.client.EventRules(ctx, account, region, func(r cloud.EventRule) bool {
		return f.triggers.Matters(services.Trigger{Name: r.Name, Pattern: r.Pattern, Schedule: r.Schedule})
	})
	for _, r := range list {
		if started, ok := f.triggers.Judge(services.Trigger{Name: r.Name, Pattern: r.Pattern, Schedule: r.Schedule, Targets: r.Targets}); ok {
			out = append(out, found{r, started})
		}
	}
	return out, err
}

// central are those of the accounts that hear of the findings of an account, itself among them, in
// every region that is covered but those that were asked: findings are aggregated in one of them.
// An administrator that cannot be asked is left out; dera doctor names it.
func (f ruleFixers) central(ctx context.Context, account string, regions []string) (out []found, _ error) {
	hear := []string{account}
	for _, region := range regions {
		admin, err := f.client.HubAdministrator(ctx, account, region)
		if err != nil {
			return nil, err
		}
		if slices.Contains(f.accounts, admin) && !slices.Contains(hear, admin) {
			hear = append(hear, admin)
		}
	}
	for _, who := range hear {
		for _, where := range f.regions {
			if who == account && slices.Contains(regions, where) {
				continue
			}
			list, err := f.of(ctx, who, where)
			if err != nil {
				return nil, err
			}
			out = append(out, list...)
		}
	}
	return out, nil
}

// fixersIn are the rules that change resources of a type without a person, in the words of the
// gate.
func fixersIn(list []found, does func(found) bool, typ string) (out []evaluate.Fixer) {
	for _, x := range list {
		if !x.ByHand && does(x) {
			out = append(out, evaluate.Fixer{Name: x.name() + ", which starts " + x.What + ",", Rule: x.Name, Account: x.Account, Region: x.Region, Type: typ})
		}
	}
	return out
}

// name is the rule for people, with where it is and whose.
func (x found) name() string {
	name := "the EventBridge rule " + x.Name + " in " + x.Region + " of " + x.Account
	if x.Tool != "" {
		name += " (" + x.Tool + ")"
	}
	return name
}
