// Package wire reads roles on IAM, with the managed policies that are attached.
package wire

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"

	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	own "dera.example/dera/services/iam"
	"dera.example/dera/services/iam/role"
	iamwire "dera.example/dera/services/iam/wire"
)

// times is how many times the timeout of a read the walk over an account may take,
// and atOnce how many roles are read at the same time.
const (
	times  = 5
	atOnce = 4
)

// Wire returns how roles are read. Nothing writes them yet.
func Wire() cloud.Wire {
	return cloud.Wire{
		Type: role.Name, Parts: role.Parts(), Times: times, AtOnce: atOnce,
		Find: find, Sample: sample,
		// Only the answer to the question for the role itself says that it does not exist:
		// IAM is eventually consistent, and a policy that is listed may not be there yet.
		Gone: func(_ context.Context, _ *cloud.Reading, _ *cloud.Item, err error) bool {
			var e *cloud.Error
			return errors.As(err, &e) && e.Code == "NoSuchEntity" && e.Call == callRole
		},
		Unread: func(c any, part string) { c.(*role.Role).NotRead(part) },
		Readers: []cloud.Reader{
			cloud.Ported(resource.PortLedger, []string{role.PartUse}, readUse),
			{Parts: []string{role.PartSession}, Many: readSessions},
			{Parts: []string{role.PartRole}, Call: callRole, One: readRole},
			{Parts: []string{role.PartInline}, Call: "iam:ListRolePolicies", One: readInline},
			{Parts: []string{role.PartAttached}, Call: "iam:ListAttachedRolePolicies", One: readAttached},
			{Parts: []string{role.PartDocuments}, Call: "iam:GetPolicy", One: readDocuments},
		},
		Answers: iamwire.Answers("GetAccountAuthorizationDetails", "GetRole", "ListRolePolicies", "GetRolePolicy", "ListAttachedRolePolicies",
			"ListRoles", "GetPolicy", "GetPolicyVersion"),
	}
}

// config is the configuration of an item.
func config(x *cloud.Item) *role.Role { return x.Config.(*role.Role) }

func item(r *cloud.Reading, path, name string) *cloud.Item {
	arn := role.ARNOf(cloud.PartitionOf(r.Scope), r.Scope.Account, path, name)
	return cloud.NewItem(r, name, name, arn, &role.Role{Account: r.Scope.Account, Identity: own.Identity{Name: name, Path: path}})
}

// readUse asks the usage ledger. A role that it does not answer for is unknown, and
// not unused.
func readUse(ctx context.Context, r *cloud.Reading, ledger resource.Ledger, items []*cloud.Item) error {
	var arns []string
	for _, x := range items {
		arns = append(arns, string(x.ARN))
	}
	uses, err := ledger.Used(ctx, r.Scope.Account, arns)
	if err != nil {
		return err
	}
	for _, x := range items {
		if use, ok := uses[string(x.ARN)]; ok {
			config(x).Use = &use
		} else {
			x.Lost(role.PartUse, nil)
		}
	}
	return nil
}

// sample returns the name of any role.
func sample(ctx context.Context, r *cloud.Reading) (string, error) {
	out, err := iamwire.IAM(r).GetAccountAuthorizationDetails(ctx, details(aws.Int32(1)))
	if err != nil {
		return "", r.Fail(callWalk, err)
	}
	if len(out.RoleDetailList) == 0 {
		return "", nil
	}
	return aws.ToString(out.RoleDetailList[0].RoleName), nil
}
