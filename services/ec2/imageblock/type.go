// Package imageblock is the block of public access to machine images in a region of an
// account: its state, events and controls.
package imageblock

import (
	"dera.example/dera/control"
	"dera.example/dera/control/regional"
	"dera.example/dera/resource"
)

// Name is the type name. CloudFormation has no such type; this one is in the form of those
// that it has.
const Name = "AWS::EC2::ImageBlockPublicAccess"

// The writes, by their IAM actions.
const (
	Enable  = "ec2:EnableImageBlockPublicAccess"
	Disable = "ec2:DisableImageBlockPublicAccess"
)

// The states, the least secure first.
const (
	Unblocked = "unblocked"
	BlockNew  = "block-new-sharing"
)

// Kind is the block.
//
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-public-access-to-amis.html
func Kind() regional.Kind {
	return regional.Kind{
		Name: Name, Service: "ec2", Slug: "image-block-public-access", Label: "machine images", Says: "the block of public access to machine images",
		Reads: []string{"ec2:GetImageBlockPublicAccessState"}, Uses: []string{"ec2:DescribeImages"},
		Set: Enable, Unset: Disable, DryRun: true, Order: []string{Unblocked, BlockNew}, Terraform: "aws_ec2_image_block_public_access.state",
		Source: "ec2.amazonaws.com", Calls: []string{"EnableImageBlockPublicAccess", "DisableImageBlockPublicAccess"},
		Denies: []resource.Bounds{{Actions: []string{"ec2:ModifyImageAttribute"}, Error: true, Why: "no image may be shared with everybody any more"}},
		Note:   "Images that are public stay public. AWS takes up to ten minutes, in which the old state is read: a remediation that has ended as failed by then becomes collateral when the change shows, and can be rolled back.",
	}
}

// Type is the block: one resource for each account and region.
func Type() resource.Type { return Kind().Type() }

// Controls are the controls on the block.
func Controls() []control.Control { return []control.Control{Off()} }
