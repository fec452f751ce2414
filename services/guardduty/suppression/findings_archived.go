package suppression

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
)

// FindingsArchived finds filters that archive findings.
func FindingsArchived() control.Control {
	return control.OnFact(Type(), control.FactSpec[Suppression]{
		Key: "filters", Applies: (*Suppression).absent,
		Meta: control.Meta{
			ID: "guardduty-suppression-findings-archived", Title: "Filter archives findings of GuardDuty", Severity: dera.High, Watches: true,
			Why:        "A filter archives what it fits as soon as it is found: nothing is published, and nobody hears of it. It is the quietest way to switch GuardDuty off.",
			Fix:        "A person looks at each filter and at what it archived, and deletes it where it was not meant.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "a filter of the detector archives findings", Disposition: dera.Alert, Because: "most are meant, and which are is not seen from here"},
			},
			Refs: refs(), Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Fails: func(s *Suppression, _ control.Settings) (string, bool) {
			if len(s.Filters) > 0 {
				return "These filters archive findings: " + strings.Join(s.Filters, ", ") + ".", true
			}
			return "", s.Filters != nil
		},
	})
}
