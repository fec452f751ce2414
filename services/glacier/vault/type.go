// Package vault is vaults of S3 Glacier as far as their access policy goes.
package vault

import (
	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/resource"
)

// Name is the type name.
const Name = "AWS::Glacier::Vault"

// The writes, by their IAM actions.
const (
	SetPolicy    = "glacier:SetVaultAccessPolicy"
	DeletePolicy = "glacier:DeleteVaultAccessPolicy"
)

// Shape is the type as data.
func Shape() resourcepolicy.Shape[resourcepolicy.Config] {
	return resourcepolicy.Shape[resourcepolicy.Config]{
		Type: resource.Spec[resourcepolicy.Config]{
			Name: Name, SampleIDs: []string{"archive", "old.logs", "Z_9"}, Events: named().Events(Name),
			ARN: func(partition, account, region, id string) dera.ARN {
				return dera.NewARN(partition, "glacier", region, account, "vaults/"+id)
			},
		},
		Policy: func(c *resourcepolicy.Config) *resourcepolicy.Config { return c },
		Prefix: "glacier-vault", Noun: "Glacier vault", Service: "S3 Glacier",
		Part:       resource.Part{Action: "glacier:GetVaultAccessPolicy", Also: []string{"glacier:ListVaults"}},
		TagsAction: "glacier:ListTagsForVault",
		Put:        SetPolicy, Delete: DeletePolicy, Rivals: []string{"SetVaultAccessPolicy", "DeleteVaultAccessPolicy"}, Actions: []string{"glacier:*"}, Most: 20 << 10,
		Terraform: "aws_glacier_vault.access_policy", Reference: "name", Untested: true,
	}
}

// Type is vaults of S3 Glacier.
func Type() resource.Type { return Shape().Define() }

// named are the calls after which the policy may be another one.
//
// https://docs.aws.amazon.com/amazonglacier/latest/dev/audit-logging.html
func named() cloudtrail.Named {
	return cloudtrail.Named{
		Source: "glacier.amazonaws.com", Calls: []string{"CreateVault", "SetVaultAccessPolicy", "DeleteVaultAccessPolicy", "DeleteVault", "AddTagsToVault", "RemoveTagsFromVault"},
		Members: []string{"vaultName"}, InARN: "vaults/",
	}
}

// Controls are the controls on vaults of S3 Glacier.
func Controls() []control.Control {
	s := Shape()
	return []control.Control{
		s.Public("Whoever finds the vault can take out or delete what is archived in it.",
			control.Ref{Standard: "Prowler", ID: "glacier_vaults_policy_public_access", URL: "https://hub.prowler.com/check/glacier_vaults_policy_public_access"}),
		s.External("Whoever holds that account takes out or deletes what is archived, for as long as the statement stands."),
	}
}
