package snapshot

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/sharing"
)

// ExternalAccess finds snapshots that are shared with accounts that nobody declared.
func ExternalAccess() control.Control {
	return Kind().External(sharing.Rule{
		Start: dera.Review, Why: "Whose account that is, only the owner of the snapshot knows: declare it in trusted_accounts, or approve.",
		Meta: control.Meta{
			ID: "ec2-snapshot-external-access", Title: "EBS snapshot is shared with an account that is not declared", Severity: dera.High,
			Why: "Whoever holds that account copies the disk, and keeps the copy whatever is done here later: sharing a snapshot is how disks are stolen.",
			Fix: "The undeclared accounts are taken out of the snapshot's list, and no other. Copies that they took are not reached.",
			Cases: []control.Case{
				{When: "the list names an account that is neither among accounts nor in trusted_accounts nor a known vendor's", Disposition: dera.Review, Because: "it may be a backup vendor's or that of a recovery site, and fails only when it restores"},
			},
			Refs: []control.Ref{
				{Standard: "IAM Access Analyzer", ID: "external access", URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-resources.html"},
			},
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
	})
}
