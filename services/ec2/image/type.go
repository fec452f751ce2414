// Package image is machine images (AMIs) that an account owns: with whom they are shared,
// events and controls.
package image

import (
	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/control/sharing"
	"dera.example/dera/resource"
)

// Name is the type name. CloudFormation has no such type; this one is in the form of those
// that it has.
const Name = "AWS::EC2::Image"

// Modify is the write of the launch permissions, by its IAM action.
const Modify = "ec2:ModifyImageAttribute"

// Kind is machine images. AWS gives their ARNs no account.
//
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharing-amis.html
func Kind() sharing.Kind {
	return sharing.Kind{
		Name: Name,
		ARN: func(partition, _, region, id string) dera.ARN {
			return dera.NewARN(partition, "ec2", region, "", "image/"+id)
		},
		SampleIDs: []string{"ami-0123456789abcdef0", "ami-1234abcd", "ami-fedcba98765432100"},
		Events:    Events(),
		Reads:     []string{"ec2:DescribeImageAttribute", "ec2:DescribeImages"},
		Modify:    Modify, DryRun: true,
		Uses: []string{"ec2:RunInstances", "ec2:CreateFleet", "ec2:RequestSpotInstances", "ec2:CopyImage", "ec2:DescribeImage*", "autoscaling:CreateLaunchConfiguration"},
		Note: "Instances that run stay. In another account the next launch fails, at a scale-out or a repair, which can be weeks later, and no log of this account shows it. While a block of public access holds, AWS refuses to share it with everybody again: also a rollback.",
	}
}

// Type is machine images.
func Type() resource.Type { return Kind().Type() }

// Events are the calls after which an image may be shared otherwise. A new one is nobody
// else's, also where it is a copy.
func Events() cloudtrail.Events {
	return cloudtrail.Events{Type: Name, Calls: cloudtrail.Calls("ec2.amazonaws.com", cloudtrail.Naming(Name, "imageId"),
		"ModifyImageAttribute", "ResetImageAttribute", "CancelImageLaunchPermission", "DeregisterImage", "DisableImage", "EnableImage", "RestoreImageFromRecycleBin")}
}

// Controls are the controls on machine images.
func Controls() []control.Control { return []control.Control{Public(), ExternalAccess()} }
