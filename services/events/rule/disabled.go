package rule

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// Disabled finds rules that bring dera no events since they are off.
func Disabled() control.Control {
	return control.OnSetting(Type(), control.SettingSpec[Rule]{
		Path: "enabled",
		Meta: control.Meta{
			ID: "events-rule-disabled", Title: "EventBridge rule that brings dera its events is disabled", Severity: dera.High, Watches: true,
			Why:        "Without events dera finds a change only at the next sweep, up to a day later. To switch off the rule is to be unseen for so long.",
			Fix:        "The rule is enabled. Its pattern and its targets stay as they are.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "a rule whose name begins with dera- is disabled, it takes calls or changes of configurations, and all of its targets are queues or event buses", Disposition: dera.Auto, Because: "it sends events to dera and does nothing else"},
				{When: "the same, and it takes other events, runs by a schedule, has another target or none, or its targets could not be read", Disposition: dera.Review, Because: "it may be a rule of somebody else with such a name, which would start again what was switched off"},
				{When: "it is dera-root or dera-ledger", Disposition: dera.Review, Because: "to enable it would leave out calls that only read, which it is there for; no plan is made, and it is deployed again"},
			},
			Refs: refs(), Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Start: func(r *Rule, _ control.Settings) (dera.Disposition, string) {
			if !r.brings() {
				return dera.Review, "It is not known to send events to a queue or an event bus alone: it may be somebody else's."
			}
			return dera.Auto, ""
		},
		Refuse: func(r *Rule) *control.Refusal {
			if r.long() {
				return &control.Refusal{Code: "longer-state", Why: "only what dera pattern prints brings back the state in which calls that only read come too"}
			}
			return nil
		},
	})
}
