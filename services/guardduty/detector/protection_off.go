package detector

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource/evidence"
)

// ProtectionOff finds protection plans that are off.
func ProtectionOff() control.Control {
	meta := control.Meta{
		ID: "guardduty-detector-protection-off", Title: "GuardDuty protection plan is disabled", Type: Name, Severity: dera.High, Watches: true,
		Why:        "Without its protection plan GuardDuty does not look at objects of S3, logs of EKS, volumes, logins to RDS or connections of Lambda.",
		Fix:        "The protection plans that are off are enabled. All others stay as they are, and so does the detector.",
		Complexity: "low",
		Cases: []control.Case{
			{When: "a protection plan for S3, EKS audit logs, malware on EBS, RDS logins or Lambda is disabled", Disposition: dera.Review, Because: "each costs by what it looks at"},
			{When: "the same, and another account administers GuardDuty, or that is not known", Disposition: dera.Review, Because: "only the administrator may change it; no plan is made"},
		},
		Refs:  refs("GuardDuty.5, GuardDuty.6, GuardDuty.8, GuardDuty.9, GuardDuty.10"),
		Reads: Type().Reads(), Writes: []string{Update},
		Owner: "dera maintainers", ReviewBy: "2027-11-01",
	}
	return control.Define(control.Spec[*Detector]{
		Meta: meta,
		Check: func(d *Detector, _ control.Settings) control.Result {
			switch {
			case d.idle() != "":
				return control.Result{Outcome: control.NotApplicable}
			case d.Enabled == nil:
				return control.Result{Outcome: control.UnknownResult, Why: "the detector could not be read"}
			}
			r := control.Result{Outcome: control.Pass, Whole: true}
			for _, name := range plans() {
				if d.Features[name] == "DISABLED" { // one that is not told is not there in the region
					r.Outcome = control.Fail
					r.Failures = append(r.Failures, control.Failure{Key: "features." + name, Start: dera.Review, Severity: meta.Severity, Title: meta.Title, Why: "The protection plan " + name + " is disabled."})
				}
			}
			return r
		},
		Plan: func(d *Detector, failures []control.Failure, _ control.Settings) (changes []dera.Change, _ *control.Refusal) {
			if refusal := d.refusal(); refusal != nil {
				return nil, refusal
			}
			for _, f := range failures {
				change, err := Type().Set(d, f.Key, "ENABLED")
				if err != nil {
					return nil, &control.Refusal{Code: "cannot-plan", Why: err.Error()}
				}
				changes = append(changes, change)
			}
			return changes, nil
		},
		Prove: func(d *Detector, failures []control.Failure, changes []dera.Change, _ control.Settings) (dera.Evidence, error) {
			wanted := map[string]any{}
			for _, f := range failures {
				wanted[f.Key] = "ENABLED"
			}
			return evidence.ProveSettings(Type(), d, changes, wanted)
		},
	})
}
