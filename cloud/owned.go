package cloud

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"dera.example/dera"
)

// Owned is a resource as a listing tells it, which may be another account's that is shared
// with this one.
type Owned struct {
	ID, Name, Owner string
	Tags            map[string]string
	Config          any
	// Has are the parts that the listing tells, so that no reader runs for them.
	Has []string
}

// Owning finds resources of a service that also tells of those of other accounts: only the
// scope's account's are resources of it.
type Owning struct {
	Call string // for errors, for example ec2:DescribeSnapshots
	// Page asks for the one with the ID, or where that is empty for a page of the account's
	// own; nil for an answer without a list.
	Page func(ctx context.Context, r *Reading, id string, token *string) (list []Owned, next *string, err error)
	ARN  func(partition, account, region, id string) dera.ARN
	// Absent are the error codes that say that there is none with the ID.
	Absent []string
}

// Find is Wire.Find: a page of a sweep costs one call, and so does each ID of a scope, since
// only the service's word on that very one makes it missing.
func (o Owning) Find(ctx context.Context, r *Reading) (found Found, _ error) {
	if r.Scope.Sweep() {
		var token *string
		if r.Scope.Page != "" {
			token = aws.String(r.Scope.Page)
		}
		list, next, err := o.page(ctx, r, "", token)
		found.Items, found.Next = o.items(r, list), aws.ToString(next)
		return found, err
	}
	for _, id := range r.Scope.IDs {
		list, _, err := o.page(ctx, r, id, nil)
		switch {
		case o.says(err):
			found.Missing = append(found.Missing, id)
			continue
		case err == nil && (len(list) != 1 || list[0].ID != id):
			err = r.Fail(o.Call, Foreign("it is not about %.40q alone", id))
		}
		if err != nil {
			return found, err
		}
		items := o.items(r, list)
		if found.Items = append(found.Items, items...); len(items) == 0 {
			found.Missing = append(found.Missing, id)
		}
	}
	return found, nil
}

// Sample is Wire.Sample.
func (o Owning) Sample(ctx context.Context, r *Reading) (string, error) {
	list, _, err := o.page(ctx, r, "", nil)
	if items := o.items(r, list); err == nil && len(items) > 0 {
		return items[0].ID, nil
	}
	return "", err
}

// Gone is Wire.Gone.
func (o Owning) Gone(_ context.Context, _ *Reading, _ *Item, err error) bool { return o.says(err) }

func (o Owning) says(err error) bool {
	var e smithy.APIError
	return errors.As(err, &e) && slices.Contains(o.Absent, e.ErrorCode())
}

func (o Owning) page(ctx context.Context, r *Reading, id string, token *string) ([]Owned, *string, error) {
	list, next, err := o.Page(ctx, r, id, token)
	if err == nil && list == nil {
		err = Foreign("it has no list")
	}
	for _, x := range list {
		if err == nil && (x.ID == "" || x.Owner == "") {
			err = Foreign("it leaves out what it is about")
		}
	}
	if err != nil {
		return nil, nil, r.Fail(o.Call, err)
	}
	return list, next, nil
}

// items are those of the scope's account.
func (o Owning) items(r *Reading, list []Owned) (out []*Item) {
	for _, x := range list {
		if x.Owner != r.Scope.Account {
			continue
		}
		name := x.Name
		if name == "" {
			name = x.ID
		}
		item := NewItem(r, x.ID, name, o.ARN(PartitionOf(r.Scope), r.Scope.Account, r.Scope.Region, x.ID), x.Config)
		item.Tags = x.Tags
		item.Has(x.Has...)
		out = append(out, item)
	}
	return out
}
