// Package vault is backup vaults of AWS Backup as far as their policy goes: who may copy into them, restore and delete.
package vault

import (
	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/resource"
)

// Name is the type name.
const Name = "AWS::Backup::BackupVault"

// The writes, by their IAM actions.
const (
	PutPolicy    = "backup:PutBackupVaultAccessPolicy"
	DeletePolicy = "backup:DeleteBackupVaultAccessPolicy"
)

// Shape is the type as data.
func Shape() resourcepolicy.Shape[resourcepolicy.Config] {
	return resourcepolicy.Shape[resourcepolicy.Config]{
		Type: resource.Spec[resourcepolicy.Config]{
			Name: Name, SampleIDs: []string{"Default", "dr-vault", "z9"}, Events: named().Events(Name),
			ARN: func(partition, account, region, id string) dera.ARN {
				return dera.NewARN(partition, "backup", region, account, "backup-vault:"+id)
			},
		},
		Policy: func(c *resourcepolicy.Config) *resourcepolicy.Config { return c },
		Prefix: "backup-vault", Noun: "backup vault", Service: "AWS Backup",
		Part:       resource.Part{Action: "backup:GetBackupVaultAccessPolicy", Also: []string{"backup:ListBackupVaults"}},
		TagsAction: "backup:ListTags",
		Put:        PutPolicy, Delete: DeletePolicy, Rivals: []string{"PutBackupVaultAccessPolicy", "DeleteBackupVaultAccessPolicy"},
		Actions: []string{"backup:*"}, Anywhere: true, Most: 20 << 10, // it decides about the recovery points in the vault too
		Terraform: "aws_backup_vault_policy.policy", Reference: "backup_vault_name", CloudFormation: "AWS::Backup::BackupVault.AccessPolicy", Property: "BackupVaultName",
		Untested: true,
		Late:     "a copy from another account fails at its next schedule, so that what breaks shows only then",
	}
}

// Type is backup vaults of AWS Backup.
func Type() resource.Type { return Shape().Define() }

// named are the calls after which the policy may be another one.
//
// https://docs.aws.amazon.com/aws-backup/latest/devguide/logging-using-cloudtrail.html
func named() cloudtrail.Named {
	return cloudtrail.Named{
		Source: "backup.amazonaws.com", Calls: []string{"CreateBackupVault", "PutBackupVaultAccessPolicy", "DeleteBackupVaultAccessPolicy", "DeleteBackupVault", "TagResource", "UntagResource"},
		Members: []string{"backupVaultName", "resourceArn"}, InARN: "backup-vault:",
	}
}

// Controls are the controls on backup vaults of AWS Backup.
func Controls() []control.Control {
	s := Shape()
	return []control.Control{
		s.Public("Whoever finds the vault can copy into it what somebody then restores, or delete and share recovery points.",
			control.Ref{Standard: "AWS Backup", ID: "vault access policies", URL: "https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault-access-policy.html"}),
		s.External("Whoever holds that account copies into the vault, or takes recovery points out of it, for as long as the statement stands."),
	}
}
