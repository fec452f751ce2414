package evaluate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"dera.example/dera"
)

// FirstDays is for how long a control must have run elsewhere where an entry of
// non_production_first does not say.
const FirstDays = 14

// RunFirst says where a control must have run before it acts automatically in the places
// that match.
type RunFirst struct {
	Match Where   `yaml:"match" json:"match" jsonschema_description:"What it guards, for example production."`
	After []Where `yaml:"after" json:"after" jsonschema:"minItems=1" jsonschema_description:"Accounts in which the control must have run: one of them is enough, and what speaks against it in any of them counts. Neither control nor resource_tags."`
	Days  int     `yaml:"days,omitempty" json:"days,omitempty" jsonschema:"minimum=0,maximum=366" jsonschema_description:"For how many days without rollback or denial. Default: 14."`
}

// NonProductionFirst sends to review what a control would do automatically in production
// before it ran elsewhere for some days, and nothing there speaks against it since
// (requirement O2).
type NonProductionFirst struct {
	List     []RunFirst
	Accounts []dera.Account // of the configuration
	Runs     RunsBefore
	Now      func() time.Time
}

// Validate returns what is wrong, each with its field.
func (g NonProductionFirst) Validate() error {
	var errs []error
	for i, x := range g.List {
		bad := func(field, format string, args ...any) {
			errs = append(errs, fmt.Errorf("non_production_first[%d].%s: %s", i, field, fmt.Sprintf(format, args...)))
		}
		if x.Days < 0 || x.Days > 366 {
			bad("days", "is %d, write a number from 1 to 366, or leave it out for the default, %d", x.Days, FirstDays)
		}
		if x.Match.Account == "" && x.Match.OU == "" && x.Match.Environment == "" && len(x.Match.AccountTags) == 0 {
			bad("match", "names no place: write account, ou, environment or account_tags")
		}
		if len(x.Match.ResourceTags) > 0 {
			bad("match.resource_tags", "whoever can tag a resource could take it out of production")
		}
		if len(x.After) == 0 {
			bad("after", "is mandatory: name where the control must have run")
		}
		for k, w := range x.After {
			at := fmt.Sprintf("after[%d]", k)
			switch {
			case w.Control != "":
				bad(at+".control", "it is always the control of the finding that must have run")
			case len(w.ResourceTags) > 0:
				bad(at+".resource_tags", "name accounts: account, ou, environment or account_tags")
			case w.Everywhere():
				bad(at, "names no place: write account, ou, environment or account_tags")
			case len(g.in(w)) == 0:
				bad(at, "fits none of accounts, so that no control can ever have run there")
			}
		}
		guarded := x.Match
		guarded.Control, guarded.ResourceTags = "", nil
		for _, id := range g.in(x.After...) {
			if slices.Contains(g.in(guarded), id) {
				bad("after", "account %s is guarded itself by match: a control could never run there automatically", id)
			}
		}
	}
	return errors.Join(errs...)
}

// in are the accounts of the configuration, by ID, that lie in one of the places.
func (g NonProductionFirst) in(places ...Where) (ids []string) {
	for _, a := range g.Accounts {
		if slices.ContainsFunc(places, func(w Where) bool { return w.Fits(Case{Account: a, Finding: dera.Finding{Account: a.ID}}) }) {
			ids = append(ids, a.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Name implements Guardrail.
func (NonProductionFirst) Name() string { return "non-production-first" }

// Check implements Guardrail. Where several entries match, all of them hold.
func (g NonProductionFirst) Check(ctx context.Context, c Case) (dera.Reason, error) {
	if len(g.List) == 0 {
		return pass("no entry of non_production_first is configured"), nil
	}
	out := pass("no entry of non_production_first guards it")
	if c.Finding.Start > dera.Review {
		return pass("the control changes nothing here"), nil
	}
	for _, x := range g.List {
		if !x.Match.Fits(c) {
			continue
		}
		accounts := g.in(x.After...)
		if len(accounts) == 0 {
			return review("%s must have run in other accounts for %s, and none of these is configured", c.Finding.Control, g.wanted(x)), nil
		}
		runs, err := g.Runs.RunsBefore(ctx, c.Finding.Partition, accounts, c.decided())
		if err != nil {
			return dera.Reason{}, fmt.Errorf("what %s did in %s: %w", c.Finding.Control, inAccounts(accounts), err)
		}
		if out = g.judge(x, c.Finding.Control, accounts, runs); out.Disposition > dera.Auto {
			return out, nil
		}
	}
	return out, nil
}

// judge goes by the first remediation in effect after the last one that something speaks
// against. What something speaks against itself is none, although it may have been verified
// after that.
func (g NonProductionFirst) judge(x RunFirst, control string, accounts []string, runs []RunBefore) dera.Reason {
	var against, first RunBefore
	runs = slices.DeleteFunc(slices.Clone(runs), func(r RunBefore) bool {
		return r.Control != control || !slices.Contains(accounts, r.Account)
	})
	for _, r := range runs {
		if r.Against != "" && (against.Against == "" || r.Open && !against.Open || r.Open == against.Open && r.At.After(against.At)) {
			against = r
		}
	}
	for _, r := range runs {
		if !r.Done.IsZero() && r.Against == "" && r.Done.After(against.At) && (first.Done.IsZero() || r.Done.Before(first.Done)) {
			first = r
		}
	}
	var out dera.Reason
	ran := fmt.Sprintf("%s ran in account %s since %s (%s)", control, first.Account, minute(first.Done), first.Remediation)
	if against.Open {
		first = RunBefore{}
	}
	switch {
	case !first.Done.IsZero() && g.Now().Sub(first.Done) >= days(g.days(x)):
		out = pass("%s, and nothing in %s speaks against it since; %s are required", ran, inAccounts(accounts), g.wanted(x))
		out.Ref = first.Remediation
	case against.Against != "":
		out = review("%s of %s in account %s %s (%s)", against.Remediation, control, against.Account, against.Against, minute(against.At))
		out.Ref = against.Remediation
		if first.Done.IsZero() {
			out.Why += fmt.Sprintf("; it must run again in %s for %s", inAccounts(accounts), g.wanted(x))
			break
		}
		out.Why += fmt.Sprintf("; since then %s, and %s are required", ran, g.wanted(x))
	case !first.Done.IsZero():
		out = review("%s, and %s are required", ran, g.wanted(x))
		out.Ref = first.Remediation
	default:
		out = review("%s has fixed nothing in %s yet; it must run there for %s first", control, inAccounts(accounts), g.wanted(x))
	}
	return out
}

func (NonProductionFirst) days(x RunFirst) int { return orDefault(x.Days, FirstDays) }

func (g NonProductionFirst) wanted(x RunFirst) string { return count(g.days(x), "day") }

// inAccounts names accounts.
func inAccounts(ids []string) string {
	if len(ids) == 1 {
		return "account " + ids[0]
	}
	return "accounts " + someOf(ids)
}
