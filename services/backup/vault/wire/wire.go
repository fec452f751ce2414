// Package wire reads and writes the policies of backup vaults.
package wire

import (
	"context"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/backup"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/services/backup/vault"
	shared "dera.example/dera/services/policies/wire"
)

// Wire returns how backup vaults are read and written.
func Wire() cloud.Wire {
	return shared.Service[resourcepolicy.Config]{
		Type: vault.Type(), Policy: vault.Shape().Policy, Make: func(c resourcepolicy.Config) *resourcepolicy.Config { return &c },
		ListCall: "backup:ListBackupVaults", List: list, ReadCall: "backup:GetBackupVaultAccessPolicy", Read: read, TagsCall: "backup:ListTags", Tags: tags,
		Gone: []string{noVault}, PutAction: vault.PutPolicy, Put: put, DeleteAction: vault.DeletePolicy, Delete: remove,
		Answers:     map[string]cloud.Shape{"Backup ListBackupVaults": {Members: []string{"BackupVaultList"}}, "Backup GetBackupVaultAccessPolicy": {Members: []string{"BackupVaultName"}}},
		ConfigRules: []string{"BACKUP_*"},
	}.Wire()
}

func api(r *cloud.Reading) *backup.Client {
	return cloud.Service(r, "backup", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *backup.Client { return backup.NewFromConfig(cfg) })
}

func list(ctx context.Context, r *cloud.Reading, token *string) (ids []string, next *string, err error) {
	out, err := api(r).ListBackupVaults(ctx, &backup.ListBackupVaultsInput{MaxResults: aws.Int32(1000), NextToken: token})
	if err != nil {
		return nil, nil, err
	}
	for _, v := range out.BackupVaultList {
		if dera.ARN(aws.ToString(v.BackupVaultArn)).Account() == r.Scope.Account { // not those that others share
			ids = append(ids, aws.ToString(v.BackupVaultName))
		}
	}
	return ids, out.NextToken, nil
}

// noVault is dera's own code for a vault that is not on the list: AWS Backup answers the
// same error for no vault and for a vault without a policy.
const noVault = "dera.NoVault"

func read(ctx context.Context, r *cloud.Reading, name string) (string, error) {
	out, err := api(r).GetBackupVaultAccessPolicy(ctx, &backup.GetBackupVaultAccessPolicyInput{BackupVaultName: aws.String(name)})
	if err == nil && aws.ToString(out.BackupVaultName) != name {
		err = cloud.Foreign("it is about %.80q, want %s", aws.ToString(out.BackupVaultName), name)
	}
	if cloud.Code(err) == "ResourceNotFoundException" {
		return "", shared.Listed(ctx, r, list, name, noVault)
	}
	if err != nil {
		return "", err
	}
	return aws.ToString(out.Policy), nil
}

func tags(ctx context.Context, r *cloud.Reading, name string) (map[string]string, error) {
	at := vault.Type().ARN(cloud.PartitionOf(r.Scope), r.Scope.Account, r.Scope.Region, name)
	all := map[string]string{}
	for in := (&backup.ListTagsInput{ResourceArn: aws.String(string(at))}); ; {
		out, err := api(r).ListTags(ctx, in)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, out.Tags)
		if out.NextToken == nil || aws.ToString(out.NextToken) == aws.ToString(in.NextToken) {
			return all, nil
		}
		in.NextToken = out.NextToken
	}
}

func put(ctx context.Context, w *cloud.Writing, name, text string) error {
	_, err := backup.NewFromConfig(w.Config).PutBackupVaultAccessPolicy(ctx, &backup.PutBackupVaultAccessPolicyInput{BackupVaultName: aws.String(name), Policy: aws.String(text)})
	return err
}

func remove(ctx context.Context, w *cloud.Writing, name string) error {
	_, err := backup.NewFromConfig(w.Config).DeleteBackupVaultAccessPolicy(ctx, &backup.DeleteBackupVaultAccessPolicyInput{BackupVaultName: aws.String(name)})
	return err
}
