package detector

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// SlowPublishing finds detectors that publish what they find again only after hours.
func SlowPublishing() control.Control {
	return control.OnSetting(Type(), control.SettingSpec[Detector]{
		Path: Frequency, Applies: (*Detector).idle,
		Meta: control.Meta{
			ID: "guardduty-detector-slow-publishing", Title: "GuardDuty publishes updated findings late", Severity: dera.Low, Watches: true,
			Why:        "A finding that comes up again is published after six hours by default; whoever waits for it by EventBridge acts six hours later.",
			Fix:        "Findings that come up again are published after 15 minutes.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "updated findings are published after one or six hours", Disposition: dera.Review, Because: "what takes the findings in gets more of them"},
				{When: "the same, and another account administers GuardDuty, or that is not known", Disposition: dera.Review, Because: "only the administrator may change it; no plan is made"},
			},
			Refs: refs("GuardDuty.1"), Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Start: func(*Detector, control.Settings) (dera.Disposition, string) {
			return dera.Review, "New findings are published within five minutes whatever it says."
		},
		Refuse: (*Detector).refusal,
	})
}
