// Package wire reads and writes the policies of Glacier vaults.
package wire

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glacier"
	"github.com/aws/aws-sdk-go-v2/service/glacier/types"

	"dera.example/dera/cloud"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/services/glacier/vault"
	shared "dera.example/dera/services/policies/wire"
)

// Wire returns how Glacier vaults are read and written.
func Wire() cloud.Wire {
	return shared.Service[resourcepolicy.Config]{
		Type: vault.Type(), Policy: vault.Shape().Policy, Make: func(c resourcepolicy.Config) *resourcepolicy.Config { return &c },
		ListCall: "glacier:ListVaults", List: list, ReadCall: "glacier:GetVaultAccessPolicy", Read: read, TagsCall: "glacier:ListTagsForVault", Tags: tags,
		Gone: []string{noVault}, PutAction: vault.SetPolicy, Put: put, DeleteAction: vault.DeletePolicy, Delete: remove,
		Answers: map[string]cloud.Shape{"Glacier ListVaults": {Members: []string{"VaultList"}}, "Glacier GetVaultAccessPolicy": {Members: []string{"Policy"}}},
	}.Wire()
}

func api(r *cloud.Reading) *glacier.Client {
	return cloud.Service(r, "glacier", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *glacier.Client { return glacier.NewFromConfig(cfg) })
}

func list(ctx context.Context, r *cloud.Reading, token *string) (ids []string, next *string, err error) {
	out, err := api(r).ListVaults(ctx, &glacier.ListVaultsInput{AccountId: aws.String(r.Scope.Account), Marker: token})
	if err != nil {
		return nil, nil, err
	}
	for _, v := range out.VaultList {
		ids = append(ids, aws.ToString(v.VaultName))
	}
	return ids, out.Marker, nil
}

// noVault is dera's own code for a vault that is not on the list: Glacier answers the same
// error for no vault and for a vault without a policy.
const noVault = "dera.NoVault"

func read(ctx context.Context, r *cloud.Reading, name string) (string, error) {
	out, err := api(r).GetVaultAccessPolicy(ctx, &glacier.GetVaultAccessPolicyInput{AccountId: aws.String(r.Scope.Account), VaultName: aws.String(name)})
	if cloud.Code(err) == "ResourceNotFoundException" {
		return "", shared.Listed(ctx, r, list, name, noVault)
	}
	if err == nil && (out.Policy == nil || aws.ToString(out.Policy.Policy) == "") {
		err = cloud.Foreign("it holds no policy")
	}
	if err != nil {
		return "", err
	}
	return *out.Policy.Policy, nil
}

func tags(ctx context.Context, r *cloud.Reading, name string) (map[string]string, error) {
	out, err := api(r).ListTagsForVault(ctx, &glacier.ListTagsForVaultInput{AccountId: aws.String(r.Scope.Account), VaultName: aws.String(name)})
	if err != nil {
		return nil, err
	}
	return out.Tags, nil
}

func put(ctx context.Context, w *cloud.Writing, name, text string) error {
	_, err := glacier.NewFromConfig(w.Config).SetVaultAccessPolicy(ctx, &glacier.SetVaultAccessPolicyInput{
		AccountId: aws.String(w.Plan.Account), VaultName: aws.String(name), Policy: &types.VaultAccessPolicy{Policy: aws.String(text)},
	})
	return err
}

func remove(ctx context.Context, w *cloud.Writing, name string) error {
	_, err := glacier.NewFromConfig(w.Config).DeleteVaultAccessPolicy(ctx, &glacier.DeleteVaultAccessPolicyInput{AccountId: aws.String(w.Plan.Account), VaultName: aws.String(name)})
	return err
}
