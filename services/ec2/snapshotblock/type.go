// Package snapshotblock is the block of public access to EBS snapshots in a region of an
// account: its state, events and controls.
package snapshotblock

import (
	"dera.example/dera/control"
	"dera.example/dera/control/regional"
	"dera.example/dera/resource"
)

// Name is the type name.
const Name = "AWS::EC2::SnapshotBlockPublicAccess"

// The writes, by their IAM actions.
const (
	Enable  = "ec2:EnableSnapshotBlockPublicAccess"
	Disable = "ec2:DisableSnapshotBlockPublicAccess"
)

// The states, the least secure first.
const (
	Unblocked = "unblocked"
	BlockNew  = "block-new-sharing"
	BlockAll  = "block-all-sharing"
)

// Kind is the block.
//
// https://docs.aws.amazon.com/ebs/latest/userguide/block-public-access-snapshots.html
func Kind() regional.Kind {
	return regional.Kind{
		Name: Name, Service: "ec2", Slug: "snapshot-block-public-access", Label: "EBS snapshots", Says: "the block of public access to EBS snapshots",
		Reads: []string{"ec2:GetSnapshotBlockPublicAccessState"}, Uses: []string{"ec2:DescribeSnapshots"},
		Set: Enable, Unset: Disable, DryRun: true, Order: []string{Unblocked, BlockNew, BlockAll}, Terraform: "aws_ebs_snapshot_block_public_access.state",
		Source: "ec2.amazonaws.com", Calls: []string{"EnableSnapshotBlockPublicAccess", "DisableSnapshotBlockPublicAccess"},
		Denies: []resource.Bounds{
			{Actions: []string{"ec2:ModifySnapshotAttribute", "ec2:ResetSnapshotAttribute"}, Error: true, Why: "no snapshot may be shared with everybody any more"},
			{Actions: []string{"ec2:CopySnapshot", "ec2:CreateVolume", "ec2:DescribeSnapshot*", "ec2:RunInstances", "ebs:*"}, Foreign: true, Error: true, Why: "snapshots that are shared with everybody are treated as private"},
		},
		Note: "Snapshots that are shared with everybody are treated as private while all sharing is blocked; they are public again when it is not. Sharing with accounts stays as it is.",
	}
}

// Type is the block: one resource for each account and region.
func Type() resource.Type { return Kind().Type() }

// Controls are the controls on the block.
func Controls() []control.Control { return []control.Control{Off()} }
