package document

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/sharing"
)

// Public finds documents that every account of AWS can read and run.
func Public() control.Control {
	return Kind().Public(sharing.Rule{
		Start: dera.Auto, Why: "Copies that others took of it stay theirs.",
		Meta: control.Meta{
			ID: "ssm-document-public", Title: "SSM document is shared with everybody", Severity: dera.Critical,
			Why: "Anybody with an AWS account reads the document: names of hosts, paths and parameters that are written into it, and how the account is run.",
			Fix: "The document is not shared with everybody any more.",
			Cases: []control.Case{
				{When: "everybody may use it", Disposition: dera.Auto, Because: "it is meant for everybody only where somebody says so, by an exemption; the fix is undone by one call, with the version that was shared"},
				{When: "its list names accounts beside everybody", Disposition: dera.Review, Because: "what a change of the one does to the others is not documented; no plan is made"},
			},
			Refs: []control.Ref{
				{Standard: "Security Hub", ID: "SSM.4", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/ssm-controls.html"},
				{Standard: "AWS Config", ID: "SSM_DOCUMENT_NOT_PUBLIC", URL: "https://docs.aws.amazon.com/config/latest/developerguide/ssm-document-not-public.html"},
			},
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
	})
}
