package aws

import (
	"context"
	"errors"
	"slices"

	"dera.example/dera"
	"dera.example/dera/services/s3/bucket"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/aws-sdk-go-v2/service/s3control/types"
)

// multiRegionHome is the only region that answers about multi-region access points
// (S3 user guide, "Multi-Region Access Point restrictions and limitations"). Other
// partitions have none.
const multiRegionHome = "us-west-2"

// multiRegionPoints reads the multi-region access points of the account that the
// wanted buckets are behind, and adds them to the access points. What cannot be
// read is a part of its own: it blinds nobody to the rest.
func (r bucketReader) multiRegionPoints(ctx context.Context, wanted map[string]bool, a *around) error {
	home := dera.PartitionOf(multiRegionHome)
	if dera.PartitionOf(r.scope.Region) != home {
		return nil
	}
	account := aws.String(r.scope.Account)
	api := r.s3control(r.scope.Account, multiRegionHome)
	found := map[string][]bucket.AccessPoint{}
	in := &s3control.ListMultiRegionAccessPointsInput{AccountId: account}
	err := walk(func(token *string) (*string, error) {
		in.NextToken = token
		page, err := api.ListMultiRegionAccessPoints(ctx, in)
		if err != nil {
			return nil, wrap(r.scope.Account, multiRegionHome, "s3control:ListMultiRegionAccessPoints", err)
		}
		for _, p := range page.AccessPoints {
			buckets := behind(p, wanted)
			if len(buckets) == 0 {
				continue
			}
			point, err := r.multiRegionPoint(ctx, api, p)
			if err != nil && (Is(err, Expired) || ctx.Err() != nil) {
				return nil, err
			}
			for _, b := range buckets {
				if err != nil {
					a.sick[b] = err
				} else {
					found[b] = append(found[b], point)
				}
			}
		}
		return page.NextToken, nil
	})
	switch {
	case err == nil:
	case Is(err, Expired), ctx.Err() != nil:
		return err
	default:
		a.unread = append(a.unread, bucket.PartMultiRegion)
		return nil
	}
	for b, points := range found {
		a.points[b] = append(a.points[b], points...)
	}
	return nil
}

// behind are the wanted buckets that a multi-region access point leads to.
func behind(p types.MultiRegionAccessPointReport, wanted map[string]bool) []string {
	var out []string
	for _, r := range p.Regions {
		if b := aws.ToString(r.Bucket); wanted[b] && !slices.Contains(out, b) {
			out = append(out, b)
		}
	}
	return out
}

func (r bucketReader) multiRegionPoint(ctx context.Context, api *s3control.Client, p types.MultiRegionAccessPointReport) (bucket.AccessPoint, error) {
	point := bucket.AccessPoint{Name: aws.ToString(p.Name), MultiRegion: true}
	fail := func(call string, err error) (bucket.AccessPoint, error) {
		return point, wrap(r.scope.Account, multiRegionHome, call, err)
	}
	if b := p.PublicAccessBlock; b != nil {
		var err error
		if point.Block, err = blockOf(b.BlockPublicAcls, b.IgnorePublicAcls, b.BlockPublicPolicy, b.RestrictPublicBuckets); err != nil {
			return fail("s3control:ListMultiRegionAccessPoints", err)
		}
	}
	out, err := api.GetMultiRegionAccessPointPolicy(ctx, &s3control.GetMultiRegionAccessPointPolicyInput{AccountId: aws.String(r.scope.Account), Name: p.Name})
	if err != nil {
		var e *Error
		if err = wrap(r.scope.Account, multiRegionHome, "s3control:GetMultiRegionAccessPointPolicy", err); errors.As(err, &e) && e.Code == "NoSuchMultiRegionAccessPointPolicy" {
			return point, nil
		}
		return point, err
	}
	if out.Policy != nil && out.Policy.Established != nil {
		point.Policy = aws.ToString(out.Policy.Established.Policy)
	}
	return point, nil
}
