// Package wire reads and writes groups on IAM, with their members and the managed
// policies that are attached.
package wire

import (
	"context"

	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	own "dera.example/dera/services/iam"
	"dera.example/dera/services/iam/group"
	iamwire "dera.example/dera/services/iam/wire"
)

// few is how many members of a group are read one by one; more are read by a walk.
const few = 3

// Wire returns how groups are read and written.
func Wire() cloud.Wire {
	return iamwire.Identities{
		Kind: own.GroupKind, Part: group.PartGroup,
		New:      func(string) any { return new(group.Group) },
		Identity: func(c any) *own.Identity { return &c.(*group.Group).Identity },
		Walked: func(ctx context.Context, x *cloud.Item, b iamwire.Book, e *iamwire.Entity) {
			if err := fillMembers(ctx, x, b, e.Members); err != nil {
				lose(b.Reading, x, err)
			}
			x.Has(group.PartMembers)
		},
	}.Wire(group.Type(), []cloud.Reader{
		cloud.Ported(resource.PortLedger, []string{group.PartUse}, readUse),
		iamwire.Staged(group.Name, func(c any) **own.Staged { return c.(*group.Group).Stage() }),
		iamwire.Reported(func(x *cloud.Item) iamwire.Asked { return iamwire.AskedOf(config(x).Members, &config(x).Reported) }),
		{Parts: []string{group.PartMembers}, Call: "iam:GetGroup", One: readMembers},
	}, "GetUser", "ListUserPolicies", "GetUserPolicy", "ListAttachedUserPolicies", "ListGroupsForUser")
}

// config is the configuration of an item.
func config(x *cloud.Item) *group.Group { return x.Config.(*group.Group) }

// readMembers reads the members, a few alone and more by a walk. That one of them is not
// there says nothing of the group.
func readMembers(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	e, err := iamwire.Get(ctx, r, own.GroupKind, x.ID)
	if err == nil {
		b := iamwire.Book{Reading: r}
		if len(e.Members) > few {
			b.Walked, err = iamwire.Walk(ctx, r, own.GroupKind, own.UserKind)
		}
		if err == nil {
			err = fillMembers(ctx, x, b, e.Members)
		}
	}
	if err != nil {
		lose(r, x, err)
	}
	return nil
}

func fillMembers(ctx context.Context, x *cloud.Item, b iamwire.Book, names []string) (err error) {
	var who []iamwire.Holding
	for _, name := range names {
		who = append(who, iamwire.Holding{Named: iamwire.Named{Kind: own.UserKind, Name: name}})
	}
	c := config(x)
	c.Members, c.TooMany, err = b.Holders(ctx, who, func(by, _ string) bool { return by == x.ID })
	if c.TooMany > 0 {
		lose(b.Reading, x, nil)
	}
	return err
}

// lose notes that the members, or what else they may do, are not known, so that the
// ledger cannot be asked for them.
func lose(r *cloud.Reading, x *cloud.Item, err error) {
	x.Lost(group.PartMembers, err)
	_ = iamwire.Unheld(r, x, true)
}

// readUse asks the usage ledger for the members of all groups, at once.
func readUse(ctx context.Context, r *cloud.Reading, ledger resource.Ledger, items []*cloud.Item) error {
	return iamwire.UsedByHolders(ctx, r, ledger, items, group.PartUse, func(x *cloud.Item) []own.Holder { return config(x).Members })
}
