// Package wire reads and writes roles on IAM, with the managed policies that are
// attached.
package wire

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
	own "dera.example/dera/services/iam"
	"dera.example/dera/services/iam/escalation"
	"dera.example/dera/services/iam/role"
	iamwire "dera.example/dera/services/iam/wire"
)

// Wire returns how roles are read and written.
func Wire() cloud.Wire {
	w := iamwire.Identities{
		Kind: own.RoleKind, Part: role.PartRole,
		New:      func(account string) any { return &role.Role{Account: account} },
		Identity: func(c any) *own.Identity { return &c.(*role.Role).Identity },
		Climbs:   func(c any) escalation.Principal { return c.(*role.Role).Climbs() },
		Peers:    func(c any, to []escalation.Peer) { c.(*role.Role).Peers = to },
		Take:     take,
		Walked: func(_ context.Context, x *cloud.Item, _ iamwire.Book, e *iamwire.Entity) {
			if e.Profiles != nil {
				config(x).Profiles = append([]string(nil), e.Profiles...)
				x.Has(role.PartProfiles)
			}
		},
	}.Wire(role.Type(), []cloud.Reader{
		cloud.Ported(resource.PortLedger, []string{role.PartUse}, readUse),
		iamwire.Staged(role.Name, func(c any) **own.Staged { return c.(*role.Role).Stage() }),
		iamwire.Reported(func(x *cloud.Item) iamwire.Asked {
			c := config(x)
			return iamwire.AskedOf([]own.Holder{{ARN: string(x.ARN), Use: c.Use}}, &c.Reported)
		}),
		{Parts: []string{role.PartSession}, Many: readSessions},
		{Parts: []string{role.PartProfiles}, Call: role.CallProfiles, One: readProfiles},
		cloud.Ported(resource.PortChanges, []string{role.PartClosed}, readClosed),
		cloud.Ported(resource.PortThreats, []string{role.PartThreats}, readThreats),
		iamwire.Explained(role.Name, func(c any) **resource.Explained { return &c.(*role.Role).Explained }),
		iamwire.Accesses(role.Name, func(c any) *own.Identity { return &c.(*role.Role).Identity }),
	}, "ListRoles", role.CallProfiles[len("iam:"):])
	w.Do[role.UpdateTrust] = updateTrust
	return w
}

// config is the configuration of an item.
func config(x *cloud.Item) *role.Role { return x.Config.(*role.Role) }

// take takes what a role has that other identities have not.
func take(x *cloud.Item, e *iamwire.Entity) {
	c := config(x)
	c.Trust, c.MaxSession = e.Trust, e.MaxSession
	if !c.Created.IsZero() {
		c.Age = iamwire.Days(c.Created, x.ReadAt)
	}
	switch u := e.LastUsed; {
	case u == nil: // IAM says nothing of it, other than for one that was not used
	case u.LastUsedDate != nil:
		c.LastUsed = &role.LastUsed{At: u.LastUsedDate.UTC(), Region: aws.ToString(u.Region)}
		c.Idle = aws.Int(iamwire.Days(c.LastUsed.At, x.ReadAt))
	case !c.Created.IsZero():
		c.Idle = aws.Int(min(c.Age, role.Lookback))
	}
}

// trusted are the other accounts that the role trusts, by which the ledger knows their
// calls.
func trusted(x *cloud.Item) map[string]string {
	return own.Trusted(x.Partition, x.Account, config(x).Trust)
}

// readUse asks the usage ledger for the roles and for the accounts that they trust. A
// role that it does not answer for is unknown, and not unused.
func readUse(ctx context.Context, r *cloud.Reading, ledger resource.Ledger, items []*cloud.Item) error {
	var arns []string
	for _, x := range items {
		arns = append(arns, string(x.ARN))
		for _, root := range trusted(x) {
			arns = append(arns, root)
		}
	}
	uses, err := iamwire.Used(ctx, r, ledger, arns)
	if err != nil {
		return err
	}
	for _, x := range items {
		if use, ok := uses[string(x.ARN)]; ok {
			config(x).Use = &use
			if !use.Seen.IsZero() {
				config(x).Called = aws.Int(iamwire.Days(use.Seen, r.At))
			}
		} else {
			x.Lost(role.PartUse, nil)
		}
		for account, root := range trusted(x) {
			if use, ok := uses[root]; ok {
				if config(x).Trusting == nil {
					config(x).Trusting = map[string]resource.Use{}
				}
				config(x).Trusting[account] = use
			} else {
				x.Lost(role.PartUse, nil)
			}
		}
	}
	return nil
}

// updateTrust replaces the trust policy, which is read right before: it must be the one
// that the plan was made from.
func updateTrust(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[role.TrustInput](w.Operation)
	if err != nil {
		return err
	}
	now, err := iamwire.Get(ctx, w.Reading, own.RoleKind, in.Name)
	if err != nil {
		return err
	}
	if now.Distrust != nil || !document.SamePolicy(now.Trust, in.Expect) {
		return cloud.ErrMoved
	}
	_, err = iamwire.Writer(w).UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String(in.Name), PolicyDocument: aws.String(in.Document)})
	return err
}
