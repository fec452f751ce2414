package recorder

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
)

// Narrowed finds recorders that record some resource types alone.
func Narrowed() control.Control {
	return control.OnFact(Type(), control.FactSpec[Recorder]{
		Key: "types", Applies: func(r *Recorder, _ control.Settings) string { return r.absent() },
		Meta: control.Meta{
			ID: "config-recorder-narrowed", Title: "AWS Config recorder leaves out resource types", Severity: dera.Medium, Watches: true, ByHand: true,
			Why:        "What is not recorded can be changed without a trace in AWS Config, and its rules do not run.",
			Fix:        "A person puts the recording group back that there was, or has the recorder record all supported types. The call replaces all of the recorder, so that its role and its frequency have to be in it.",
			Complexity: "medium",
			Cases: []control.Case{
				{When: "the recorder records a list of types, or all but some", Disposition: dera.Review, Because: "more types cost more, and some are left out on purpose"},
			},
			Refs: refs(), Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Fails: func(r *Recorder, _ control.Settings) (string, bool) {
			switch {
			case len(r.Excluded) > 0:
				return "The recorder leaves out " + strings.Join(r.Excluded, ", ") + ".", true
			case r.All != nil && !*r.All && len(r.Types) == 0:
				return "The recorder records no resource type.", true
			case r.All != nil && !*r.All:
				return "The recorder records " + strings.Join(r.Types, ", ") + " alone.", true
			}
			return "", r.All != nil
		},
	})
}
