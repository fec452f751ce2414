package analyzer

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// None finds regions without an analyzer of external access.
func None() control.Control {
	return control.OnSetting(Type(), control.SettingSpec[External]{
		Path: "made",
		Applies: func(e *External) string {
			if len(e.Others) > 0 {
				return "another analyzer is there"
			}
			return ""
		},
		Meta: control.Meta{
			ID: "accessanalyzer-analyzer-none", Title: "No analyzer of external access in a region", Severity: dera.High, Watches: true,
			Why:        "Without an analyzer AWS does not tell who from outside may use a role, a bucket, a key or a queue of the region.",
			Fix:        "An analyzer of the account, " + Own + ", is made. The undo deletes it and no other. In an account where Access Analyzer never ran, its service-linked role is missing, and the call is denied: a person makes the first analyzer there.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "the account has no active analyzer of external access in the region", Disposition: dera.Review, Because: "an organization's analyzer in another account may look at it already, and the write is tested against AWS's model alone"},
			},
			Refs: refs("1.19", "IAM.28"), Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Start: func(*External, control.Settings) (dera.Disposition, string) {
			return dera.Review, "An analyzer of the organization in another account is not seen from here."
		},
	})
}
