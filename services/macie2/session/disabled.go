package session

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// Disabled finds regions in which Macie is not enabled.
func Disabled() control.Control {
	return control.OnFact(Type(), control.FactSpec[Session]{
		Key: "macie",
		Meta: control.Meta{
			ID: "macie2-session-disabled", Title: "Macie is not enabled in a region", Severity: dera.Medium, Watches: true,
			Why:        "Nobody knows which buckets hold personal data or secrets. Whoever disables Macie deletes its settings and findings.",
			Fix:        "A person enables Macie, in an organization as its administrator, or says that the region needs none.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "Macie is not enabled", Disposition: dera.Alert, Because: "it costs by bucket and by what it looks at"},
			},
			Refs: refs(), Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Fails: func(s *Session, _ control.Settings) (string, bool) {
			if s.Status != nil && *s.Status == Off {
				return "Macie is not enabled in " + s.Region + ".", true
			}
			return "", s.Status != nil
		},
	})
}
