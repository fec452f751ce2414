// Package wire reads and writes users on IAM, with their groups and the managed policies
// that are attached.
package wire

import (
	"context"
	"slices"

	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	own "dera.example/dera/services/iam"
	"dera.example/dera/services/iam/escalation"
	"dera.example/dera/services/iam/user"
	iamwire "dera.example/dera/services/iam/wire"
)

// Wire returns how users are read and written.
func Wire() cloud.Wire {
	return iamwire.Identities{
		Kind: own.UserKind, Part: user.PartUser,
		New:      func(account string) any { return &user.User{Account: account} },
		Identity: func(c any) *own.Identity { return &c.(*user.User).Identity },
		Climbs:   func(c any) escalation.Principal { return c.(*user.User).Climbs() },
		Peers:    func(c any, to []escalation.Peer) { c.(*user.User).Peers = to },
		Walked: func(ctx context.Context, x *cloud.Item, b iamwire.Book, e *iamwire.Entity) {
			if err := fillGroups(ctx, x, b, e.Groups); err != nil {
				x.Lost(user.PartGroups, err)
			}
			x.Has(user.PartGroups)
		},
	}.Wire(user.Type(), []cloud.Reader{
		cloud.Ported(resource.PortLedger, []string{user.PartUse}, readUse),
		iamwire.Staged(user.Name, func(c any) **own.Staged { return c.(*user.User).Stage() }),
		iamwire.Reported(func(x *cloud.Item) iamwire.Asked {
			c := config(x)
			return iamwire.AskedOf([]own.Holder{{ARN: string(x.ARN), Use: c.Use}}, &c.Reported)
		}),
		iamwire.Explained(user.Name, func(c any) **resource.Explained { return &c.(*user.User).Explained }),
		iamwire.Accesses(user.Name, func(c any) *own.Identity { return &c.(*user.User).Identity }),
		{Parts: []string{user.PartGroups}, Call: "iam:ListGroupsForUser", One: readGroups},
	}, "ListGroupsForUser", "GetGroup", "ListGroupPolicies", "GetGroupPolicy", "ListAttachedGroupPolicies")
}

// config is the configuration of an item.
func config(x *cloud.Item) *user.User { return x.Config.(*user.User) }

// readGroups reads the groups. That one is not there says nothing of the user.
func readGroups(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	names, err := iamwire.GroupsOf(ctx, r, x.ID)
	if err != nil {
		return err
	}
	return fillGroups(ctx, x, iamwire.Book{Reading: r}, names)
}

func fillGroups(ctx context.Context, x *cloud.Item, b iamwire.Book, names []string) error {
	var groups []user.Group
	for _, name := range slices.Sorted(slices.Values(names)) {
		g, err := b.Group(ctx, name)
		if err != nil {
			return err
		}
		groups = append(groups, user.Group{Name: name, Inline: g.Inline, Attached: g.Attached})
	}
	config(x).Groups = groups
	return nil
}

// readUse asks the usage ledger. A user that it does not answer for is unknown, and not
// unused.
func readUse(ctx context.Context, r *cloud.Reading, ledger resource.Ledger, items []*cloud.Item) error {
	var arns []string
	for _, x := range items {
		arns = append(arns, string(x.ARN))
	}
	uses, err := iamwire.Used(ctx, r, ledger, arns)
	if err != nil {
		return err
	}
	for _, x := range items {
		if use, ok := uses[string(x.ARN)]; ok {
			config(x).Use = &use
		} else {
			x.Lost(user.PartUse, nil)
		}
	}
	return nil
}
