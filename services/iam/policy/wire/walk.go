package wire

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
	own "dera.example/dera/services/iam"
	"dera.example/dera/services/iam/policy"
	iamwire "dera.example/dera/services/iam/wire"
)

// find names the policies of the scope. A sweep is one walk, which tells all of them and
// of everyone who has them all but the tags of policies.
func find(ctx context.Context, r *cloud.Reading) (found cloud.Found, err error) {
	if !r.Scope.Sweep() {
		for _, id := range r.Scope.IDs {
			if !policy.ValidID(id) {
				found.Missing = append(found.Missing, id)
				continue
			}
			found.Items = append(found.Items, item(r, id))
		}
		return found, nil
	}
	a, err := iamwire.Walk(ctx, r, own.RoleKind, own.UserKind, own.GroupKind)
	if err != nil {
		return cloud.Found{}, err
	}
	has := a.EntitiesByPolicy()
	for _, p := range a.Policies {
		arn := dera.ARN(aws.ToString(p.Arn))
		if arn.Account() == "aws" {
			continue
		}
		x := item(r, strings.TrimPrefix(arn.Resource(), "policy/"))
		if !policy.ValidID(x.ID) || x.ARN != arn {
			return cloud.Found{}, r.Fail(own.Walk, cloud.Foreign("it has a policy with the ARN %.600q", arn))
		}
		found.Items = append(found.Items, x)
		if a.Twice[string(arn)] {
			x.Unknown("the listing has it twice: it changed meanwhile")
			continue
		}
		fill(x, p)
		if err := hold(ctx, iamwire.Book{Reading: r, Walked: a}, x, has[string(arn)]); err != nil {
			lose(r, x, err)
		}
		x.Has(policy.PartAttached, policy.PartHolders)
	}
	return found, nil
}

// fill takes the versions that the walk tells.
func fill(x *cloud.Item, p types.ManagedPolicyDetail) {
	c := config(x)
	c.ID, c.Created = aws.ToString(p.PolicyId), iamwire.Time(p.CreateDate)
	inForce := cloud.Foreign("it leaves out the version in force, %.20q", aws.ToString(p.DefaultVersionId))
	for _, v := range p.PolicyVersionList {
		got, err := iamwire.VersionOf(string(x.ARN), v)
		switch {
		case got.Version == aws.ToString(p.DefaultVersionId):
			c.Default, inForce = versionOf(got), err
		case err != nil:
			x.Lost(policy.PartVersions, err)
		default:
			c.Others = append(c.Others, versionOf(got))
		}
	}
	if inForce != nil {
		x.Lost(policy.PartPolicy, inForce)
	}
	c.Sort()
	x.Has(policy.PartPolicy, policy.PartVersions)
}

func versionOf(a own.Attached) policy.Version {
	return policy.Version{ID: a.Version, Document: a.Document, Created: a.Updated}
}

// sample returns the ID of any policy of the account.
func sample(ctx context.Context, r *cloud.Reading) (string, error) {
	in := iamwire.Details(1)
	in.Filter = []types.EntityType{types.EntityTypeLocalManagedPolicy}
	out, err := iamwire.IAM(r).GetAccountAuthorizationDetails(ctx, in)
	if err != nil {
		return "", r.Fail(own.Walk, err)
	}
	for _, p := range out.Policies {
		return strings.TrimPrefix(dera.ARN(aws.ToString(p.Arn)).Resource(), "policy/"), nil
	}
	return "", nil
}
