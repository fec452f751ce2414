package wire

import (
	"cmp"
	"context"
	"slices"
	"time"

	s3account "dera.example/dera/services/s3/account"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"dera.example/dera"
	"dera.example/dera/cloud"
	shared "dera.example/dera/services/s3/wire"
)

// dependentsFor is how long the buckets of an account are remembered. A
// remediation reads the block several times within seconds; to read thousands of
// buckets each time would use up the account's own API quota. They are forgotten
// when dera itself writes to a bucket of the account.
const dependentsFor = 30 * time.Second

// pageSize is how many buckets a page of the listing has.
const pageSize = 1000

// dependents are the buckets that may depend on public access, and how many there
// are.
type dependents struct {
	list    []s3account.Dependent
	buckets int
}

// readDependents reads all buckets of the account and notes those that may depend
// on public access. A bucket that cannot be read, or whose region is switched off,
// counts as one that does.
func readDependents(ctx context.Context, r *cloud.Reading, items []*cloud.Item) error {
	cfg := items[0].Config.(*s3account.AccountBlock)
	shared.KnowAccountBlock(r, cfg.Block)
	found, err := cloud.RememberFor(r, shared.DependentsOf(r.Scope.Account), dependentsFor, func() (dependents, error) {
		return readAll(ctx, r)
	})
	if err != nil {
		return err
	}
	cfg.Dependents, cfg.Buckets = found.list, found.buckets
	return nil
}

func readAll(ctx context.Context, r *cloud.Reading) (d dependents, err error) {
	byRegion, err := d.byRegion(ctx, r)
	if err != nil {
		return d, err
	}
	for region, names := range byRegion {
		where := r.Scope
		where.Region, where.Type, where.IDs = region, shared.Buckets, names
		d.buckets += len(names)
		page, err := r.Read(ctx, where)
		if err != nil {
			if ctx.Err() != nil || cloud.Is(err, cloud.Expired) || cloud.Is(err, cloud.Throttled) {
				return d, err
			}
			why := "it could not be read: nothing of its region can"
			if cloud.Is(err, cloud.RegionOff) {
				why = "it could not be read, since its region is off"
			}
			for _, n := range names {
				d.list = append(d.list, s3account.Dependent{Bucket: n, Region: region, Why: []string{why}})
			}
			continue
		}
		for _, x := range page.Resources {
			if why := needs(ctx, x); len(why) > 0 {
				d.list = append(d.list, s3account.Dependent{Bucket: x.ID, Region: region, Why: why})
			}
		}
	}
	slices.SortFunc(d.list, func(a, b s3account.Dependent) int { return cmp.Compare(a.Bucket, b.Bucket) })
	return d, nil
}

// needs says why a bucket may depend on public access.
func needs(ctx context.Context, x dera.Resource) []string {
	b, ok := x.Config.(interface {
		Needs(context.Context) []string
	})
	if !ok {
		return []string{"it could not be read"}
	}
	why := b.Needs(ctx)
	if x.Unread != "" && len(why) == 0 {
		why = []string{"it could not be read"}
	}
	return why
}

// byRegion lists the buckets. One of which nobody says where it is counts as a
// dependent.
func (d *dependents) byRegion(ctx context.Context, r *cloud.Reading) (map[string][]string, error) {
	out := map[string][]string{}
	err := cloud.Walk(func(token *string) (*string, error) {
		list, next, err := shared.ListBuckets(ctx, r, &s3.ListBucketsInput{MaxBuckets: aws.Int32(pageSize), ContinuationToken: token})
		if err != nil {
			return nil, err
		}
		for _, b := range list {
			at, name := aws.ToString(b.BucketRegion), aws.ToString(b.Name)
			if at == "" {
				if at, err = shared.Located(ctx, r, name); err != nil {
					if ctx.Err() != nil {
						return nil, err
					}
					d.buckets++
					d.list = append(d.list, s3account.Dependent{Bucket: name, Region: "an unknown region", Why: []string{"nobody says where it is"}})
				}
			}
			if at != "" {
				out[at] = append(out[at], name)
			}
		}
		return next, nil
	})
	return out, err
}
