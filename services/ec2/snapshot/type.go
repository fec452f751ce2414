// Package snapshot is EBS snapshots that an account owns: with whom they are shared, events
// and controls.
package snapshot

import (
	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/control/sharing"
	"dera.example/dera/resource"
)

// Name is the type name. CloudFormation has no such type; this one is Security Hub's and
// IAM Access Analyzer's.
const Name = "AWS::EC2::Snapshot"

// Modify is the write of the list, by its IAM action.
const Modify = "ec2:ModifySnapshotAttribute"

// Kind is EBS snapshots. AWS gives their ARNs no account.
//
// https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html
func Kind() sharing.Kind {
	return sharing.Kind{
		Name: Name,
		ARN: func(partition, _, region, id string) dera.ARN {
			return dera.NewARN(partition, "ec2", region, "", "snapshot/"+id)
		},
		SampleIDs: []string{"snap-0123456789abcdef0", "snap-1234abcd", "snap-fedcba98765432100"},
		Events:    Events(),
		Reads:     []string{"ec2:DescribeSnapshotAttribute", "ec2:DescribeSnapshots", "kms:DescribeKey"},
		Modify:    Modify, DryRun: true,
		Uses: []string{"ec2:CopySnapshot", "ec2:CreateVolume", "ec2:DescribeSnapshot*", "ec2:RegisterImage", "ec2:RunInstances", "ebs:ListSnapshotBlocks", "ebs:ListChangedBlocks", "ebs:GetSnapshotBlock"},
		Note: "Volumes that others made of the snapshot and copies that they took of it stay theirs. While a block of public access holds, AWS refuses to share it with everybody again: also a rollback.",
	}
}

// Type is EBS snapshots.
func Type() resource.Type { return Kind().Type() }

// Events are the calls after which a snapshot may be shared otherwise, and what Access
// Analyzer finds. A new one is nobody else's, also where it is a copy.
func Events() cloudtrail.Events {
	return cloudtrail.Events{Type: Name, Calls: cloudtrail.Calls("ec2.amazonaws.com", cloudtrail.Naming(Name, "snapshotId"),
		"ModifySnapshotAttribute", "ResetSnapshotAttribute", "DeleteSnapshot", "RestoreSnapshotFromRecycleBin"),
		Analyzed: func(r cloudtrail.Record, id string) []dera.Scope { return r.Scopes(Name, []string{id}) }}
}

// Controls are the controls on EBS snapshots.
func Controls() []control.Control { return []control.Control{Public(), ExternalAccess()} }
