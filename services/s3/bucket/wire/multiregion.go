package wire

import (
	"context"
	"errors"
	"fmt"

	"dera.example/dera/services/s3/bucket"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/aws-sdk-go-v2/service/s3control/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
	shared "dera.example/dera/services/s3/wire"
)

// multiRegionHome is the only region that answers about multi-region access points
// (S3 user guide, "Multi-Region Access Point restrictions and limitations"). Other
// partitions have none.
const multiRegionHome = "us-west-2"

// readMultiRegion adds the multi-region access points of the account that the
// buckets are behind to their access points. What cannot be read is a part of its
// own: it blinds nobody to the rest.
func readMultiRegion(ctx context.Context, r *cloud.Reading, items []*cloud.Item) error {
	if dera.PartitionOf(r.Scope.Region) != dera.PartitionOf(multiRegionHome) {
		return nil
	}
	list, err := cloud.Once(r, "multi-region access points", func() ([]types.MultiRegionAccessPointReport, error) { return multiRegionPoints(ctx, r) })
	if err != nil {
		if cloud.Is(err, cloud.Expired) || ctx.Err() != nil {
			return err
		}
		return fmt.Errorf("%w: %w", cloud.ErrIncomplete, err)
	}
	api := shared.Control(r, r.Scope.Account, multiRegionHome)
	byName := byID(items)
	for _, p := range list {
		behind := map[*cloud.Item]bool{}
		for _, g := range p.Regions {
			if x := byName[aws.ToString(g.Bucket)]; x != nil {
				behind[x] = true
			}
		}
		if len(behind) == 0 {
			continue
		}
		point, err := cloud.Once(r, "multi-region access point "+aws.ToString(p.Name), func() (bucket.AccessPoint, error) { return multiRegionPoint(ctx, r, api, p) })
		if err != nil && (cloud.Is(err, cloud.Expired) || ctx.Err() != nil) {
			return err
		}
		for x := range behind {
			if err != nil {
				x.Lost(bucket.PartAccessPoints, err)
			} else {
				config(x).AccessPoints = append(config(x).AccessPoints, point)
			}
		}
	}
	return nil
}

func multiRegionPoints(ctx context.Context, r *cloud.Reading) (list []types.MultiRegionAccessPointReport, err error) {
	api := shared.Control(r, r.Scope.Account, multiRegionHome)
	in := &s3control.ListMultiRegionAccessPointsInput{AccountId: aws.String(r.Scope.Account)}
	err = cloud.Walk(func(token *string) (*string, error) {
		in.NextToken = token
		page, err := api.ListMultiRegionAccessPoints(ctx, in)
		if err != nil {
			return nil, r.FailAt(multiRegionHome, "s3control:ListMultiRegionAccessPoints", err)
		}
		list = append(list, page.AccessPoints...)
		return page.NextToken, nil
	})
	return list, err
}

func multiRegionPoint(ctx context.Context, r *cloud.Reading, api *s3control.Client, p types.MultiRegionAccessPointReport) (bucket.AccessPoint, error) {
	point := bucket.AccessPoint{Name: aws.ToString(p.Name), MultiRegion: true}
	fail := func(call string, err error) (bucket.AccessPoint, error) {
		return point, r.FailAt(multiRegionHome, call, err)
	}
	if b := p.PublicAccessBlock; b != nil {
		var err error
		if point.Block, err = shared.BlockOf(b.BlockPublicAcls, b.IgnorePublicAcls, b.BlockPublicPolicy, b.RestrictPublicBuckets); err != nil {
			return fail("s3control:ListMultiRegionAccessPoints", err)
		}
	}
	out, err := api.GetMultiRegionAccessPointPolicy(ctx, &s3control.GetMultiRegionAccessPointPolicyInput{AccountId: aws.String(r.Scope.Account), Name: p.Name})
	if err != nil {
		var e *cloud.Error
		if err = r.FailAt(multiRegionHome, "s3control:GetMultiRegionAccessPointPolicy", err); errors.As(err, &e) && e.Code == "NoSuchMultiRegionAccessPointPolicy" {
			return point, nil
		}
		return point, err
	}
	if out.Policy != nil && out.Policy.Established != nil {
		point.Policy = aws.ToString(out.Policy.Established.Policy)
	}
	return point, nil
}
