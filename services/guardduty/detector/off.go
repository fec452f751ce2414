package detector

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// Off finds detectors that are suspended.
func Off() control.Control {
	return control.OnSetting(Type(), control.SettingSpec[Detector]{
		Path: Enabled, Applies: (*Detector).absent,
		Meta: control.Meta{
			ID: "guardduty-detector-off", Title: "GuardDuty is suspended", Severity: dera.Critical, Watches: true,
			Why:        "A detector that is suspended finds nothing, and looks in a list of detectors like one that works.",
			Fix:        "The detector is enabled. Its protection plans, filters and lists stay as they are.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "the detector is suspended, and no other account administers GuardDuty of this one", Disposition: dera.Auto, Because: "a detector only reads, and what it found before it was suspended is still there"},
				{When: "the detector is suspended, and another account administers it, or that is not known", Disposition: dera.Review, Because: "only the administrator may change it; no plan is made"},
			},
			Refs: refs("GuardDuty.1"), Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Refuse: (*Detector).refusal,
	})
}
