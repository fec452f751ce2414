package account

import (
	"maps"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
)

// Off finds regions in which Inspector does not scan instances, images or functions.
func Off() control.Control {
	return control.OnFact(Type(), control.FactSpec[Account]{
		Key: "scans",
		Meta: control.Meta{
			ID: "inspector2-account-off", Title: "Inspector does not scan", Severity: dera.High, Watches: true, ByHand: true,
			Why:        "Vulnerabilities of instances, images and functions are not found. Whoever disables Inspector deletes what it found.",
			Fix:        "A person enables the scans, in an organization as its administrator.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "scans of instances, images or functions are not enabled", Disposition: dera.Review, Because: "they cost by instance, image and function, and in an organization the administrator decides"},
			},
			Refs: []control.Ref{
				{Standard: "Security Hub", ID: "Inspector.1, Inspector.2, Inspector.4", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/inspector-controls.html"},
				{Standard: "MITRE ATT&CK", ID: "T1562.001", URL: "https://attack.mitre.org/techniques/T1562/001/"},
			},
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Fails: func(a *Account, _ control.Settings) (string, bool) {
			var off []string
			for _, what := range slices.Sorted(maps.Keys(a.Scans)) {
				if s := a.Scans[what]; s != "ENABLED" && s != "ENABLING" {
					off = append(off, what+" ("+strings.ToLower(s)+")")
				}
			}
			if len(off) > 0 {
				return "In " + a.Region + " Inspector does not scan " + strings.Join(off, ", ") + ".", true
			}
			return "", len(a.Scans) > 0
		},
	})
}
