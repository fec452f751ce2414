package recorder

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// Missing finds regions without a recorder.
func Missing() control.Control {
	return control.OnFact(Type(), control.FactSpec[Recorder]{
		Key: "recorder",
		Meta: control.Meta{
			ID: "config-recorder-missing", Title: "AWS Config has no recorder in a region", Severity: dera.Medium, Watches: true,
			Why:        "Nothing records how resources of the region were configured, and no rule of AWS Config sees them. A recorder that was deleted leaves its history behind, and nothing new is added.",
			Fix:        "A person makes a recorder and a delivery channel, or says that the region needs none.",
			Complexity: "medium",
			Cases: []control.Case{
				{When: "there is no recorder of the customer's own", Disposition: dera.Alert, Because: "a recorder costs for each change of each resource, and needs a role and a bucket"},
			},
			Refs: refs(), Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Fails: func(r *Recorder, _ control.Settings) (string, bool) {
			if r.Name == "" {
				return "AWS Config has no recorder in " + r.Region + ".", true
			}
			return "", true
		},
	})
}
