package metadatadefaults

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/regional"
)

// IMDSv1Allowed finds regions in which new instances answer IMDSv1 unless a launch says
// otherwise.
func IMDSv1Allowed() control.Control {
	return Kind().Control(control.Meta{
		ID: "ec2-metadatadefaults-imdsv1-allowed", Title: "New instances do not require IMDSv2 by default", Severity: dera.High,
		Why:        "With IMDSv1 a program that can be made to fetch an address gives the credentials of the instance's role away.",
		Fix:        "IMDSv2 is required of new instances that do not say otherwise. The other defaults, and instances that run, stay as they are.",
		Complexity: "medium",
		Cases: []control.Case{
			{When: "IMDSv2 is not required by default", Disposition: dera.Review, Because: "the metric MetadataNoToken of the region's instances, which would show who uses IMDSv1, is not read; and the write is tested against AWS's model only"},
			{When: "a declarative policy of the organisation sets it", Disposition: dera.Review, Because: "the account cannot change it; no plan is made"},
		},
		Refs: []control.Ref{
			{Standard: "Prowler", ID: "ec2_instance_account_imdsv2_enabled", URL: "https://hub.prowler.com/check/ec2_instance_account_imdsv2_enabled"},
			{Standard: "Amazon EC2", ID: "IMDS defaults", URL: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-IMDS-new-instances.html"},
		},
		Owner: "dera maintainers", ReviewBy: "2027-11-01",
	}, regional.Always(dera.Review, "Whether instances use IMDSv1 (metric MetadataNoToken) is not read: the next launch of an old image would have no credentials."))
}
