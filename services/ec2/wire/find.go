package wire

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"dera.example/dera/cloud"
)

// Most is how many values a filter of EC2 may have, and PageSize how many results a page
// (EC2 API reference).
const (
	Most     = 200
	PageSize = 1000
)

// Filter is one filter of EC2.
func Filter(name string, values []string) []types.Filter {
	return []types.Filter{{Name: aws.String(name), Values: values}}
}

// Ask is what a call for resources asks for: those that the filters fit, or with IDs just
// those, on the page of the token.
type Ask struct {
	Filters []types.Filter
	IDs     []string
	Token   *string
	Size    *int32 // of a page; nil with IDs
}

// Finder finds the resources of a type by one call of EC2 that lists them, such as
// DescribeSubnets.
type Finder[T any] struct {
	Call string // for example ec2:DescribeSubnets
	By   string // the filter for IDs, for example subnet-id; empty asks for one by one
	Size int32  // of a page; 0 is PageSize
	// Page is one call. A nil list is no answer.
	Page func(ctx context.Context, api *ec2.Client, in Ask) (list []T, next *string, err error)
	// Of returns the ID of a resource and the account that it belongs to. That it is there no
	// more, although AWS still tells of it, is missing.
	Of func(x T) (id, owner string, missing bool)
	// Item makes a resource of an answer.
	Item func(r *cloud.Reading, x T) (*cloud.Item, error)
	// New returns the configuration of a resource of which only its ID is known.
	New func(r *cloud.Reading, id string) *cloud.Item
}

// Find finds the resources of a page of a sweep, or those with the IDs of the scope. A
// filter does not fail for those that are not there, so each of these is asked for by its
// ID: only EC2's own "not found" makes it missing. What another account shares is left out
// of a sweep, and an error by ID.
func (f Finder[T]) Find(ctx context.Context, r *cloud.Reading) (found cloud.Found, err error) {
	size := f.Size
	if size == 0 {
		size = PageSize
	}
	if r.Scope.Sweep() {
		in := Ask{Size: aws.Int32(size)}
		if r.Scope.Page != "" {
			in.Token = aws.String(r.Scope.Page)
		}
		list, next, err := f.page(ctx, r, in)
		if err != nil {
			return found, err
		}
		found.Next = aws.ToString(next)
		for _, x := range list {
			_, owner, missing := f.Of(x)
			if missing || owner != r.Scope.Account {
				continue
			}
			if err := f.add(r, x, &found); err != nil {
				return found, err
			}
		}
		return found, nil
	}
	seen := map[string]bool{}
	for ids := range slices.Chunk(r.Scope.IDs, Most) {
		if f.By == "" {
			break
		}
		err := cloud.Walk(func(token *string) (*string, error) {
			list, next, err := f.page(ctx, r, Ask{Filters: Filter(f.By, ids), Size: aws.Int32(size), Token: token})
			if err == nil {
				err = f.asked(r, list, ids, seen, &found)
			}
			return next, err
		})
		if err != nil {
			return found, err
		}
	}
	for _, id := range r.Scope.IDs {
		if seen[id] {
			continue
		}
		list, _, err := f.page(ctx, r, Ask{IDs: []string{id}})
		if err == nil && len(list) == 0 {
			err = fmt.Errorf("read %s: the service neither returns it nor says that it does not exist", id)
		} else if err == nil {
			if err = f.asked(r, list, []string{id}, seen, &found); err != nil {
				return found, err
			}
		}
		switch {
		case err == nil:
		case (cloud.Is(err, cloud.NotFound) || malformed(err)) && !namesAnother(err, id):
			found.Missing = append(found.Missing, id)
		case ctx.Err() != nil, cloud.Is(err, cloud.Expired), cloud.Is(err, cloud.Denied), cloud.Is(err, cloud.RegionOff):
			return found, err
		default: // it is unknown alone
			x := f.New(r, id)
			x.Unknown(err.Error())
			found.Items = append(found.Items, x)
		}
	}
	return found, nil
}

// Sample returns the ID of any resource of the region.
func (f Finder[T]) Sample(ctx context.Context, r *cloud.Reading) (string, error) {
	list, _, err := f.page(ctx, r, Ask{Size: aws.Int32(5)})
	for _, x := range list {
		if id, owner, missing := f.Of(x); !missing && owner == r.Scope.Account {
			return id, err
		}
	}
	return "", err
}

func (f Finder[T]) page(ctx context.Context, r *cloud.Reading, in Ask) ([]T, *string, error) {
	list, next, err := f.Page(ctx, EC2(r, r.Scope.Account, r.Scope.Region), in)
	if err == nil && list == nil {
		err = cloud.Foreign("it has no list")
	}
	if err != nil {
		return nil, nil, r.Fail(f.Call, err)
	}
	return list, next, nil
}

// asked adds resources that were asked for by their IDs.
func (f Finder[T]) asked(r *cloud.Reading, list []T, ids []string, seen map[string]bool, found *cloud.Found) error {
	for _, x := range list {
		id, owner, missing := f.Of(x)
		switch {
		case !slices.Contains(ids, id):
			return r.Fail(f.Call, cloud.Foreign("it is about %.40q, which was not asked for", id))
		case seen[id]:
			return r.Fail(f.Call, cloud.Foreign("it names %.40q twice", id))
		case owner != r.Scope.Account:
			return r.Fail(f.Call, cloud.OfAnother(r.Scope.Account, owner, id))
		}
		if seen[id] = true; missing {
			found.Missing = append(found.Missing, id)
		} else if err := f.add(r, x, found); err != nil {
			return err
		}
	}
	return nil
}

func (f Finder[T]) add(r *cloud.Reading, x T, found *cloud.Found) error {
	item, err := f.Item(r, x)
	if err != nil {
		return r.Fail(f.Call, err)
	}
	found.Items = append(found.Items, item)
	return nil
}

// namesAnother reports whether a "not found" is about another resource.
func namesAnother(err error, id string) bool {
	var e *cloud.Error
	kind, _, _ := strings.Cut(id, "-")
	return errors.As(err, &e) && kind != "" && strings.Contains(e.Err.Error(), "'"+kind+"-") && !strings.Contains(e.Err.Error(), "'"+id+"'")
}

// malformed reports whether the service says that there can be no such ID: an event of a
// failed call may name anything.
func malformed(err error) bool {
	var e *cloud.Error
	return errors.As(err, &e) && (strings.HasSuffix(e.Code, ".Malformed") || e.Code == "MissingParameter")
}
