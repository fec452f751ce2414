package wire

import (
	"context"
	"errors"
	"maps"
	"slices"

	"dera.example/dera/resource/document"
	"dera.example/dera/services/s3/bucket"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"dera.example/dera/cloud"
	shared "dera.example/dera/services/s3/wire"
)

// bucketWriter sends an operation on one bucket.
type bucketWriter struct {
	*cloud.Writing
	api *s3.Client
}

// write makes an operation of what sends it: whether a bucket depends on public
// access is not remembered over it.
func write(send func(context.Context, bucketWriter) error) func(context.Context, *cloud.Writing) error {
	return func(ctx context.Context, w *cloud.Writing) error {
		defer w.Forget(shared.DependentsOf(w.Plan.Account))
		return send(ctx, bucketWriter{w, s3.NewFromConfig(w.Config)})
	}
}

// owner is the account that must own the bucket: one that was deleted and made
// again by someone else is not ours to change.
func (w bucketWriter) owner() *string { return aws.String(w.Plan.Account) }

func putPolicy(ctx context.Context, w bucketWriter) error {
	in, err := cloud.Input[bucket.BucketPolicyInput](w.Operation)
	if err != nil {
		return err
	}
	now := bucket.Bucket{Name: in.Bucket, Owner: w.Plan.Account}
	if err := readPolicy(ctx, w.Reading, &now); err != nil {
		err = w.Fail("s3:GetBucketPolicy", err)
		var e *cloud.Error
		if !errors.As(err, &e) || e.Code != "NoSuchBucketPolicy" {
			return err
		}
	}
	if !document.SamePolicy(now.Policy, in.Expect) {
		return cloud.ErrMoved
	}
	if in.Policy == "" {
		_, err = w.api.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: aws.String(in.Bucket), ExpectedBucketOwner: w.owner()})
		return err
	}
	_, err = w.api.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String(in.Bucket), Policy: aws.String(in.Policy), ExpectedBucketOwner: w.owner()})
	return err
}

func putACL(ctx context.Context, w bucketWriter) error {
	in, err := cloud.Input[bucket.BucketACLInput](w.Operation)
	if err != nil {
		return err
	}
	acl := &types.AccessControlPolicy{Owner: &types.Owner{ID: aws.String(in.OwnerID)}, Grants: []types.Grant{}}
	for _, g := range in.Grants {
		to := &types.Grantee{Type: types.TypeCanonicalUser, ID: aws.String(g.ID)}
		if g.URI != "" {
			to = &types.Grantee{Type: types.TypeGroup, URI: aws.String(g.URI)}
		}
		acl.Grants = append(acl.Grants, types.Grant{Grantee: to, Permission: types.Permission(g.Permission)})
	}
	_, err = w.api.PutBucketAcl(ctx, &s3.PutBucketAclInput{Bucket: aws.String(in.Bucket), AccessControlPolicy: acl, ExpectedBucketOwner: w.owner()})
	return err
}

func putBlock(ctx context.Context, w bucketWriter) error {
	in, err := cloud.Input[bucket.BucketBlockInput](w.Operation)
	if err != nil {
		return err
	}
	if in.Block == nil {
		_, err = w.api.DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: aws.String(in.Bucket), ExpectedBucketOwner: w.owner()})
		return err
	}
	b := in.Block
	_, err = w.api.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{
		Bucket: aws.String(in.Bucket), ExpectedBucketOwner: w.owner(),
		PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
			BlockPublicAcls: aws.Bool(b.PublicACLs), IgnorePublicAcls: aws.Bool(b.IgnorePublicACLs),
			BlockPublicPolicy: aws.Bool(b.PublicPolicy), RestrictPublicBuckets: aws.Bool(b.RestrictedBuckets),
		},
	})
	return err
}

// putTags changes single tags: S3 takes only the whole set, so that the set is
// read right before and merged, system tags included, which S3 wants back.
func putTags(ctx context.Context, w bucketWriter) error {
	in, err := cloud.Input[bucket.BucketTagsInput](w.Operation)
	if err != nil {
		return err
	}
	now := bucket.Bucket{Name: in.Bucket, Owner: w.Plan.Account}
	if err := readTags(ctx, w.Reading, &now); err != nil {
		err = w.Fail("s3:GetBucketTagging", err)
		var e *cloud.Error
		if !errors.As(err, &e) || e.Code != "NoSuchTagSet" {
			return err
		}
	}
	tags := now.Tags
	if tags == nil {
		tags = map[string]string{}
	}
	maps.Copy(tags, in.Add)
	for _, k := range in.Remove {
		delete(tags, k)
	}
	if len(tags) == 0 {
		_, err = w.api.DeleteBucketTagging(ctx, &s3.DeleteBucketTaggingInput{Bucket: aws.String(in.Bucket), ExpectedBucketOwner: w.owner()})
		return err
	}
	set := &types.Tagging{}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		set.TagSet = append(set.TagSet, types.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	_, err = w.api.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: aws.String(in.Bucket), Tagging: set, ExpectedBucketOwner: w.owner()})
	return err
}
