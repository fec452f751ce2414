package aws

import (
	"context"

	"dera.example/dera"
	"dera.example/dera/netset"
	"dera.example/dera/services/ec2/securitygroup"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// fillLists puts the entries of prefix lists into the rules of a group. A list
// that cannot be read leaves this group unread, not its neighbours.
func (g groupReader) fillLists(ctx context.Context, r *dera.Resource, cfg *securitygroup.Group) error {
	for _, rules := range [][]securitygroup.Rule{cfg.Ingress, cfg.Egress} {
		for i, rule := range rules {
			if rule.PrefixList == nil || rule.PrefixList.ID == unreadableSource {
				continue
			}
			rules[i].PrefixList = g.prefixList(ctx, rule.PrefixList.ID)
			if why := g.sick[rule.PrefixList.ID]; why != "" && r.Unread == "" {
				r.Unread = "its prefix list " + rule.PrefixList.ID + " could not be read: " + why
			}
		}
	}
	return ctx.Err()
}

// prefixList reads the entries of a managed prefix list, once a read. Where the
// entries cannot be read, or the list is another account's and gone, the list is
// not known: what it allows is then unknown, never nothing.
func (g groupReader) prefixList(ctx context.Context, id string) *securitygroup.PrefixList {
	if l := g.lists[id]; l != nil {
		return l
	}
	l := &securitygroup.PrefixList{ID: id, Known: true}
	if err := g.fillList(ctx, l); err != nil {
		*l = securitygroup.PrefixList{ID: id}
		if !Is(err, Denied) && !Is(err, NotFound) && !Is(err, Unavailable) {
			g.sick[id] = err.Error()
		}
	}
	g.lists[id] = l
	return l
}

// fillList reads the list itself and the entries of just that version, and holds
// the one against the other. The list may be hidden from dera: then the number of
// its entries stands for what it counts against the rule quota.
func (g groupReader) fillList(ctx context.Context, l *securitygroup.PrefixList) error {
	list, err := g.describeList(ctx, l.ID)
	if err != nil && !Is(err, Denied) && !Is(err, NotFound) && !Is(err, Unavailable) {
		return err
	}
	l.MaxEntries = int(aws.ToInt32(list.MaxEntries))
	err = walk(func(token *string) (*string, error) {
		out, err := g.api.GetManagedPrefixListEntries(ctx, &ec2.GetManagedPrefixListEntriesInput{
			PrefixListId: aws.String(l.ID), TargetVersion: list.Version, MaxResults: aws.Int32(100), NextToken: token,
		})
		if err == nil && out.Entries == nil {
			err = foreign("it has no list of entries")
		}
		if err != nil {
			return nil, g.fail("GetManagedPrefixListEntries", err)
		}
		for _, e := range out.Entries {
			p, err := netset.Prefix(aws.ToString(e.Cidr))
			if err != nil {
				return nil, g.fail("GetManagedPrefixListEntries", foreign("%.60q is no range", aws.ToString(e.Cidr)))
			}
			l.Entries = append(l.Entries, p)
		}
		return out.NextToken, nil
	})
	// A list of AWS counts as something else than its entries (VPC user guide,
	// "AWS-managed prefix list weight").
	if err == nil && list.MaxEntries != nil && aws.ToString(list.OwnerId) != "AWS" && len(l.Entries) > l.MaxEntries {
		err = g.fail("GetManagedPrefixListEntries", foreign("it has %d entries of a list that holds %d", len(l.Entries), l.MaxEntries))
	}
	return err
}

func (g groupReader) describeList(ctx context.Context, id string) (types.ManagedPrefixList, error) {
	out, err := g.api.DescribeManagedPrefixLists(ctx, &ec2.DescribeManagedPrefixListsInput{PrefixListIds: []string{id}})
	if err == nil && (len(out.PrefixLists) != 1 || aws.ToString(out.PrefixLists[0].PrefixListId) != id) {
		err = foreign("it has %d lists, and %s was asked for", len(out.PrefixLists), id)
	}
	if err != nil {
		return types.ManagedPrefixList{}, g.fail("DescribeManagedPrefixLists", err)
	}
	return out.PrefixLists[0], nil
}
