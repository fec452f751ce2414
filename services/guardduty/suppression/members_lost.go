package suppression

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
)

// MembersLost finds members at which the administrator does not look any more.
func MembersLost() control.Control {
	return control.OnFact(Type(), control.FactSpec[Suppression]{
		Key: "members", Applies: (*Suppression).absent,
		Meta: control.Meta{
			ID: "guardduty-suppression-members-lost", Title: "GuardDuty lost a member", Severity: dera.High, Watches: true,
			Why:        "The findings of the member do not reach its administrator, and nobody there may see them.",
			Fix:        "A person adds the member again, or has it deleted from the list where it was meant to leave.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "a member of the detector is removed, has resigned or is not monitored", Disposition: dera.Alert, Because: "whether an account was meant to leave is known to the organization alone"},
			},
			Refs: refs(), Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Fails: func(s *Suppression, _ control.Settings) (string, bool) {
			if len(s.Lost) > 0 {
				return "GuardDuty does not look at these members: " + strings.Join(s.Lost, ", ") + ".", true
			}
			return "", s.Lost != nil
		},
	})
}
