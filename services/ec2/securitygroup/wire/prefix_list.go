package wire

import (
	"context"
	"slices"

	"dera.example/dera/services/ec2/securitygroup"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"dera.example/dera/cloud"
	"dera.example/dera/netset"
)

// readLists puts the entries of prefix lists into the rules that a quick look
// judges, and readRuleLists into all rules. A list that cannot be read leaves its
// group unread, not the neighbours.
func readLists(ctx context.Context, r *cloud.Reading, items []*cloud.Item) error {
	return fillLists(ctx, r, items, func(g *securitygroup.Group) bool { return g.Default() })
}

func readRuleLists(ctx context.Context, r *cloud.Reading, items []*cloud.Item) error {
	return fillLists(ctx, r, items, func(*securitygroup.Group) bool { return true })
}

func fillLists(ctx context.Context, r *cloud.Reading, items []*cloud.Item, egress func(*securitygroup.Group) bool) error {
	g := reader(r)
	for _, x := range items {
		cfg := config(x)
		sides := [][]securitygroup.Rule{cfg.Ingress}
		if egress(cfg) {
			sides = append(sides, cfg.Egress)
		}
		for _, rules := range sides {
			for i, rule := range rules {
				if rule.PrefixList == nil || rule.PrefixList.ID == unreadableSource {
					continue
				}
				rules[i].PrefixList = g.prefixList(ctx, rule.PrefixList.ID)
				if why := g.sick[rule.PrefixList.ID]; why != "" {
					x.Doubt("its prefix list " + rule.PrefixList.ID + " could not be read: " + why)
				}
			}
		}
	}
	return ctx.Err()
}

// remember takes over what a quick look of just now read of prefix lists.
func (g groupReader) remember(cfg *securitygroup.Group) {
	for _, rule := range append(slices.Clone(cfg.Ingress), cfg.Egress...) {
		if l := rule.PrefixList; l != nil && l.Known {
			g.lists[l.ID] = l
		}
	}
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
		if !cloud.Is(err, cloud.Denied) && !cloud.Is(err, cloud.NotFound) && !cloud.Is(err, cloud.Unavailable) {
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
	if err != nil && !cloud.Is(err, cloud.Denied) && !cloud.Is(err, cloud.NotFound) && !cloud.Is(err, cloud.Unavailable) {
		return err
	}
	l.MaxEntries = int(aws.ToInt32(list.MaxEntries))
	err = cloud.List(g.Reading, cloud.Listing[*ec2.GetManagedPrefixListEntriesOutput, types.PrefixListEntry]{
		Call: "ec2:GetManagedPrefixListEntries", Of: "entries",
		Page: func(token *string) (*ec2.GetManagedPrefixListEntriesOutput, error) {
			return g.api.GetManagedPrefixListEntries(ctx, &ec2.GetManagedPrefixListEntriesInput{
				PrefixListId: aws.String(l.ID), TargetVersion: list.Version, MaxResults: aws.Int32(100), NextToken: token,
			})
		},
		On: func(p *ec2.GetManagedPrefixListEntriesOutput) ([]types.PrefixListEntry, *string) {
			return p.Entries, p.NextToken
		},
	}, func(e types.PrefixListEntry) error {
		p, err := netset.Prefix(aws.ToString(e.Cidr))
		if err != nil {
			return cloud.Foreign("%.60q is no range", aws.ToString(e.Cidr))
		}
		l.Entries = append(l.Entries, p)
		return nil
	})
	// A list of AWS counts as something else than its entries (VPC user guide,
	// "AWS-managed prefix list weight").
	if err == nil && list.MaxEntries != nil && aws.ToString(list.OwnerId) != "AWS" && len(l.Entries) > l.MaxEntries {
		err = g.fail("GetManagedPrefixListEntries", cloud.Foreign("it has %d entries of a list that holds %d", len(l.Entries), l.MaxEntries))
	}
	return err
}

func (g groupReader) describeList(ctx context.Context, id string) (types.ManagedPrefixList, error) {
	out, err := g.api.DescribeManagedPrefixLists(ctx, &ec2.DescribeManagedPrefixListsInput{PrefixListIds: []string{id}})
	if err == nil && (len(out.PrefixLists) != 1 || aws.ToString(out.PrefixLists[0].PrefixListId) != id) {
		err = cloud.Foreign("it has %d lists, and %s was asked for", len(out.PrefixLists), id)
	}
	if err != nil {
		return types.ManagedPrefixList{}, g.fail("DescribeManagedPrefixLists", err)
	}
	return out.PrefixLists[0], nil
}
