package aws

import (
	"cmp"
	"context"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/services/s3/account"
	"dera.example/dera/services/s3/bucket"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// readAccountBlock reads the public access block of an account; in full with
// every bucket that may depend on public access, in all regions.
func (c *Client) readAccountBlock(ctx context.Context, scope dera.Scope, full, again bool) (Page, error) {
	at, region := c.now(), c.regionFor(scope.Region)
	block, err := c.accountBlock(ctx, scope.Account, region)
	if err != nil {
		return Page{}, err
	}
	cfg := &account.AccountBlock{Account: scope.Account, Block: block}
	if full {
		read := c.dependents
		if again {
			read = c.dependentsOf
		} else {
			// What is decided on now is what is looked at again before a write.
			c.forgetDependents(scope.Account)
		}
		if err := read(ctx, scope, cfg); err != nil {
			return Page{}, err
		}
	}
	return Page{Resources: []dera.Resource{{
		ARN: account.ARNOf(partitionOf(scope), scope.Account), Partition: partitionOf(scope), Account: scope.Account, Region: dera.GlobalRegion,
		Type: account.Name, ID: scope.Account, Name: "S3", Config: cfg, ReadAt: at, Full: full,
	}}}, nil
}

// dependentsFor is how long the buckets of an account are remembered. A
// remediation reads the block several times within seconds; to read thousands of
// buckets each time would use up the account's own API quota.
const dependentsFor = 30 * time.Second

type rememberedDependents struct {
	at      time.Time
	list    []account.Dependent
	buckets int
}

// dependentsOf is dependents, remembered for a short while, until dera itself
// writes to a bucket of the account, and until the block is looked at for a
// decision: a remediation begins with a read of its own.
func (c *Client) dependentsOf(ctx context.Context, scope dera.Scope, cfg *account.AccountBlock) error {
	c.mu.Lock()
	known, ok := c.dependent[scope.Account]
	c.mu.Unlock()
	if at := c.now(); ok && at.Sub(known.at) < dependentsFor && !at.Before(known.at) {
		cfg.Dependents, cfg.Buckets = known.list, known.buckets
		return nil
	}
	at := c.now()
	if err := c.dependents(ctx, scope, cfg); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dependent[scope.Account] = rememberedDependents{at, cfg.Dependents, cfg.Buckets}
	return nil
}

// forgetDependents is for writes to buckets.
func (c *Client) forgetDependents(account string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.dependent, account)
}

// dependents reads all buckets of the account and notes those that may depend on
// public access. A bucket that cannot be read, or whose region is switched off,
// counts as one that does.
func (c *Client) dependents(ctx context.Context, scope dera.Scope, cfg *account.AccountBlock) error {
	byRegion, err := c.bucketsByRegion(ctx, scope, cfg)
	if err != nil {
		return err
	}
	for region, names := range byRegion {
		where := scope
		where.Region, where.Type, where.IDs = region, bucket.Name, names
		cfg.Buckets += len(names)
		page, err := c.readBuckets(ctx, where, true)
		if err != nil {
			if ctx.Err() != nil || Is(err, Expired) || Is(err, Throttled) {
				return err
			}
			why := "it could not be read: nothing of its region can"
			if Is(err, RegionOff) {
				why = "it could not be read, since its region is off"
			}
			for _, n := range names {
				cfg.Dependents = append(cfg.Dependents, account.Dependent{Bucket: n, Region: region, Why: []string{why}})
			}
			continue
		}
		for _, r := range page.Resources {
			b := r.Config.(*bucket.Bucket)
			why := b.Needs(ctx)
			if r.Unread != "" && len(why) == 0 {
				why = []string{"it could not be read"}
			}
			if len(why) > 0 {
				cfg.Dependents = append(cfg.Dependents, account.Dependent{Bucket: b.Name, Region: region, Why: why})
			}
		}
	}
	slices.SortFunc(cfg.Dependents, func(a, b account.Dependent) int { return cmp.Compare(a.Bucket, b.Bucket) })
	return nil
}

func (c *Client) bucketsByRegion(ctx context.Context, scope dera.Scope, cfg *account.AccountBlock) (map[string][]string, error) {
	region := c.regionFor(scope.Region)
	r := bucketReader{Client: c, api: c.s3(scope.Account, region), scope: scope}
	out := map[string][]string{}
	err := walk(func(token *string) (*string, error) {
		page, err := r.api.ListBuckets(ctx, &s3.ListBucketsInput{MaxBuckets: aws.Int32(pageSize), ContinuationToken: token})
		if err == nil && page.Buckets == nil {
			err = foreign("it has no list of buckets")
		}
		if err != nil {
			return nil, r.fail("s3:ListBuckets", err)
		}
		for _, b := range page.Buckets {
			at, name := aws.ToString(b.BucketRegion), aws.ToString(b.Name)
			if at == "" {
				if at, err = r.locate(ctx, name); err != nil {
					if ctx.Err() != nil {
						return nil, err
					}
					cfg.Buckets++
					cfg.Dependents = append(cfg.Dependents, account.Dependent{Bucket: name, Region: "an unknown region", Why: []string{"nobody says where it is"}})
				}
			}
			if at != "" {
				out[at] = append(out[at], name)
			}
		}
		return page.ContinuationToken, nil
	})
	return out, err
}
