// Package metadatadefaults is the defaults of the instance metadata service for new EC2
// instances in a region of an account: their state, events and controls.
package metadatadefaults

import (
	"dera.example/dera/control"
	"dera.example/dera/control/regional"
	"dera.example/dera/resource"
)

// Name is the type name. CloudFormation has no such type; this one is in the form of those
// that it has.
const Name = "AWS::EC2::InstanceMetadataDefaults"

// Modify is the write, by its IAM action.
const Modify = "ec2:ModifyInstanceMetadataDefaults"

// The states: whether IMDSv2 is required of new instances. Without a default the image
// decides, and for most of them IMDSv1 answers too.
const (
	Optional     = "optional"
	NoPreference = "no-preference"
	Required     = "required"
)

// Kind is the defaults. Others are the other defaults, which the same call could set: one
// that a request leaves out stays as it is, and no-preference clears one.
//
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataDefaults.html
func Kind() regional.Kind {
	return regional.Kind{
		Name: Name, Service: "ec2", Slug: "instance-metadata-defaults", Label: "instance metadata", Says: "whether new instances require IMDSv2",
		Reads: []string{"ec2:GetInstanceMetadataDefaults"},
		Set:   Modify, DryRun: true, Order: []string{Optional, NoPreference, Required}, Terraform: "aws_ec2_instance_metadata_defaults.http_tokens",
		Source: "ec2.amazonaws.com", Calls: []string{"ModifyInstanceMetadataDefaults"},
		// It denies no call: a program that knows IMDSv1 alone gets no credentials, and no record
		// shows it.
		Note: "It holds for instances that are launched from now on and do not say otherwise; those that run stay as they are. What knows IMDSv1 alone has no credentials on the next one, at a scale-out or a repair, which can be weeks later.",
	}
}

// Type is the defaults: one resource for each account and region.
func Type() resource.Type { return Kind().Type() }

// Controls are the controls on the defaults.
func Controls() []control.Control { return []control.Control{IMDSv1Allowed()} }
