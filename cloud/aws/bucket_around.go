package aws

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/aws-sdk-go-v2/service/s3control/types"

	"dera"
	"dera/resource"
)

// readAround reads what several buckets share: the block of the account, the
// access points, and for a full look the distributions of CloudFront.
func (r bucketReader) readAround(ctx context.Context, names []string) (around, error) {
	var a around
	wanted := map[string]bool{}
	for _, n := range names {
		wanted[n] = true
	}
	steps := []struct {
		part string
		read func() error
	}{
		{resource.PartAccountBlock, func() (err error) {
			a.block, err = r.accountBlock(ctx, r.scope.Account, r.regionFor(r.scope.Region))
			return err
		}},
		{resource.PartAccessPoints, func() (err error) { a.points, err = r.accessPoints(ctx, wanted); return err }},
		{resource.PartOrigins, func() (err error) { a.origins, err = r.origins(ctx); return err }},
	}
	if !r.full {
		steps = steps[:2]
	}
	if p := dera.PartitionOf(r.scope.Region); r.full && !p.CloudFront {
		// CloudFront is not there, and distributions of other partitions may have
		// origins there (AWS GovCloud user guide, "Amazon CloudFront").
		steps, a.unread = steps[:2], append(a.unread, resource.PartOrigins)
	}
	for _, s := range steps {
		err := s.read()
		switch {
		case err == nil:
		case Is(err, Denied), Is(err, Unavailable):
			a.unread = append(a.unread, s.part)
		default:
			return a, err
		}
	}
	return a, nil
}

// accountBlock reads the public access block of an account; nil is none.
func (c *Client) accountBlock(ctx context.Context, account, region string) (*resource.Block, error) {
	out, err := c.s3control(account, region).GetPublicAccessBlock(ctx, &s3control.GetPublicAccessBlockInput{AccountId: aws.String(account)})
	if err != nil {
		err = wrap(account, region, "s3control:GetPublicAccessBlock", err)
		var e *Error
		if errors.As(err, &e) && e.Code == "NoSuchPublicAccessBlockConfiguration" {
			return nil, nil
		}
		return nil, err
	}
	return blockOf(out.PublicAccessBlockConfiguration), nil
}

func blockOf(p *types.PublicAccessBlockConfiguration) *resource.Block {
	if p == nil {
		return nil
	}
	return &resource.Block{
		PublicACLs: aws.ToBool(p.BlockPublicAcls), IgnorePublicACLs: aws.ToBool(p.IgnorePublicAcls),
		PublicPolicy: aws.ToBool(p.BlockPublicPolicy), RestrictedBuckets: aws.ToBool(p.RestrictPublicBuckets),
	}
}

// accessPoints reads the access points of the wanted buckets.
func (r bucketReader) accessPoints(ctx context.Context, wanted map[string]bool) (map[string][]resource.AccessPoint, error) {
	account := r.scope.Account
	api := r.s3control(account, r.scope.Region)
	in := &s3control.ListAccessPointsInput{AccountId: aws.String(account)}
	if len(wanted) == 1 {
		for name := range wanted {
			in.Bucket = aws.String(name)
		}
	}
	out := map[string][]resource.AccessPoint{}
	pages := s3control.NewListAccessPointsPaginator(api, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			err = r.fail("s3control:ListAccessPoints", err)
			if Is(err, NotFound) {
				return out, nil // the bucket that is asked for is not there
			}
			return nil, err
		}
		for _, p := range page.AccessPointList {
			bucket := aws.ToString(p.Bucket)
			if !wanted[bucket] || aws.ToString(p.BucketAccountId) != "" && aws.ToString(p.BucketAccountId) != account {
				continue
			}
			point, err := r.accessPoint(ctx, api, aws.ToString(p.Name))
			if err != nil {
				return nil, err
			}
			if point.Name != "" {
				out[bucket] = append(out[bucket], point)
			}
		}
	}
	return out, nil
}

// accessPoint reads one access point; one that is gone meanwhile has no name.
func (r bucketReader) accessPoint(ctx context.Context, api *s3control.Client, name string) (resource.AccessPoint, error) {
	account := aws.String(r.scope.Account)
	got, err := api.GetAccessPoint(ctx, &s3control.GetAccessPointInput{AccountId: account, Name: aws.String(name)})
	if err != nil {
		if err = r.fail("s3control:GetAccessPoint", err); Is(err, NotFound) {
			return resource.AccessPoint{}, nil
		}
		return resource.AccessPoint{}, err
	}
	p := resource.AccessPoint{Name: name, Block: blockOf(got.PublicAccessBlockConfiguration)}
	if got.VpcConfiguration != nil {
		p.VPC = aws.ToString(got.VpcConfiguration.VpcId)
	}
	text, err := api.GetAccessPointPolicy(ctx, &s3control.GetAccessPointPolicyInput{AccountId: account, Name: aws.String(name)})
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

// origins reads which buckets are origins of the account's distributions.
func (r bucketReader) origins(ctx context.Context) (map[string][]string, error) {
	out := map[string][]string{}
	pages := cloudfront.NewListDistributionsPaginator(r.cloudfront(r.scope.Account, r.regionFor(r.scope.Region)), &cloudfront.ListDistributionsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, r.fail("cloudfront:ListDistributions", err)
		}
		if page.DistributionList == nil {
			continue
		}
		for _, d := range page.DistributionList.Items {
			if d.Origins == nil {
				continue
			}
			for _, o := range d.Origins.Items {
				if bucket := originOf(aws.ToString(o.DomainName)); bucket != "" {
					out[bucket] = append(out[bucket], aws.ToString(d.Id))
				}
			}
		}
	}
	return out, nil
}
