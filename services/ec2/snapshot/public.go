package snapshot

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/sharing"
)

// Public finds snapshots that every account of AWS can restore.
func Public() control.Control {
	return Kind().Public(sharing.Rule{
		Start: dera.Auto, Why: "Volumes and copies that others made of it stay theirs.",
		Meta: control.Meta{
			ID: "ec2-snapshot-public", Title: "EBS snapshot is shared with everybody", Severity: dera.Critical,
			Why: "Anybody with an AWS account makes a volume of the snapshot and reads all that was on the disk. Public snapshots are searched for credentials as they appear.",
			Fix: "The group all is taken out of the snapshot's list. Accounts that the list names keep their access, and copies that others took are not reached.",
			Cases: []control.Case{
				{When: "everybody is in the list", Disposition: dera.Auto, Because: "an encrypted disk cannot be shared so, and one that is meant for everybody is declared by an exemption; the fix is undone by one call"},
			},
			Refs: []control.Ref{
				{Standard: "Security Hub", ID: "EC2.1", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html"},
				{Standard: "AWS Config", ID: "EBS_SNAPSHOT_PUBLIC_RESTORABLE_CHECK", URL: "https://docs.aws.amazon.com/config/latest/developerguide/ebs-snapshot-public-restorable-check.html"},
			},
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
	})
}
