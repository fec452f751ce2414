package wire

import (
	"context"
	"fmt"

	s3bucket "dera.example/dera/services/s3/bucket"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"

	"dera.example/dera"
	"dera.example/dera/cloud"
	shared "dera.example/dera/services/s3/wire"
)

// readAccountBlock reads the block of the buckets' account.
func readAccountBlock(ctx context.Context, r *cloud.Reading, items []*cloud.Item) error {
	block, err := shared.AccountBlock(ctx, r)
	for _, x := range items {
		config(x).AccountBlock = block
	}
	return err
}

// readAccessPoints reads the access points of the buckets. One that cannot be read
// leaves the access points of its bucket unread.
func readAccessPoints(ctx context.Context, r *cloud.Reading, items []*cloud.Item) error {
	account := r.Scope.Account
	api := shared.Control(r, account, r.Scope.Region)
	in := &s3control.ListAccessPointsInput{AccountId: aws.String(account)}
	if len(items) == 1 {
		in.Bucket = aws.String(items[0].ID)
	}
	byName := byID(items)
	return cloud.Walk(func(token *string) (*string, error) {
		in.NextToken = token
		page, err := api.ListAccessPoints(ctx, in)
		// A list that is left out is an empty one: whether AWS sends an empty list is
		// not documented, and to refuse it could leave every bucket unread.
		if err != nil {
			err = r.Fail("s3control:ListAccessPoints", err)
			if cloud.Is(err, cloud.NotFound) { // so the bucket must be gone; where it is not, its access points are not known
				for _, x := range items {
					x.Lost(s3bucket.PartAccessPoints, err)
				}
				return nil, nil
			}
			return nil, err
		}
		for _, p := range page.AccessPointList {
			x := byName[aws.ToString(p.Bucket)]
			if x == nil || aws.ToString(p.BucketAccountId) != "" && aws.ToString(p.BucketAccountId) != account {
				continue
			}
			point, err := accessPoint(ctx, r, api, aws.ToString(p.Name), x.ID)
			switch {
			case err != nil && (cloud.Is(err, cloud.Expired) || ctx.Err() != nil):
				return nil, err
			case err != nil:
				x.Lost(s3bucket.PartAccessPoints, err)
			default:
				config(x).AccessPoints = append(config(x).AccessPoints, point)
			}
		}
		return page.NextToken, nil
	})
}

// byID are the items by the names of their buckets.
func byID(items []*cloud.Item) map[string]*cloud.Item {
	out := map[string]*cloud.Item{}
	for _, x := range items {
		out[x.ID] = x
	}
	return out
}

// accessPoint reads one access point that is listed: that there is none contradicts
// the list.
func accessPoint(ctx context.Context, r *cloud.Reading, api *s3control.Client, name, bucket string) (s3bucket.AccessPoint, error) {
	account := aws.String(r.Scope.Account)
	ctx, cancel := r.Within(ctx, r.Timeout())
	defer cancel()
	got, err := api.GetAccessPoint(ctx, &s3control.GetAccessPointInput{AccountId: account, Name: aws.String(name)})
	if err == nil && (aws.ToString(got.Name) != name || aws.ToString(got.Bucket) != bucket) {
		err = cloud.Foreign("it is about the access point %.60q of %.60q", aws.ToString(got.Name), aws.ToString(got.Bucket))
	}
	if err != nil {
		return s3bucket.AccessPoint{}, r.Fail("s3control:GetAccessPoint", err)
	}
	p := s3bucket.AccessPoint{Name: name}
	if b := got.PublicAccessBlockConfiguration; b != nil {
		if p.Block, err = shared.BlockOf(b.BlockPublicAcls, b.IgnorePublicAcls, b.BlockPublicPolicy, b.RestrictPublicBuckets); err != nil {
			return p, r.Fail("s3control:GetAccessPoint", err)
		}
	}
	if got.VpcConfiguration != nil {
		p.VPC = aws.ToString(got.VpcConfiguration.VpcId)
	}
	text, err := api.GetAccessPointPolicy(ctx, &s3control.GetAccessPointPolicyInput{AccountId: account, Name: aws.String(name)})
	if err == nil && aws.ToString(text.Policy) == "" {
		err = cloud.Foreign("it has no policy")
	}
	switch err = noPolicy(r, err); {
	case err != nil:
		return p, err
	case text != nil:
		p.Policy = aws.ToString(text.Policy)
	}
	return p, nil
}

// noPolicy takes the word that there is no policy for an answer.
func noPolicy(r *cloud.Reading, err error) error {
	if err == nil {
		return nil
	}
	if err = r.Fail("s3control:GetAccessPointPolicy", err); cloud.Is(err, cloud.NotFound) {
		return nil
	}
	return err
}

// readOrigins reads which buckets are origins of the account's distributions.
func readOrigins(ctx context.Context, r *cloud.Reading, items []*cloud.Item) error {
	if !dera.PartitionOf(r.Scope.Region).CloudFront {
		// CloudFront is not there, and distributions of other partitions may have
		// origins there (AWS GovCloud user guide, "Amazon CloudFront").
		return fmt.Errorf("%w: this partition has no CloudFront", cloud.ErrIncomplete)
	}
	origins, err := cloud.Once(r, "origins", func() (map[string][]string, error) { return allOrigins(ctx, r) })
	for _, x := range items {
		config(x).Origins = origins[x.ID]
	}
	return err
}

// allOrigins are the distributions by the buckets that are their origins.
func allOrigins(ctx context.Context, r *cloud.Reading) (map[string][]string, error) {
	const call = "cloudfront:ListDistributions"
	out := map[string][]string{}
	api := cloud.Service(r, "cloudfront", r.Scope.Account, r.Home(), func(cfg aws.Config) *cloudfront.Client { return cloudfront.NewFromConfig(cfg) })
	err := cloud.Walk(func(token *string) (*string, error) {
		page, err := api.ListDistributions(ctx, &cloudfront.ListDistributionsInput{Marker: token})
		if err == nil && (page.DistributionList == nil || page.DistributionList.Quantity == nil) {
			err = cloud.Foreign("it has no list of distributions")
		}
		if err != nil {
			return nil, r.Fail(call, err)
		}
		for _, d := range page.DistributionList.Items {
			if err := originsOf(d, out); err != nil {
				return nil, r.Fail(call, err)
			}
		}
		if !aws.ToBool(page.DistributionList.IsTruncated) {
			return nil, nil
		}
		return page.DistributionList.NextMarker, nil
	})
	return out, err
}

// originsOf adds the origins of one distribution. Every distribution has an origin
// (CloudFront API reference, Origins): without all of them, which buckets are
// origins is not known.
func originsOf(d types.DistributionSummary, out map[string][]string) error {
	if d.Origins == nil || len(d.Origins.Items) == 0 || int(aws.ToInt32(d.Origins.Quantity)) != len(d.Origins.Items) {
		return fmt.Errorf("%w: the origins of distribution %.40q", cloud.ErrIncomplete, aws.ToString(d.Id))
	}
	for _, o := range d.Origins.Items {
		if bucket := originOf(aws.ToString(o.DomainName), aws.ToString(o.OriginPath)); bucket != "" {
			out[bucket] = append(out[bucket], aws.ToString(d.Id))
		}
	}
	return nil
}
