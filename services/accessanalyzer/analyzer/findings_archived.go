package analyzer

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
)

// FindingsArchived finds archive rules, which hide findings as they come.
func FindingsArchived() control.Control {
	return control.OnFact(Type(), control.FactSpec[External]{
		Key: "archive-rules",
		Meta: control.Meta{
			ID: "accessanalyzer-analyzer-findings-archived", Title: "Archive rule hides findings of Access Analyzer", Severity: dera.Medium, Watches: true,
			Why:        "A rule archives what it fits as soon as it is found, without an end and without a reason. That is all it takes to keep access unseen.",
			Fix:        "A person looks at the rule and at what it archived, and deletes it where it was not meant.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "an analyzer of external access has an archive rule", Disposition: dera.Alert, Because: "most are meant, and what they archive does not come back by deleting them"},
			},
			Refs: refs("", ""), Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Fails: func(e *External, _ control.Settings) (string, bool) {
			if len(e.Rules) > 0 {
				return "Findings are archived by " + strings.Join(e.Rules, ", ") + ".", true
			}
			return "", e.Rules != nil
		},
	})
}
