package rule

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// LeadsNowhere finds rules that lost their target or their state.
func LeadsNowhere() control.Control {
	return control.OnFact(Type(), control.FactSpec[Rule]{
		Key: "targets",
		Meta: control.Meta{
			ID: "events-rule-leads-nowhere", Title: "EventBridge rule that brings dera its events lost its target or its state", Severity: dera.High, Watches: true,
			Why:        "A rule that is enabled and sends nothing to dera looks as if it worked.",
			Fix:        "A person deploys again what dera pattern prints.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "a rule whose name begins with dera- has no target, or dera-root or dera-ledger is in the state that leaves out calls that only read", Disposition: dera.Alert, Because: "where it led to, and by which role, is in the template and not in the account"},
			},
			Refs: refs(), Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Fails: func(r *Rule, _ control.Settings) (string, bool) {
			switch {
			case r.Targets != nil && len(r.Targets) == 0:
				return "The rule " + r.ID + " has no target.", true
			case r.Enabled != nil && *r.Enabled && r.long() && !r.Calls:
				return "The rule " + r.ID + " leaves out calls that only read.", true
			}
			return "", r.Targets != nil && r.Enabled != nil
		},
	})
}
