package document

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/sharing"
)

// ExternalAccess finds documents that are shared with accounts that nobody declared.
func ExternalAccess() control.Control {
	return Kind().External(sharing.Rule{
		Start: dera.Review, Why: "Whose account that is, only the owner of the document knows: declare it in trusted_accounts, or approve.",
		Meta: control.Meta{
			ID: "ssm-document-external-access", Title: "SSM document is shared with an account that is not declared", Severity: dera.Medium,
			Why: "Whoever holds that account reads how this one is run, and whoever changes the document here runs commands there.",
			Fix: "The undeclared accounts are taken out of the document's list, and no other.",
			Cases: []control.Case{
				{When: "the list names an account that is neither among accounts nor in trusted_accounts nor a known vendor's", Disposition: dera.Review, Because: "automations there that run the document fail at their next run"},
			},
			Refs:  []control.Ref{{Standard: "Systems Manager", ID: "Sharing SSM documents", URL: "https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-ssm-sharing.html"}},
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
	})
}
