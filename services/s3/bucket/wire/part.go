package wire

import (
	"context"
	"slices"

	s3res "dera.example/dera/services/s3"
	"dera.example/dera/services/s3/bucket"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"dera.example/dera/cloud"
	shared "dera.example/dera/services/s3/wire"
)

func readPolicy(ctx context.Context, r *cloud.Reading, b *bucket.Bucket) error {
	out, err := shared.S3(r, b.Owner, r.Scope.Region).GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: aws.String(b.Name), ExpectedBucketOwner: aws.String(b.Owner)})
	if err != nil {
		return err
	}
	b.Policy = aws.ToString(out.Policy)
	return ofBucket(b.Policy, b.Name)
}

func readACL(ctx context.Context, r *cloud.Reading, b *bucket.Bucket) error {
	out, err := shared.S3(r, b.Owner, r.Scope.Region).GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: aws.String(b.Name), ExpectedBucketOwner: aws.String(b.Owner)})
	if err != nil {
		return err
	}
	if out.Owner == nil || out.Grants == nil {
		return cloud.Foreign("it has no owner or no grants")
	}
	b.OwnerID = aws.ToString(out.Owner.ID)
	for _, g := range out.Grants {
		if g.Grantee == nil || aws.ToString(g.Grantee.ID) == "" && aws.ToString(g.Grantee.URI) == "" || !slices.Contains(g.Permission.Values(), g.Permission) {
			return cloud.Foreign("it has a grant of nothing or to nobody that S3 knows")
		}
		b.Grants = append(b.Grants, s3res.Grant{ID: aws.ToString(g.Grantee.ID), URI: aws.ToString(g.Grantee.URI), Permission: string(g.Permission)})
	}
	return nil
}

func readBlock(ctx context.Context, r *cloud.Reading, b *bucket.Bucket) error {
	out, err := shared.S3(r, b.Owner, r.Scope.Region).GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: aws.String(b.Name), ExpectedBucketOwner: aws.String(b.Owner)})
	if err != nil {
		return err
	}
	p := out.PublicAccessBlockConfiguration
	if p == nil {
		return cloud.Foreign("it has no block")
	}
	b.Block, err = shared.BlockOf(p.BlockPublicAcls, p.IgnorePublicAcls, p.BlockPublicPolicy, p.RestrictPublicBuckets)
	return err
}

func readOwnership(ctx context.Context, r *cloud.Reading, b *bucket.Bucket) error {
	out, err := shared.S3(r, b.Owner, r.Scope.Region).GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: aws.String(b.Name), ExpectedBucketOwner: aws.String(b.Owner)})
	if err != nil {
		return err
	}
	if out.OwnershipControls == nil || len(out.OwnershipControls.Rules) != 1 || !slices.Contains(types.ObjectOwnership("").Values(), out.OwnershipControls.Rules[0].ObjectOwnership) {
		return cloud.Foreign("it has not just one setting that S3 knows")
	}
	b.Ownership = string(out.OwnershipControls.Rules[0].ObjectOwnership)
	return nil
}

func readTags(ctx context.Context, r *cloud.Reading, b *bucket.Bucket) error {
	out, err := shared.S3(r, b.Owner, r.Scope.Region).GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: aws.String(b.Name), ExpectedBucketOwner: aws.String(b.Owner)})
	if err == nil && out.TagSet == nil {
		err = cloud.Foreign("it has no set of tags")
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

func readWebsite(ctx context.Context, r *cloud.Reading, b *bucket.Bucket) error {
	_, err := shared.S3(r, b.Owner, r.Scope.Region).GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: aws.String(b.Name), ExpectedBucketOwner: aws.String(b.Owner)})
	b.Website = err == nil
	return err
}
