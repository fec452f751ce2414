package aws

import (
	"context"
	"errors"
	"maps"
	"slices"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/s3/account"
	"dera.example/dera/services/s3/bucket"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	controltypes "github.com/aws/aws-sdk-go-v2/service/s3control/types"
)

// bucketWriter sends operations on one bucket.
type bucketWriter struct {
	*Client
	api  *s3.Client
	plan dera.Plan
}

// doBucket sends an operation on a bucket.
func (c *Client) doBucket(ctx context.Context, p dera.Plan, op resource.Operation, at *attempt) error {
	cfg, err := c.writing(p)
	if err != nil {
		return err
	}
	w := bucketWriter{Client: c, plan: p, api: s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.Retryer = aws.NopRetryer{}
		o.APIOptions = append(o.APIOptions, c.observe(p.Account, p.Region, true), at.guard)
	})}
	switch op.Name {
	case bucket.PutBucketPolicy, bucket.DeleteBucketPolicy:
		return w.policy(ctx, op)
	case bucket.PutBucketACL:
		return w.acl(ctx, op)
	case bucket.PutBucketBlock:
		return w.block(ctx, op)
	case bucket.PutBucketTagging:
		return w.tagging(ctx, op)
	}
	return unknownOperation(op)
}

// owner is the account that must own the bucket: one that was deleted and made
// anew by somebody else is not ours to change.
func (w bucketWriter) owner() *string { return aws.String(w.plan.Account) }

func (w bucketWriter) policy(ctx context.Context, op resource.Operation) error {
	in, err := input[bucket.BucketPolicyInput](op)
	if err != nil {
		return err
	}
	r := bucketReader{Client: w.Client, api: w.s3(w.plan.Account, w.plan.Region), scope: dera.Scope{Account: w.plan.Account, Region: w.plan.Region}}
	now := bucket.Bucket{Name: in.Bucket, Owner: w.plan.Account}
	if err := r.policy(ctx, &now); err != nil {
		err = r.fail("s3:GetBucketPolicy", err)
		var e *Error
		if !errors.As(err, &e) || e.Code != "NoSuchBucketPolicy" {
			return err
		}
	}
	if !document.SamePolicy(now.Policy, in.Expect) {
		return ErrMoved
	}
	if in.Policy == "" {
		_, err = w.api.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: aws.String(in.Bucket), ExpectedBucketOwner: w.owner()})
		return err
	}
	_, err = w.api.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String(in.Bucket), Policy: aws.String(in.Policy), ExpectedBucketOwner: w.owner()})
	return err
}

func (w bucketWriter) acl(ctx context.Context, op resource.Operation) error {
	in, err := input[bucket.BucketACLInput](op)
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

func (w bucketWriter) block(ctx context.Context, op resource.Operation) error {
	in, err := input[bucket.BucketBlockInput](op)
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

// tagging changes single tags: S3 takes only the whole set, so that the set is
// read right before and merged, system tags included, which S3 wants back.
func (w bucketWriter) tagging(ctx context.Context, op resource.Operation) error {
	in, err := input[bucket.BucketTagsInput](op)
	if err != nil {
		return err
	}
	r := bucketReader{Client: w.Client, api: w.s3(w.plan.Account, w.plan.Region), scope: dera.Scope{Account: w.plan.Account, Region: w.plan.Region}}
	now := bucket.Bucket{Name: in.Bucket, Owner: w.plan.Account}
	if err := r.tags(ctx, &now); err != nil {
		err = r.fail("s3:GetBucketTagging", err)
		var e *Error
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

// doAccountBlock sends an operation on the block of an account.
func (c *Client) doAccountBlock(ctx context.Context, p dera.Plan, op resource.Operation, at *attempt) error {
	in, err := input[account.AccountBlockInput](op)
	if err != nil {
		return err
	}
	cfg, err := c.writing(p)
	if err != nil {
		return err
	}
	api := s3control.NewFromConfig(cfg, plainHost, func(o *s3control.Options) {
		o.Retryer = aws.NopRetryer{}
		o.APIOptions = append(o.APIOptions, c.observe(p.Account, p.Region, true), at.guard)
	})
	if in.Block == nil {
		_, err = api.DeletePublicAccessBlock(ctx, &s3control.DeletePublicAccessBlockInput{AccountId: aws.String(in.Account)})
		return err
	}
	_, err = api.PutPublicAccessBlock(ctx, &s3control.PutPublicAccessBlockInput{
		AccountId: aws.String(in.Account),
		PublicAccessBlockConfiguration: &controltypes.PublicAccessBlockConfiguration{
			BlockPublicAcls: aws.Bool(in.Block.PublicACLs), IgnorePublicAcls: aws.Bool(in.Block.IgnorePublicACLs),
			BlockPublicPolicy: aws.Bool(in.Block.PublicPolicy), RestrictPublicBuckets: aws.Bool(in.Block.RestrictedBuckets),
		},
	})
	return err
}
