package image

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/sharing"
)

// Public finds images that every account of AWS can launch.
func Public() control.Control {
	return Kind().Public(sharing.Rule{
		Start: dera.Review, Why: "Who launches it, no log of this account shows: a person decides whether it is published on purpose.",
		Meta: control.Meta{
			ID: "ec2-image-public", Title: "Machine image is shared with everybody", Severity: dera.Critical,
			Why:        "Anybody with an AWS account launches the image and reads all that is on its disks: credentials, keys and code that were left there.",
			Fix:        "The group all is taken out of the launch permissions. Accounts, organisations and units that they name keep theirs. Instances that run stay; the next launch in another account fails.",
			Complexity: "medium",
			Cases: []control.Case{
				{When: "everybody may launch it", Disposition: dera.Review, Because: "vendors publish images on purpose, and whoever launches one elsewhere fails only at the next launch; an exemption says that it is meant"},
			},
			Refs: []control.Ref{
				{Standard: "Prowler", ID: "ec2_ami_public", URL: "https://hub.prowler.com/check/ec2_ami_public"},
				{Standard: "Amazon EC2", ID: "Shared AMIs", URL: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharingamis-intro.html"},
			},
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
	})
}
