package aws

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"dera"
	"dera/resource"
)

// bucketPage is how many buckets a page of a sweep has, and bucketsAtOnce how
// many are read at the same time.
const (
	bucketPage    = 100
	bucketsAtOnce = 8
)

// bucketReader reads the buckets of one account and region.
type bucketReader struct {
	*Client
	api    *s3.Client
	scope  dera.Scope
	at     time.Time
	full   bool
	around around
}

// around is what is read once for all buckets of a read.
type around struct {
	block   *resource.Block
	points  map[string][]resource.AccessPoint // by bucket
	origins map[string][]string               // by bucket
	unread  []string
}

// readBuckets reads the buckets of the scope. A cheap look leaves out tags,
// website and distributions.
func (c *Client) readBuckets(ctx context.Context, scope dera.Scope, full bool) (Page, error) {
	r := bucketReader{Client: c, api: c.s3(scope.Account, scope.Region), scope: scope, at: c.now(), full: full}
	names := scope.IDs
	var page Page
	if scope.Sweep() {
		var err error
		if names, page.Next, err = r.list(ctx); err != nil {
			return Page{}, err
		}
	}
	if len(names) == 0 {
		return page, nil
	}
	var err error
	if r.around, err = r.readAround(ctx, names); err != nil {
		return Page{}, err
	}
	found, err := r.all(ctx, names)
	if err != nil {
		return Page{}, err
	}
	for i, b := range found {
		if b == nil {
			if !scope.Sweep() {
				page.Missing = append(page.Missing, names[i])
			}
			continue
		}
		page.Resources = append(page.Resources, r.resource(b))
	}
	return page, nil
}

// list returns the names on one page of the account's buckets in the region.
func (r bucketReader) list(ctx context.Context) (names []string, next string, err error) {
	in := &s3.ListBucketsInput{MaxBuckets: aws.Int32(bucketPage), BucketRegion: aws.String(r.scope.Region)}
	if r.scope.Page != "" {
		in.ContinuationToken = aws.String(r.scope.Page)
	}
	out, err := r.api.ListBuckets(ctx, in)
	if err != nil {
		return nil, "", r.fail("s3:ListBuckets", err)
	}
	for _, b := range out.Buckets {
		region := aws.ToString(b.BucketRegion)
		if region == "" {
			if region, err = r.locate(ctx, aws.ToString(b.Name)); err != nil {
				return nil, "", err
			}
		}
		if region == r.scope.Region {
			names = append(names, aws.ToString(b.Name))
		}
	}
	return names, aws.ToString(out.ContinuationToken), nil
}

// locate asks where a bucket is. A bucket that is gone is nowhere; one that dera
// may not ask about is an error, since it could be here.
func (r bucketReader) locate(ctx context.Context, name string) (string, error) {
	out, err := r.api.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: aws.String(name)})
	if err != nil {
		err = r.fail("s3:GetBucketLocation", err)
		if Is(err, NotFound) {
			return "", nil
		}
		return "", err
	}
	switch at := string(out.LocationConstraint); at {
	case "": // the first region has no name here (S3 API reference, GetBucketLocation)
		return "us-east-1", nil
	case "EU":
		return "eu-west-1", nil
	default:
		return at, nil
	}
}

// all reads the buckets, several at a time; one that does not exist is nil.
func (r bucketReader) all(ctx context.Context, names []string) ([]*resource.Bucket, error) {
	out := make([]*resource.Bucket, len(names))
	errs := make([]error, len(names))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	slots := make(chan struct{}, bucketsAtOnce)
	var wait sync.WaitGroup
	for i, name := range names {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			if errs[i] = ctx.Err(); errs[i] == nil {
				out[i], errs[i] = r.one(ctx, name)
			}
			if errs[i] != nil {
				cancel()
			}
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return nil, err
		}
	}
	return out, errors.Join(errs...)
}

// one reads a bucket part by part. A part that dera is not let read is unread; the
// service's own word that there is no such bucket makes it nil.
func (r bucketReader) one(ctx context.Context, name string) (*resource.Bucket, error) {
	b := &resource.Bucket{
		Name: name, Owner: r.scope.Account, Region: r.scope.Region, AccountBlock: r.around.block,
		AccessPoints: r.around.points[name], Origins: r.around.origins[name], Unread: slices.Clone(r.around.unread),
	}
	parts := []struct {
		part, call string
		absent     string // the code for a part that the bucket does not have
		read       func() error
	}{
		{resource.PartBlock, "s3:GetPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration", func() error { return r.block(ctx, b) }},
		{resource.PartPolicy, "s3:GetBucketPolicy", "NoSuchBucketPolicy", func() error { return r.policy(ctx, b) }},
		{resource.PartOwnership, "s3:GetBucketOwnershipControls", "OwnershipControlsNotFoundError", func() error { return r.ownership(ctx, b) }},
		{resource.PartACL, "s3:GetBucketAcl", "", func() error { return r.acl(ctx, b) }},
		{resource.PartTags, "s3:GetBucketTagging", "NoSuchTagSet", func() error { return r.tags(ctx, b) }},
		{resource.PartWebsite, "s3:GetBucketWebsite", "NoSuchWebsiteConfiguration", func() error { return r.website(ctx, b) }},
	}
	if !r.full {
		parts = parts[:4]
	}
	for _, p := range parts {
		err := p.read()
		if err == nil {
			continue
		}
		err = r.fail(p.call, err)
		var e *Error
		switch {
		case errors.As(err, &e) && e.Code == "NoSuchBucket":
			return nil, nil
		case e != nil && p.absent != "" && e.Code == p.absent:
		case e != nil && e.Problem == Denied:
			b.Unread = append(b.Unread, p.part)
		default:
			return nil, fmt.Errorf("bucket %s: %w", name, err)
		}
	}
	slices.Sort(b.Unread)
	return b, nil
}

func (r bucketReader) policy(ctx context.Context, b *resource.Bucket) error {
	out, err := r.api.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: aws.String(b.Name), ExpectedBucketOwner: aws.String(b.Owner)})
	if err == nil {
		b.Policy = aws.ToString(out.Policy)
	}
	return err
}

func (r bucketReader) acl(ctx context.Context, b *resource.Bucket) error {
	out, err := r.api.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: aws.String(b.Name), ExpectedBucketOwner: aws.String(b.Owner)})
	if err != nil {
		return err
	}
	if out.Owner != nil {
		b.OwnerID = aws.ToString(out.Owner.ID)
	}
	for _, g := range out.Grants {
		if g.Grantee == nil {
			continue
		}
		b.Grants = append(b.Grants, resource.Grant{ID: aws.ToString(g.Grantee.ID), URI: aws.ToString(g.Grantee.URI), Permission: string(g.Permission)})
	}
	return nil
}

func (r bucketReader) block(ctx context.Context, b *resource.Bucket) error {
	out, err := r.api.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: aws.String(b.Name), ExpectedBucketOwner: aws.String(b.Owner)})
	if err == nil && out.PublicAccessBlockConfiguration != nil {
		p := out.PublicAccessBlockConfiguration
		b.Block = &resource.Block{
			PublicACLs: aws.ToBool(p.BlockPublicAcls), IgnorePublicACLs: aws.ToBool(p.IgnorePublicAcls),
			PublicPolicy: aws.ToBool(p.BlockPublicPolicy), RestrictedBuckets: aws.ToBool(p.RestrictPublicBuckets),
		}
	}
	return err
}

func (r bucketReader) ownership(ctx context.Context, b *resource.Bucket) error {
	out, err := r.api.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: aws.String(b.Name), ExpectedBucketOwner: aws.String(b.Owner)})
	if err == nil && out.OwnershipControls != nil && len(out.OwnershipControls.Rules) > 0 {
		b.Ownership = string(out.OwnershipControls.Rules[0].ObjectOwnership)
	}
	return err
}

func (r bucketReader) tags(ctx context.Context, b *resource.Bucket) error {
	out, err := r.api.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: aws.String(b.Name), ExpectedBucketOwner: aws.String(b.Owner)})
	if err == nil {
		b.Tags = s3Tags(out.TagSet)
	}
	return err
}

func s3Tags(set []types.Tag) map[string]string {
	if len(set) == 0 {
		return nil
	}
	out := make(map[string]string, len(set))
	for _, t := range set {
		out[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return out
}

func (r bucketReader) website(ctx context.Context, b *resource.Bucket) error {
	_, err := r.api.GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: aws.String(b.Name), ExpectedBucketOwner: aws.String(b.Owner)})
	b.Website = err == nil
	return err
}

func (r bucketReader) resource(b *resource.Bucket) dera.Resource {
	return dera.Resource{
		ARN: resource.BucketARN(partitionOf(r.scope), b.Name), Partition: partitionOf(r.scope), Account: r.scope.Account, Region: r.scope.Region,
		Type: resource.BucketType, ID: b.Name, Name: b.Name, Tags: b.Tags, Config: b, ReadAt: r.at, Full: r.full,
	}
}

func (r bucketReader) fail(call string, err error) error {
	return wrap(r.scope.Account, r.scope.Region, call, err)
}

// originOf returns the bucket that a domain name of an origin stands for, or "".
func originOf(domain string) string {
	for _, mark := range []string{".s3.", ".s3-"} {
		i := strings.LastIndex(domain, mark)
		if i > 0 && slices.ContainsFunc(dera.Partitions(), func(p dera.Partition) bool { return strings.HasSuffix(domain[i:], "."+p.DNSSuffix) }) {
			return domain[:i]
		}
	}
	return ""
}
