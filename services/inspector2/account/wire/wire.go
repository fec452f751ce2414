// Package wire reads what Inspector scans in a region.
package wire

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/inspector2"
	"github.com/aws/aws-sdk-go-v2/service/inspector2/types"

	"dera.example/dera/cloud"
	"dera.example/dera/services/inspector2/account"
)

// Wire returns how Inspector is read.
func Wire() cloud.Wire {
	return cloud.Wire{
		Type: account.Name, Parts: account.Type().Parts, Find: find,
		Unread:      func(config any, _ string) { config.(*account.Account).Scans = nil },
		Readers:     []cloud.Reader{{Parts: []string{account.PartStatus}, Call: "inspector2:BatchGetAccountStatus", One: read}},
		Answers:     map[string]cloud.Shape{"Inspector2 BatchGetAccountStatus": {Members: []string{"accounts"}}},
		ConfigRules: []string{"INSPECTOR_*"},
	}
}

func find(_ context.Context, r *cloud.Reading) (cloud.Found, error) {
	region := r.Scope.Region
	return cloud.Only(r, region, "Inspector", account.ARNOf(cloud.PartitionOf(r.Scope), r.Scope.Account, region, ""), &account.Account{Region: region}), nil
}

// read asks about the account itself, which is what no account asks for.
func read(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	api := cloud.Service(r, "inspector2", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *sdk.Client { return sdk.NewFromConfig(cfg) })
	out, err := api.BatchGetAccountStatus(ctx, &sdk.BatchGetAccountStatusInput{})
	if err != nil {
		return err
	}
	if len(out.Accounts) != 1 || aws.ToString(out.Accounts[0].AccountId) != r.Scope.Account || out.Accounts[0].ResourceState == nil {
		return cloud.Foreign("it is not about the account %s alone", r.Scope.Account)
	}
	state := out.Accounts[0].ResourceState
	scans := map[string]string{}
	for what, s := range map[string]*types.State{"ec2": state.Ec2, "ecr": state.Ecr, "lambda": state.Lambda} {
		switch {
		case s == nil && what == "lambda": // not in every region
		case s == nil || s.Status == "":
			return cloud.Foreign("it does not say whether %s is scanned", what)
		default:
			scans[what] = string(s.Status)
		}
	}
	x.Config.(*account.Account).Scans = scans
	return nil
}
