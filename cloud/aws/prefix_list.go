package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"dera/netset"
	"dera/resource"
)

// prefixList reads the entries of a managed prefix list, once a read. Where the
// entries may not be read, or the list is another account's and gone, the list
// is not known: what it lets in is then unknown, never nothing.
func (g groupReader) prefixList(ctx context.Context, id string) (*resource.PrefixList, error) {
	if l := g.lists[id]; l != nil {
		return l, nil
	}
	l := &resource.PrefixList{ID: id, Known: true}
	pages := ec2.NewGetManagedPrefixListEntriesPaginator(g.api, &ec2.GetManagedPrefixListEntriesInput{PrefixListId: aws.String(id), MaxResults: aws.Int32(100)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			err = g.fail("GetManagedPrefixListEntries", err)
			if Is(err, Denied) || Is(err, NotFound) || Is(err, Unavailable) {
				l.Known, l.Entries = false, nil
				break
			}
			return nil, err
		}
		for _, e := range out.Entries {
			p, err := netset.Prefix(aws.ToString(e.Cidr))
			if err != nil {
				return nil, err
			}
			l.Entries = append(l.Entries, p)
		}
	}
	if l.Known {
		g.maxEntries(ctx, l)
	}
	g.lists[id] = l
	return l, nil
}

// maxEntries reads what the list counts against the rule quota. It may fail:
// then the number of its entries stands for it.
func (g groupReader) maxEntries(ctx context.Context, l *resource.PrefixList) {
	out, err := g.api.DescribeManagedPrefixLists(ctx, &ec2.DescribeManagedPrefixListsInput{PrefixListIds: []string{l.ID}})
	if err != nil {
		return
	}
	for _, p := range out.PrefixLists {
		l.MaxEntries = int(aws.ToInt32(p.MaxEntries))
	}
}
