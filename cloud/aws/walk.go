package aws

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// errEndlessPages means that a listing does not come to an end: what it returned
// so far is no answer.
var errEndlessPages = errors.New("the listing does not end")

// mostPages is more pages than a listing of one account and region has: a million
// buckets, the quota of S3, are 10,000 pages of a sweep.
const mostPages = 20_000

// walk asks for page after page. A continuation token that comes a second time
// ends the walk with an error: from there on it would go in a circle.
func walk(page func(token *string) (next *string, err error)) error {
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
			return fmt.Errorf("%w: a page token came twice after %d pages", errEndlessPages, len(seen)+1)
		}
		seen[*next] = true
		token = next
	}
	return fmt.Errorf("%w: it has more than %d pages", errEndlessPages, mostPages)
}
