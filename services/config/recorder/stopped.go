package recorder

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// Stopped finds recorders that were stopped.
func Stopped() control.Control {
	return control.OnSetting(Type(), control.SettingSpec[Recorder]{
		Path: "recording", Applies: (*Recorder).absent,
		Meta: control.Meta{
			ID: "config-recorder-stopped", Title: "AWS Config recorder is stopped", Severity: dera.Critical, Watches: true,
			Why:        "A recorder that is stopped sees no change, and every rule of AWS Config and Security Hub that goes by it stays as green as it was.",
			Fix:        "The recorder is started. What it records, its role and its delivery channel stay as they are.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "the recorder is stopped, and there is a delivery channel", Disposition: dera.Auto, Because: "recording denies nobody anything"},
				{When: "the recorder is stopped, and there is no delivery channel, or that is not known", Disposition: dera.Review, Because: "AWS Config starts no recorder without one; no plan is made"},
			},
			Refs: refs(), Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Refuse: func(r *Recorder) *control.Refusal {
			if r.Channel == nil || !*r.Channel {
				return &control.Refusal{Code: "no-channel", Why: "a recorder starts with a delivery channel, and there is not known to be one"}
			}
			return nil
		},
	})
}
