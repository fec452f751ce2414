package main

import (
	"context"
	"slices"
	"strings"

	"dera.example/dera/app"
	"dera.example/dera/cloud"
	"dera.example/dera/evaluate"
	"dera.example/dera/services"
)

// otherTools finds for the doctor what the gate finds, whether it is set to or not, and what a
// person starts.
type otherTools struct {
	client   *cloud.Client
	config   fileConfig
	triggers services.Triggers
}

// in are those of an account in a region that are about the controls of the configuration, and
// what went wrong where not all could be asked.
func (o otherTools) in(ctx context.Context, account, region string) (out []app.OtherFixer, errs []error) {
	list, err := o.client.Fixers(ctx, account, region)
	if err != nil {
		errs = append(errs, err)
	}
	add := func(f app.OtherFixer, any bool) {
		f.None = o.config.otherFixers(nil, nil).IsNone(evaluate.Fixer{Rule: f.Rule, Account: account, Region: region})
		if o.concern(&f, account, any) {
			out = append(out, f)
		}
	}
	for _, x := range list {
		types, fixes := configTypes(x)
		if !fixes {
			continue
		}
		starts := "the document " + x.Document
		if x.Function != "" {
			starts = "the Lambda function " + x.Function
		}
		add(app.OtherFixer{Name: "the AWS Config rule " + x.Rule + " in " + region + " of " + account, Rule: x.Rule, Starts: starts, Types: types, Asked: o.config.AskConfig}, len(types) == 0)
	}
	rules, err := ruleFixers{client: o.client, triggers: o.triggers}.of(ctx, account, region)
	if err != nil {
		errs = append(errs, err)
	}
	for _, x := range rules {
		add(app.OtherFixer{Name: x.name(), Rule: x.Name, Starts: x.What, Types: x.Types, ByHand: x.ByHand, Members: len(x.Central) > 0, Asked: o.config.AskRules}, x.Any)
	}
	return out, errs
}

// concern keeps the types that controls look at, and the controls without an owner. It reports
// whether any are concerned.
func (o otherTools) concern(f *app.OtherFixer, account string, any bool) bool {
	g := o.config.otherFixers(nil, nil)
	var types []string
	for _, c := range o.config.controls() {
		if !any && !slices.Contains(f.Types, c.Type) {
			continue
		}
		if !slices.Contains(types, c.Type) {
			types = append(types, c.Type)
		}
		// The first two words of an ID are its type's.
		words := strings.SplitN(c.ID, "-", 3)
		if glob := strings.Join(words[:2], "-") + "-*"; g.OwnerOf(c.ID, account) == "" && !slices.Contains(f.Unowned, glob) {
			f.Unowned = append(f.Unowned, glob)
		}
	}
	if f.Types = types; any {
		f.Types = nil
	}
	return f.ByHand || len(types) > 0
}
