package cloud

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// ErrEndlessPages means that a listing does not come to an end: what it returned
// so far is no answer.
var ErrEndlessPages = errors.New("the listing does not end")

// mostPages is more pages than a listing of one account and region has: a million
// buckets, the quota of S3, are 10,000 pages of a sweep.
const mostPages = 20_000

// Walk asks for page after page. A continuation token that comes a second time
// ends the walk with an error: from there on it would go in a circle.
func Walk(page func(token *string) (next *string, err error)) error {
	seen := map[string]bool{}
	var token *string
	for range mostPages {
		next, err := page(token)
		switch {
		case err != nil:
			return err
		case aws.ToString(next) == "":
			return nil
		case seen[*next]:
			return fmt.Errorf("%w: a page token came twice after %d pages", ErrEndlessPages, len(seen)+1)
		}
		seen[*next] = true
		token = next
	}
	return fmt.Errorf("%w: it has more than %d pages", ErrEndlessPages, mostPages)
}

// Listing is one listing of a service: its call, how a page is asked for, and
// what is on one.
type Listing[P, T any] struct {
	Call string // for example ec2:DescribeVpcs
	Of   string // what it lists, for people
	Page func(token *string) (P, error)
	// On returns what is on a page, nil for a page without a list, and the token of
	// the next page.
	On func(P) ([]T, *string)
}

// List walks a listing and hands each thing on it to each, whose error is about
// the answer. A page without a list is no answer.
func List[P, T any](r *Reading, l Listing[P, T], each func(T) error) error {
	return Walk(func(token *string) (*string, error) {
		page, err := l.Page(token)
		if err != nil {
			return nil, r.Fail(l.Call, err)
		}
		list, next := l.On(page)
		if list == nil {
			return nil, r.Fail(l.Call, Foreign("it has no list of %s", l.Of))
		}
		for _, x := range list {
			if err := each(x); err != nil {
				var own *Error
				if errors.As(err, &own) {
					return nil, err
				}
				return nil, r.Fail(l.Call, err)
			}
		}
		return next, nil
	})
}
