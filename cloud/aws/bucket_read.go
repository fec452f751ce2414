package aws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"dera.example/dera"
	s3types "dera.example/dera/services/s3"
	"dera.example/dera/services/s3/bucket"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
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
	lost   map[string]string // why nobody says where a bucket is, by its name
}

// around is what is read once for all buckets of a read.
type around struct {
	block   *s3types.Block
	points  map[string][]bucket.AccessPoint // by bucket
	origins map[string][]string             // by bucket
	sick    map[string]error                // why access points could not be read, by bucket
	unread  []string
}

// readBuckets reads the buckets of the scope. A cheap look leaves out tags,
// website and distributions.
func (c *Client) readBuckets(ctx context.Context, scope dera.Scope, full bool) (Page, error) {
	r := bucketReader{Client: c, api: c.s3(scope.Account, scope.Region), scope: scope, at: c.now(), full: full, lost: map[string]string{}}
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
		switch {
		case !b.gone:
			page.Resources = append(page.Resources, r.resource(b))
		case !scope.Sweep():
			page.Missing = append(page.Missing, names[i])
		}
	}
	return page, nil
}

// list returns the names on one page of the account's buckets in the region. A
// bucket of which nobody says where it is could be here: it is on the page, and
// unread.
func (r bucketReader) list(ctx context.Context) (names []string, next string, err error) {
	in := &s3.ListBucketsInput{MaxBuckets: aws.Int32(bucketPage), BucketRegion: aws.String(r.scope.Region)}
	if r.scope.Page != "" {
		in.ContinuationToken = aws.String(r.scope.Page)
	}
	out, err := r.api.ListBuckets(ctx, in)
	if err == nil && out.Buckets == nil {
		err = foreign("it has no list of buckets")
	}
	if err != nil {
		return nil, "", r.fail("s3:ListBuckets", err)
	}
	for _, b := range out.Buckets {
		region, name := aws.ToString(b.BucketRegion), aws.ToString(b.Name)
		if region == "" {
			if region, err = r.locate(ctx, name); err != nil {
				if ctx.Err() != nil {
					return nil, "", err
				}
				r.lost[name], region = err.Error(), r.scope.Region
			}
		}
		if region == r.scope.Region {
			names = append(names, name)
		}
	}
	return names, aws.ToString(out.ContinuationToken), nil
}

// locate asks where a bucket is. A bucket that is gone is nowhere; one that dera
// may not ask about is an error, since it could be here.
func (r bucketReader) locate(ctx context.Context, name string) (string, error) {
	out, err := r.api.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: aws.String(name), ExpectedBucketOwner: aws.String(r.scope.Account)})
	if err != nil {
		err = r.fail("s3:GetBucketLocation", err)
		if Is(err, NotFound) {
			return "", nil
		}
		return "", err
	}
	at := string(out.LocationConstraint)
	switch at {
	case "": // the first region has no name here (S3 API reference, GetBucketLocation)
		at = "us-east-1"
	case "EU":
		at = "eu-west-1"
	}
	if strings.Count(at, "-") < 2 || dera.PartitionOf(at) != dera.PartitionOf(r.regionFor(r.scope.Region)) {
		return "", r.fail("s3:GetBucketLocation", foreign("%.40q is no region of the partition", at))
	}
	return at, nil
}

// found is a bucket as it was read. gone says that it is not there; sick why
// parts of it could not be read, beside those that dera has no permission for.
type found struct {
	*bucket.Bucket
	gone bool
	sick []string
}

// all reads the buckets, several at a time. One that cannot be read hides none of
// the others.
func (r bucketReader) all(ctx context.Context, names []string) ([]found, error) {
	out := make([]found, len(names))
	slots := make(chan struct{}, bucketsAtOnce)
	var wait sync.WaitGroup
	var first error
	var once sync.Once
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for i, name := range names {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			if ctx.Err() != nil {
				return
			}
			var err error
			if out[i], err = r.one(ctx, name); err != nil {
				once.Do(func() { first = err; cancel() })
			}
		})
	}
	wait.Wait()
	if first == nil {
		first = ctx.Err() // that of the caller
	}
	return out, first
}

// one reads a bucket part by part. A part that cannot be read is unread; only the
// service's own word that there is no such bucket makes it gone. What concerns all
// buckets, as credentials do, is an error.
func (r bucketReader) one(ctx context.Context, name string) (found, error) {
	parent := ctx
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Timeout/4) // one that answers nothing leaves time for the others
	defer cancel()
	b := found{Bucket: &bucket.Bucket{
		Name: name, Owner: r.scope.Account, Region: r.scope.Region, AccountBlock: r.around.block,
		AccessPoints: r.around.points[name], Origins: r.around.origins[name], Unread: slices.Clone(r.around.unread),
	}}
	b.fails("location", r.lost[name])
	if err := r.around.sick[name]; err != nil {
		b.Unread = append(b.Unread, bucket.PartAccessPoints)
		if !Is(err, Denied) {
			b.fails(bucket.PartAccessPoints, err.Error())
		}
	}
	parts := []struct {
		part, call string
		absent     string // the code for a part that the bucket does not have
		read       func() error
	}{
		{bucket.PartBlock, "s3:GetPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration", func() error { return r.block(ctx, b.Bucket) }},
		{bucket.PartPolicy, "s3:GetBucketPolicy", "NoSuchBucketPolicy", func() error { return r.policy(ctx, b.Bucket) }},
		{bucket.PartOwnership, "s3:GetBucketOwnershipControls", "OwnershipControlsNotFoundError", func() error { return r.ownership(ctx, b.Bucket) }},
		{bucket.PartACL, "s3:GetBucketAcl", "", func() error { return r.acl(ctx, b.Bucket) }},
		{bucket.PartTags, "s3:GetBucketTagging", "NoSuchTagSet", func() error { return r.tags(ctx, b.Bucket) }},
		{bucket.PartWebsite, "s3:GetBucketWebsite", "NoSuchWebsiteConfiguration", func() error { return r.website(ctx, b.Bucket) }},
	}
	if !r.full {
		parts = parts[:4]
	}
	moved := false
	for _, p := range parts {
		err := p.read()
		if err == nil {
			continue
		}
		if parent.Err() != nil {
			return b, r.fail(p.call, parent.Err())
		}
		err = r.fail(p.call, err)
		var e *Error
		_ = errors.As(err, &e) // fail gives nothing else
		switch {
		case e.Code == "NoSuchBucket":
			b.gone = true
			return b, nil
		case p.absent != "" && e.Code == p.absent:
			continue
		case e.Problem == Expired, e.Problem == RegionOff:
			return b, fmt.Errorf("bucket %s: %w", name, err)
		case e.Problem != Denied:
			b.fails(p.part, err.Error())
			moved = moved || elsewhere(e)
		}
		b.Unread = append(b.Unread, p.part)
	}
	if moved {
		if where, err := r.locate(ctx, name); err == nil && where != r.scope.Region {
			b.gone = true // its name is another region's by now
		}
	}
	slices.Sort(b.Unread)
	return b, nil
}

// elsewhere reports whether the service says that the bucket is in another region.
func elsewhere(e *Error) bool {
	var res *smithyhttp.ResponseError
	return e.Code == "PermanentRedirect" || e.Code == "AuthorizationHeaderMalformed" ||
		errors.As(e.Err, &res) && res.Response != nil && res.HTTPStatusCode() == http.StatusMovedPermanently
}

// fails notes why a part could not be read; nothing for no reason.
func (b *found) fails(part, why string) {
	if why != "" {
		b.sick = append(b.sick, "its "+part+" could not be read: "+why)
	}
}

func (r bucketReader) policy(ctx context.Context, b *bucket.Bucket) error {
	out, err := r.api.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: aws.String(b.Name), ExpectedBucketOwner: aws.String(b.Owner)})
	if err != nil {
		return err
	}
	b.Policy = aws.ToString(out.Policy)
	return ofBucket(b.Policy, b.Name)
}

func (r bucketReader) acl(ctx context.Context, b *bucket.Bucket) error {
	out, err := r.api.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: aws.String(b.Name), ExpectedBucketOwner: aws.String(b.Owner)})
	if err != nil {
		return err
	}
	if out.Owner == nil || out.Grants == nil {
		return foreign("it has no owner or no grants")
	}
	b.OwnerID = aws.ToString(out.Owner.ID)
	for _, g := range out.Grants {
		if g.Grantee == nil || aws.ToString(g.Grantee.ID) == "" && aws.ToString(g.Grantee.URI) == "" || !slices.Contains(g.Permission.Values(), g.Permission) {
			return foreign("it has a grant of nothing or to nobody that S3 knows")
		}
		b.Grants = append(b.Grants, s3types.Grant{ID: aws.ToString(g.Grantee.ID), URI: aws.ToString(g.Grantee.URI), Permission: string(g.Permission)})
	}
	return nil
}

func (r bucketReader) block(ctx context.Context, b *bucket.Bucket) error {
	out, err := r.api.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: aws.String(b.Name), ExpectedBucketOwner: aws.String(b.Owner)})
	if err != nil {
		return err
	}
	p := out.PublicAccessBlockConfiguration
	if p == nil {
		return foreign("it has no block")
	}
	b.Block, err = blockOf(p.BlockPublicAcls, p.IgnorePublicAcls, p.BlockPublicPolicy, p.RestrictPublicBuckets)
	return err
}

func (r bucketReader) ownership(ctx context.Context, b *bucket.Bucket) error {
	out, err := r.api.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: aws.String(b.Name), ExpectedBucketOwner: aws.String(b.Owner)})
	if err != nil {
		return err
	}
	if out.OwnershipControls == nil || len(out.OwnershipControls.Rules) != 1 || !slices.Contains(types.ObjectOwnership("").Values(), out.OwnershipControls.Rules[0].ObjectOwnership) {
		return foreign("it has not just one setting that S3 knows")
	}
	b.Ownership = string(out.OwnershipControls.Rules[0].ObjectOwnership)
	return nil
}

func (r bucketReader) tags(ctx context.Context, b *bucket.Bucket) error {
	out, err := r.api.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: aws.String(b.Name), ExpectedBucketOwner: aws.String(b.Owner)})
	if err == nil && out.TagSet == nil {
		err = foreign("it has no set of tags")
	}
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

func (r bucketReader) website(ctx context.Context, b *bucket.Bucket) error {
	_, err := r.api.GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: aws.String(b.Name), ExpectedBucketOwner: aws.String(b.Owner)})
	b.Website = err == nil
	return err
}

func (r bucketReader) resource(b found) dera.Resource {
	return dera.Resource{
		Unread: strings.Join(b.sick, "; "),
		ARN:    bucket.ARNOf(partitionOf(r.scope), b.Name), Partition: partitionOf(r.scope), Account: r.scope.Account, Region: r.scope.Region,
		Type: bucket.Name, ID: b.Name, Name: b.Name, Tags: b.Tags, Config: b.Bucket, ReadAt: r.at, Full: r.full,
	}
}

func (r bucketReader) fail(call string, err error) error {
	return wrap(r.scope.Account, r.scope.Region, call, err)
}

// originOf returns the bucket that the domain name and the path of an origin stand
// for, or "": BUCKET.s3.REGION.amazonaws.com and its older forms, or a service
// endpoint with the bucket first in the path (S3 user guide, "Methods for accessing
// a general purpose bucket"). Domain names have no case (RFC 4343).
func originOf(domain, path string) string {
	domain = strings.TrimSuffix(strings.ToLower(domain), ".")
	ofS3 := func(rest string) bool {
		return slices.ContainsFunc(dera.Partitions(), func(p dera.Partition) bool { return strings.HasSuffix(rest, "."+p.DNSSuffix) })
	}
	for _, mark := range []string{".s3.", ".s3-"} {
		if i := strings.LastIndex(domain, mark); i > 0 && ofS3(domain[i:]) {
			return domain[:i]
		}
	}
	if (strings.HasPrefix(domain, "s3.") || strings.HasPrefix(domain, "s3-")) && ofS3(domain) {
		first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		return first
	}
	return ""
}
