// Package wire reads and writes managed policies on IAM, with those that have them.
package wire

import (
	"context"
	"strings"

	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	own "dera.example/dera/services/iam"
	"dera.example/dera/services/iam/policy"
	iamwire "dera.example/dera/services/iam/wire"
)

// times is how many times the timeout of a read the walk over an account may take,
// and atOnce how many policies are read at the same time.
const (
	times  = 5
	atOnce = 4
)

// Wire returns how managed policies are read and written.
func Wire() cloud.Wire {
	t := policy.Type()
	return cloud.Wire{
		Type: t.Name, Parts: t.Parts, Operations: t.Operations, Times: times, AtOnce: atOnce, Find: find, Sample: sample,
		// Only the answer to the question for the policy itself says that it does not exist.
		Gone: func(_ context.Context, _ *cloud.Reading, _ *cloud.Item, err error) bool {
			return iamwire.NoSuchEntity(err, iamwire.CallPolicy)
		},
		Unread: func(c any, part string) { c.(*policy.Policy).NotRead(part) },
		Readers: []cloud.Reader{
			cloud.Ported(resource.PortLedger, []string{policy.PartUse}, readUse),
			iamwire.Staged(policy.Name, func(c any) **own.Staged { return c.(*policy.Policy).Stage() }),
			iamwire.Reported(func(x *cloud.Item) iamwire.Asked { return iamwire.AskedOf(config(x).Holders, &config(x).Reported) }),
			{Parts: []string{policy.PartPolicy}, Call: iamwire.CallPolicy, One: readPolicy},
			{Parts: []string{policy.PartTags}, Call: iamwire.CallPolicy, One: readTags},
			{Parts: []string{policy.PartVersions}, Call: "iam:ListPolicyVersions", One: readVersions},
			{Parts: []string{policy.PartAttached}, Call: iamwire.CallEntities, One: readAttached},
			{Parts: []string{policy.PartHolders}, Call: iamwire.CallEntities, One: readHolders},
		},
		Do: map[string]func(context.Context, *cloud.Writing) error{
			policy.CreateVersion: createVersion, policy.DeleteVersion: deleteVersion, policy.SetDefault: setDefault,
		},
		Answers: iamwire.Answers("GetAccountAuthorizationDetails", "GetPolicy", "GetPolicyVersion", "ListPolicyVersions", "ListEntitiesForPolicy",
			"CreatePolicyVersion", "GetRole", "ListRolePolicies", "GetRolePolicy", "ListAttachedRolePolicies",
			"GetUser", "ListUserPolicies", "GetUserPolicy", "ListAttachedUserPolicies", "ListGroupsForUser",
			"GetGroup", "ListGroupPolicies", "GetGroupPolicy", "ListAttachedGroupPolicies"),
	}
}

// config is the configuration of an item.
func config(x *cloud.Item) *policy.Policy { return x.Config.(*policy.Policy) }

// item is a policy by its ID, which says its path and name.
func item(r *cloud.Reading, id string) *cloud.Item {
	cut := strings.LastIndexByte(id, '/') + 1
	arn := policy.ARNOf(cloud.PartitionOf(r.Scope), r.Scope.Account, id)
	return cloud.NewItem(r, id, id[cut:], arn, &policy.Policy{Name: id[cut:], Path: "/" + id[:cut]})
}

// readUse asks the usage ledger for all who have any of the policies, at once.
func readUse(ctx context.Context, r *cloud.Reading, ledger resource.Ledger, items []*cloud.Item) error {
	return iamwire.UsedByHolders(ctx, r, ledger, items, policy.PartUse, func(x *cloud.Item) []own.Holder { return config(x).Holders })
}
