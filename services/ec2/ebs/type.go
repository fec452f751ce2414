// Package ebs is the encryption by default of EBS volumes in a region of an
// account: its configuration, events and controls.
package ebs

import (
	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/resource"
)

// Name is the type name. CloudFormation has no such type; this one is in the form
// of those that it has.
const Name = "AWS::EC2::EBSEncryptionByDefault"

// The writes, by their IAM actions.
const (
	Enable  = "ec2:EnableEbsEncryptionByDefault"
	Disable = "ec2:DisableEbsEncryptionByDefault"
)

// The parts.
const (
	PartEnabled = "encryption by default"
	PartKey     = "default key"
)

const source = "ec2.amazonaws.com"

// Encryption is whether new EBS volumes and snapshots are encrypted in a region.
type Encryption struct {
	Region  string `json:"region"`
	Enabled bool   `json:"enabled"`
	// Key is the KMS key with which new volumes are encrypted where a request names
	// none; empty where it is not known.
	Key string `json:"default_key,omitempty"`
}

// ARNOf names the setting of a region. AWS gives it no ARN; this one is in the form
// of those that AWS gives.
func ARNOf(partition, account, _, region string) dera.ARN {
	return dera.NewARN(partition, "ec2", region, account, "ebs-encryption-by-default/"+region)
}

// Type is encryption by default: one resource for each account and region.
func Type() resource.Type {
	return resource.Define(resource.Spec[Encryption]{
		Name: Name, ARN: ARNOf, SampleIDs: []string{"eu-west-1", "us-east-2", "ap-south-1"},
		Identify: func(e *Encryption) (id, name string, tags map[string]string) { return e.Region, "EBS", nil },
		Parts: []resource.Part{
			{Name: PartEnabled, Action: "ec2:GetEbsEncryptionByDefault", Cheap: true},
			{Name: PartKey, Action: "ec2:GetEbsDefaultKmsKeyId", Cheap: true, Around: true},
		},
		Around: []string{"default_key"},
		Settings: []resource.Setting{{
			Path: "enabled", Says: "encryption of new EBS volumes", Operation: Enable, Off: Disable, DryRun: true,
			Order: []any{false, true}, Terraform: "aws_ebs_encryption_by_default.enabled", Denies: denies,
		}},
		Events: Events(),
		Note:   "It holds for volumes and snapshots that are made from now on; those that there are stay as they are.",
	})
}

// denies bounds what fails where whoever makes a volume, or launches an instance, may not
// use the key (EBS user guide, "Permissions for EBS encryption").
func denies(dera.Plan) []resource.Bounds {
	return []resource.Bounds{{
		Actions: []string{
			"ec2:RunInstances", "ec2:CreateVolume", "ec2:AttachVolume", "ec2:CopySnapshot", "ec2:ImportSnapshot", "ec2:ImportVolume", "ec2:CreateFleet", "ec2:StartInstances",
			"kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*",
		},
		Why: "new volumes are encrypted with the default key, which must be allowed",
	}}
}

// Events are the calls on the setting and on the key that goes with it. None names
// the resource: there is one where the call was made.
func Events() cloudtrail.Events {
	return cloudtrail.Events{
		Type: Name,
		Calls: cloudtrail.Calls(source, func(c cloudtrail.Call) []dera.Scope { return c.Sweep(Name) },
			"EnableEbsEncryptionByDefault", "DisableEbsEncryptionByDefault", "ModifyEbsDefaultKmsKeyId", "ResetEbsDefaultKmsKeyId"),
		Config: []cloudtrail.Configured{{Type: "AWS::::Account", Find: func(r cloudtrail.Record, _ string) []dera.Scope { return r.Scopes(Name, []string{r.Region}) }}},
	}
}

// Controls are the controls on encryption by default.
func Controls() []control.Control { return []control.Control{DefaultEncryptionOff()} }
