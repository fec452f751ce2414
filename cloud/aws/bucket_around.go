package aws

import (
	"context"
	"errors"
	"fmt"

	"dera.example/dera"
	"dera.example/dera/services/s3"
	s3bucket "dera.example/dera/services/s3/bucket"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
)

// readAround reads what several buckets share: the block of the account, the
// access points, and for a full look the distributions of CloudFront.
func (r bucketReader) readAround(ctx context.Context, names []string) (around, error) {
	a := around{points: map[string][]s3bucket.AccessPoint{}, sick: map[string]error{}}
	wanted := map[string]bool{}
	for _, n := range names {
		wanted[n] = true
	}
	steps := []struct {
		part string
		read func() error
	}{
		{s3bucket.PartAccountBlock, func() (err error) {
			a.block, err = r.accountBlock(ctx, r.scope.Account, r.regionFor(r.scope.Region))
			return err
		}},
		{s3bucket.PartAccessPoints, func() (err error) { a.points, a.sick, err = r.accessPoints(ctx, wanted); return err }},
		{s3bucket.PartMultiRegion, func() error { return r.multiRegionPoints(ctx, wanted, &a) }},
		{s3bucket.PartOrigins, func() (err error) { a.origins, err = r.origins(ctx); return err }},
	}
	if !r.full {
		steps = steps[:3]
	}
	if p := dera.PartitionOf(r.scope.Region); r.full && !p.CloudFront {
		// CloudFront is not there, and distributions of other partitions may have
		// origins there (AWS GovCloud user guide, "Amazon CloudFront").
		steps, a.unread = steps[:3], append(a.unread, s3bucket.PartOrigins)
	}
	for _, s := range steps {
		err := s.read()
		switch {
		case err == nil:
		case Is(err, Denied), Is(err, Unavailable), s.part == s3bucket.PartOrigins && errors.Is(err, errNoOrigins):
			a.unread = append(a.unread, s.part)
		default:
			return a, err
		}
	}
	return a, nil
}

// accountBlock reads the public access block of an account; nil is none.
func (c *Client) accountBlock(ctx context.Context, account, region string) (*s3.Block, error) {
	out, err := c.s3control(account, region).GetPublicAccessBlock(ctx, &s3control.GetPublicAccessBlockInput{AccountId: aws.String(account)})
	if err != nil {
		err = wrap(account, region, "s3control:GetPublicAccessBlock", err)
		var e *Error
		if errors.As(err, &e) && e.Code == "NoSuchPublicAccessBlockConfiguration" {
			return nil, nil
		}
		return nil, err
	}
	p := out.PublicAccessBlockConfiguration
	if p == nil {
		return nil, wrap(account, region, "s3control:GetPublicAccessBlock", foreign("it has no block"))
	}
	block, err := blockOf(p.BlockPublicAcls, p.IgnorePublicAcls, p.BlockPublicPolicy, p.RestrictPublicBuckets)
	if err != nil {
		return nil, wrap(account, region, "s3control:GetPublicAccessBlock", err)
	}
	return block, nil
}

// blockOf is a block as S3 returns it: always with all four settings.
func blockOf(acls, ignore, policy, restrict *bool) (*s3.Block, error) {
	if acls == nil || ignore == nil || policy == nil || restrict == nil {
		return nil, foreign("it has not all four settings of a block")
	}
	return &s3.Block{PublicACLs: *acls, IgnorePublicACLs: *ignore, PublicPolicy: *policy, RestrictedBuckets: *restrict}, nil
}

// accessPoints reads the access points of the wanted buckets. One that cannot be
// read leaves the access points of its bucket unread: sick says why, by bucket.
func (r bucketReader) accessPoints(ctx context.Context, wanted map[string]bool) (points map[string][]s3bucket.AccessPoint, sick map[string]error, err error) {
	account := r.scope.Account
	api := r.s3control(account, r.scope.Region)
	in := &s3control.ListAccessPointsInput{AccountId: aws.String(account)}
	if len(wanted) == 1 {
		for name := range wanted {
			in.Bucket = aws.String(name)
		}
	}
	points, sick = map[string][]s3bucket.AccessPoint{}, map[string]error{}
	err = walk(func(token *string) (*string, error) {
		in.NextToken = token
		page, err := api.ListAccessPoints(ctx, in)
		// A list that is left out is an empty one: whether AWS sends an empty list is
		// not documented, and to refuse it could leave every bucket unread.
		if err != nil {
			err = r.fail("s3control:ListAccessPoints", err)
			if Is(err, NotFound) { // so the bucket must be gone; where it is not, its access points are not known
				for name := range wanted {
					sick[name] = err
				}
				return nil, nil
			}
			return nil, err
		}
		for _, p := range page.AccessPointList {
			bucket := aws.ToString(p.Bucket)
			if !wanted[bucket] || aws.ToString(p.BucketAccountId) != "" && aws.ToString(p.BucketAccountId) != account {
				continue
			}
			point, err := r.accessPoint(ctx, api, aws.ToString(p.Name), bucket)
			switch {
			case err != nil && (Is(err, Expired) || ctx.Err() != nil):
				return nil, err
			case err != nil:
				sick[bucket] = err
			default:
				points[bucket] = append(points[bucket], point)
			}
		}
		return page.NextToken, nil
	})
	return points, sick, err
}

// accessPoint reads one access point that is listed: that there is none contradicts
// the list.
func (r bucketReader) accessPoint(ctx context.Context, api *s3control.Client, name, bucket string) (s3bucket.AccessPoint, error) {
	account := aws.String(r.scope.Account)
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Timeout/4)
	defer cancel()
	got, err := api.GetAccessPoint(ctx, &s3control.GetAccessPointInput{AccountId: account, Name: aws.String(name)})
	if err == nil && (aws.ToString(got.Name) != name || aws.ToString(got.Bucket) != bucket) {
		err = foreign("it is about the access point %.60q of %.60q", aws.ToString(got.Name), aws.ToString(got.Bucket))
	}
	if err != nil {
		return s3bucket.AccessPoint{}, r.fail("s3control:GetAccessPoint", err)
	}
	p := s3bucket.AccessPoint{Name: name}
	if b := got.PublicAccessBlockConfiguration; b != nil {
		if p.Block, err = blockOf(b.BlockPublicAcls, b.IgnorePublicAcls, b.BlockPublicPolicy, b.RestrictPublicBuckets); err != nil {
			return p, r.fail("s3control:GetAccessPoint", err)
		}
	}
	if got.VpcConfiguration != nil {
		p.VPC = aws.ToString(got.VpcConfiguration.VpcId)
	}
	text, err := api.GetAccessPointPolicy(ctx, &s3control.GetAccessPointPolicyInput{AccountId: account, Name: aws.String(name)})
	if err == nil && aws.ToString(text.Policy) == "" {
		err = foreign("it has no policy")
	}
	switch err = r.noPolicy(err); {
	case err != nil:
		return p, err
	case text != nil:
		p.Policy = aws.ToString(text.Policy)
	}
	return p, nil
}

// noPolicy takes the word that there is no policy for an answer.
func (r bucketReader) noPolicy(err error) error {
	if err == nil {
		return nil
	}
	if err = r.fail("s3control:GetAccessPointPolicy", err); Is(err, NotFound) {
		return nil
	}
	return err
}

// errNoOrigins means that a distribution is reported without all of its origins: then
// which buckets are origins is not known.
var errNoOrigins = errors.New("the answer leaves origins out")

// origins reads which buckets are origins of the account's distributions.
func (r bucketReader) origins(ctx context.Context) (map[string][]string, error) {
	out := map[string][]string{}
	api := r.cloudfront(r.scope.Account, r.regionFor(r.scope.Region))
	err := walk(func(token *string) (*string, error) {
		page, err := api.ListDistributions(ctx, &cloudfront.ListDistributionsInput{Marker: token})
		if err == nil && (page.DistributionList == nil || page.DistributionList.Quantity == nil) {
			err = foreign("it has no list of distributions")
		}
		if err != nil {
			return nil, r.fail("cloudfront:ListDistributions", err)
		}
		for _, d := range page.DistributionList.Items {
			// Every distribution has an origin (CloudFront API reference, Origins).
			if d.Origins == nil || len(d.Origins.Items) == 0 || int(aws.ToInt32(d.Origins.Quantity)) != len(d.Origins.Items) {
				return nil, r.fail("cloudfront:ListDistributions", fmt.Errorf("%w: distribution %.40q", errNoOrigins, aws.ToString(d.Id)))
			}
			for _, o := range d.Origins.Items {
				if bucket := originOf(aws.ToString(o.DomainName), aws.ToString(o.OriginPath)); bucket != "" {
					out[bucket] = append(out[bucket], aws.ToString(d.Id))
				}
			}
		}
		if !aws.ToBool(page.DistributionList.IsTruncated) {
			return nil, nil
		}
		return page.DistributionList.NextMarker, nil
	})
	return out, err
}
