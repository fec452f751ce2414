package suppression

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
)

// TrustedAddresses finds lists of addresses of which GuardDuty finds nothing.
func TrustedAddresses() control.Control {
	return control.OnFact(Type(), control.FactSpec[Suppression]{
		Key: "trusted-lists", Applies: (*Suppression).absent,
		Meta: control.Meta{
			ID: "guardduty-suppression-trusted-addresses", Title: "GuardDuty ignores a list of trusted addresses", Severity: dera.High, Watches: true,
			Why:        "Of an address on a trusted list GuardDuty finds nothing at all. Whoever adds his own is not seen.",
			Fix:        "A person looks at the addresses of each list, and deactivates it where it was not meant.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "a trusted list is active", Disposition: dera.Alert, Because: "most are the customer's own addresses, and which are is not seen from here"},
			},
			Refs: refs(), Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Fails: func(s *Suppression, _ control.Settings) (string, bool) {
			if len(s.Lists) > 0 {
				return "These lists of trusted addresses are active: " + strings.Join(s.Lists, ", ") + ".", true
			}
			return "", s.Lists != nil
		},
	})
}
