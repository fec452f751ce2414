package detector

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// Missing finds regions without a detector.
func Missing() control.Control {
	return control.OnFact(Type(), control.FactSpec[Detector]{
		Key: "detector",
		Meta: control.Meta{
			ID: "guardduty-detector-missing", Title: "GuardDuty is not enabled in a region", Severity: dera.High, Watches: true, ByHand: true,
			Why:        "Nothing looks at what is done in the region. A detector that was deleted took its findings, filters and lists with it.",
			Fix:        "A person enables GuardDuty, in an organization as its administrator, for all regions.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "the region has no detector", Disposition: dera.Review, Because: "GuardDuty costs by what it looks at, and in an organization its administrator enables it"},
			},
			Refs: refs("GuardDuty.1"), Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Fails: func(d *Detector, _ control.Settings) (string, bool) {
			if d.ID == "" {
				return "GuardDuty has no detector in " + d.Region + ".", true
			}
			return "", true
		},
	})
}
