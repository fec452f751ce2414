package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera/cloud"
)

// OtherFixer is a rule of AWS Config or EventBridge that starts something which changes
// resources that dera's controls look at.
type OtherFixer struct {
	Name   string // for people, with where it is and whose
	Rule   string // its own name
	Starts string
	// Types are those of the controls that are concerned, none for any.
	Types []string
	// ByHand is true where a person starts it each time, None where the configuration says
	// that it is no fixer, Asked where the gate looks for it.
	ByHand, None, Asked bool
	// Members is true where it may change resources of the members of the account, too.
	Members bool
	// Unowned are globs of the controls concerned of which the configuration names no owner.
	Unowned []string
}

// others names the other tools that fix in an account and region, and what to do.
func (x *examination) others(ctx context.Context, account, region string) {
	where := account + " " + region
	if x.Others == nil {
		return
	}
	x.hidingRules(ctx, account, region)
	if admin, err := x.Cloud.HubAdministrator(ctx, account, region); err == nil && admin != "" && !slices.Contains(x.accounts(), admin) {
		x.says("other fixers", where, NotTested, "account "+admin+" administers its Security Hub and is not among the accounts: what is started there on its findings is not known", "add it to accounts, to read alone")
	}
	list, errs := x.Others(ctx, account, region)
	for _, err := range errs {
		fact, next := cloud.Cause(err)
		if next == "" || cloud.Is(err, cloud.Denied) {
			next = "dera role --kind reader prints what is needed; while ask_aws_config or ask_event_rules is set, what cannot be asked sends findings to review"
		}
		x.says("other fixers", where, Unchecked, fact, next)
	}
	if len(list)+len(errs) == 0 {
		x.says("other fixers", where, Healthy, "no rule of AWS Config or EventBridge is known to fix what dera fixes", "")
	}
	for _, f := range list {
		x.other(account, region, f)
	}
}

func (x *examination) other(account, region string, f OtherFixer) {
	about := account + " " + region + " " + Plain(f.Rule)
	says := Plain(f.Name) + " starts " + Plain(f.Starts)
	changes := "; it may change resources of any type"
	if n := len(f.Types); n > 0 {
		const most = 6
		changes = "; it may change " + strings.Join(f.Types[:min(n, most)], ", ")
		if n > most {
			changes += fmt.Sprintf(" and %d more types", n-most)
		}
	}
	switch {
	case f.ByHand:
		x.says("other fixers", about, Healthy, says+" when a person chooses it in Security Hub: the gate does not count it", "")
	case f.None:
		x.says("other fixers", about, Healthy, says+"; not_fixers in the configuration says that it fixes nothing", "")
	case len(f.Unowned) == 0:
		x.says("other fixers", about, Healthy, says+changes+"; fixers in the configuration names who owns it", "")
	default:
		of := account
		if f.Members && len(x.accounts()) > 1 {
			of = "*"
		}
		then := "; findings there go to review until one owner is named"
		if !f.Asked {
			then = "; the gate does not look for it, so that dera and it can take each other's changes back"
		}
		const most = 3
		var entries []string
		for _, glob := range f.Unowned[:min(len(f.Unowned), most)] {
			entries = append(entries, fmt.Sprintf(`{control: %q, account: %q, owner: dera}`, glob, of))
		}
		if len(f.Unowned) > most {
			entries = append(entries, "…")
		}
		fix := fmt.Sprintf("name one owner: fixers: [%s] and switch the rule off, or its name as the owner; if it fixes nothing, not_fixers: [{name: %q}]", strings.Join(entries, ", "), Plain(f.Rule))
		if !f.Asked {
			fix += "; set ask_aws_config and ask_event_rules"
		}
		x.says("other fixers", about, ToDo, says+changes+then, fix)
	}
}

// hidingRules names the automation rules of Security Hub that take findings out of sight. Only
// the doctor asks for them: without the permission that is said, and nothing else.
func (x *examination) hidingRules(ctx context.Context, account, region string) {
	list, err := x.Cloud.HubRules(ctx, account, region)
	where := account + " " + region
	switch {
	case cloud.Is(err, cloud.Denied):
		x.says("automation rules of Security Hub", where, NotTested, plainCause(err), "allow securityhub:ListAutomationRules and securityhub:BatchGetAutomationRules, which dera doctor alone needs")
	case err != nil:
		x.says("automation rules of Security Hub", where, Unchecked, plainCause(err), "")
	}
	for _, r := range list {
		x.says("automation rules of Security Hub", where+" "+Plain(r.Name), ToDo,
			"it sets findings to "+r.Workflow+": people do not see them there, and dera's write-back does not set them, since somebody else did",
			"let the rule leave out what dera fixes, or exempt in dera what is accepted, with owner, reason and end")
	}
}
