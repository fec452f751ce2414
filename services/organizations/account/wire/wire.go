// Package wire reads in which organization an account is.
package wire

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"dera.example/dera/cloud"
	"dera.example/dera/services/organizations/account"
)

// Wire returns how members of organizations are read.
func Wire() cloud.Wire {
	return cloud.Wire{
		Type: account.Name, Parts: account.Type().Parts, Find: find,
		Unread:      func(config any, _ string) { config.(*account.Account).Organization = nil },
		Off:         none,
		Readers:     []cloud.Reader{{Parts: []string{account.PartOrganization}, Call: "organizations:DescribeOrganization", One: read}},
		Answers:     map[string]cloud.Shape{"Organizations DescribeOrganization": {Members: []string{"Organization"}}},
		ConfigRules: []string{"ACCOUNT_PART_OF_ORGANIZATIONS"},
	}
}

func find(_ context.Context, r *cloud.Reading) (cloud.Found, error) {
	id := r.Scope.Account
	return cloud.Only(r, id, "Organizations", account.ARNOf(cloud.PartitionOf(r.Scope), id, "", ""), &account.Account{ID: id}), nil
}

// none: an account that is in none is told so by an error of its own.
func none(err error) bool {
	var absent *types.AWSOrganizationsNotInUseException
	return errors.As(err, &absent)
}

func read(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	api := cloud.Service(r, "organizations", r.Scope.Account, r.Home(), func(cfg aws.Config) *sdk.Client { return sdk.NewFromConfig(cfg) })
	out, err := api.DescribeOrganization(ctx, &sdk.DescribeOrganizationInput{})
	a := x.Config.(*account.Account)
	switch {
	case none(err):
		a.Organization = aws.String("")
		return nil
	case err != nil:
		return err
	case out.Organization == nil || aws.ToString(out.Organization.Id) == "":
		return cloud.Foreign("it does not say which organization")
	}
	a.Organization, a.Manager = out.Organization.Id, aws.ToString(out.Organization.MasterAccountId)
	return nil
}
