package hub

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// Off finds regions in which Security Hub is not enabled.
func Off() control.Control {
	return control.OnFact(Type(), control.FactSpec[Hub]{
		Key: "hub",
		Meta: control.Meta{
			ID: "securityhub-hub-off", Title: "Security Hub is not enabled in a region", Severity: dera.High, Watches: true, ByHand: true,
			Why:        "What GuardDuty, Inspector, Macie and others find is not brought together, and no standard is checked. Whoever disables it deletes its findings after 90 days.",
			Fix:        "A person enables Security Hub, without the default standards, and subscribes to the standards that there were; in an organization its administrator does.",
			Complexity: "medium",
			Cases: []control.Case{
				{When: "Security Hub is not enabled", Disposition: dera.Review, Because: "it costs by check, and to disable it again would delete what was set up meanwhile: there is no undo to trust"},
			},
			Refs: []control.Ref{
				{Standard: "CIS AWS Foundations 5.0.0", ID: "4.16", URL: "https://www.cisecurity.org/benchmark/amazon_web_services"},
				{Standard: "MITRE ATT&CK", ID: "T1562.001", URL: "https://attack.mitre.org/techniques/T1562/001/"},
			},
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Fails: func(h *Hub, _ control.Settings) (string, bool) {
			if h.Enabled != nil && !*h.Enabled {
				return "Security Hub is not enabled in " + h.Region + ".", true
			}
			return "", h.Enabled != nil
		},
	})
}
