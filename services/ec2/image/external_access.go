package image

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/sharing"
)

// ExternalAccess finds images that may be launched by accounts, organisations and units that
// nobody declared.
func ExternalAccess() control.Control {
	return Kind().External(sharing.Rule{
		Start: dera.Review, Why: "Whose that is, only the owner of the image knows: declare it in trusted_accounts, or approve.",
		Meta: control.Meta{
			ID: "ec2-image-external-access", Title: "Machine image is shared with somebody who is not declared", Severity: dera.High,
			Why:        "Whoever holds that account launches the image and reads all that is on its disks.",
			Fix:        "The undeclared accounts, organisations and units are taken out of the launch permissions, and no other. Instances that run stay; the next launch there fails.",
			Complexity: "medium",
			Cases: []control.Case{
				{When: "the launch permissions name an account, an organisation or a unit of one that is neither among accounts nor the organization nor in trusted_accounts nor a known vendor's", Disposition: dera.Review, Because: "it may be a customer or another part of the company, whose next scale-out fails"},
			},
			Refs: []control.Ref{
				{Standard: "Amazon EC2", ID: "Shared AMIs", URL: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharingamis-explicit.html"},
			},
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
	})
}
