package wire

import (
	"context"
	"slices"

	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	own "dera.example/dera/services/iam"
)

// Used asks the usage ledger for principals. One that it does not answer for is unknown,
// and not unused.
func Used(ctx context.Context, r *cloud.Reading, ledger resource.Ledger, arns []string) (map[string]resource.Use, error) {
	arns = slices.Clone(arns)
	slices.Sort(arns)
	return ledger.Used(ctx, r.Scope.Account, slices.Compact(arns))
}

// UsedByHolders asks it for the holders of all items, at once. The part of an item is
// unread where one of its holders is not known; a group has no use of its own.
func UsedByHolders(ctx context.Context, r *cloud.Reading, ledger resource.Ledger, items []*cloud.Item, part string, of func(*cloud.Item) []own.Holder) error {
	var arns []string
	unknown := map[*cloud.Item]bool{}
	for _, x := range items {
		if unknown[x] = Unheld(r, x, false); unknown[x] {
			continue
		}
		for _, h := range of(x) {
			if h.Kind != own.GroupKind {
				arns = append(arns, h.ARN)
			}
		}
	}
	uses := map[string]resource.Use{}
	if len(arns) > 0 {
		var err error
		if uses, err = Used(ctx, r, ledger, arns); err != nil {
			return err
		}
	}
	for _, x := range items {
		if unknown[x] {
			x.Lost(part, nil)
			continue
		}
		holders := of(x)
		for i := range holders {
			if use, ok := uses[holders[i].ARN]; ok {
				holders[i].Use = &use
			} else if holders[i].Kind != own.GroupKind {
				x.Lost(part, nil)
			}
		}
	}
	return nil
}

// Unheld reports whether this read could not tell who the holders of an item are, which
// whoever finds that out says first, with lost.
func Unheld(r *cloud.Reading, x *cloud.Item, lost bool) bool {
	was, _ := cloud.Once(r, "not held "+x.ID, func() (bool, error) { return lost, nil }) // it cannot fail
	return was
}
