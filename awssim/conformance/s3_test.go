package conformance_test

import (
	"context"
	"net/url"
	"testing"

	"dera.example/dera/awssim/moto"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	controltypes "github.com/aws/aws-sdk-go-v2/service/s3control/types"
	endpoints "github.com/aws/smithy-go/endpoints"
)

const (
	docsBlock     = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"
	docsNewBucket = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html"
	docsOwnership = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-ownership-error-responses.html"
	docsPolicy    = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html"
	docsNames     = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"
	docsOwner     = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html"
	docsListing   = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html"
	docsCanned    = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl"
	docsRedirect  = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html"
	docsStatus    = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicyStatus.html"
)

// unsupportedS3 are fields of S3 that moto never answers; withdrawn is one that AWS no longer does. They are left out of
// comparisons.
var (
	unsupportedS3 = []difference{
		{"AccessPointAlias", "https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html"},
		{"BucketArn", "https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html"},
		{"BucketAccountId", "https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_AccessPoint.html"},
	}
	withdrawn = []difference{
		{"DisplayName", "https://docs.aws.amazon.com/AmazonS3/latest/API/API_Owner.html"},
	}
)

// own is a resolver that sends S3 Control to one address, without the account in front of the host.
type own struct{ base string }

func (o own) ResolveEndpoint(context.Context, s3control.EndpointParameters) (endpoints.Endpoint, error) {
	u, err := url.Parse(o.base)
	if err != nil {
		return endpoints.Endpoint{}, err
	}
	return endpoints.Endpoint{URI: *u}, nil
}

func controlClient(cfg aws.Config) *s3control.Client {
	return s3control.NewFromConfig(cfg, func(o *s3control.Options) {
		if cfg.BaseEndpoint != nil {
			o.EndpointResolverV2, o.BaseEndpoint = own{*cfg.BaseEndpoint}, nil
		}
	})
}

func TestConformanceOfS3(t *testing.T) {
	t.Parallel()
	server := moto.Start(t, moto.Config{})
	rows := append(bucketRows(), settingRows()...)
	rows = append(rows, controlRows()...)
	if len(rows) < 23 {
		t.Fatalf("got %d rows, want at least 23: a family is missing", len(rows))
	}
	var ours, theirs fieldLog
	t.Run("rows", func(t *testing.T) {
		for _, r := range rows {
			t.Run(r.name, func(t *testing.T) {
				t.Parallel()
				compare(t, r, onAwssim(t, &ours), onMoto(t, server, &theirs))
			})
		}
	})
	for _, u := range unsupportedS3 {
		if !ours.has(u.what) || theirs.has(u.what) {
			t.Errorf("field %s: awssim answers it: %t, moto: %t; want true and false, else the difference is no more", u.what, ours.has(u.what), theirs.has(u.what))
		}
	}
	for _, u := range withdrawn {
		if ours.has(u.what) || !theirs.has(u.what) {
			t.Errorf("field %s: awssim answers it: %t, moto: %t; want false and true, else the difference is no more", u.what, ours.has(u.what), theirs.has(u.what))
		}
	}
}

// bucket makes a bucket that takes ACLs and blocks nothing, and pins its owner.
func (w *world) bucket() *string {
	w.t.Helper()
	name := aws.String("media-" + w.account)
	if _, err := w.s3.CreateBucket(w.ctx, &s3.CreateBucketInput{Bucket: name, ObjectOwnership: types.ObjectOwnershipObjectWriter}); err != nil {
		w.t.Fatalf("create bucket: %v", err)
	}
	if _, err := w.s3.DeletePublicAccessBlock(w.ctx, &s3.DeletePublicAccessBlockInput{Bucket: name}); err != nil {
		w.t.Fatalf("delete block: %v", err)
	}
	out, err := w.s3.GetBucketAcl(w.ctx, &s3.GetBucketAclInput{Bucket: name})
	if err != nil {
		w.t.Fatalf("get ACL: %v", err)
	}
	w.pin(out.Owner.ID, "owner")
	return name
}

func (w *world) policyFor(principal string) *string {
	return aws.String(`{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Principal":` + principal +
		`,"Action":"s3:GetObject","Resource":"arn:aws:s3:::media-` + w.account + `/*"}]}`)
}

func (w *world) putPolicy(bucket, document *string) (any, error) {
	return w.s3.PutBucketPolicy(w.ctx, &s3.PutBucketPolicyInput{Bucket: bucket, Policy: document})
}

func (w *world) getPolicy(bucket *string) (any, error) {
	return w.s3.GetBucketPolicy(w.ctx, &s3.GetBucketPolicyInput{Bucket: bucket})
}

func (w *world) getACL(bucket *string) (any, error) {
	return w.s3.GetBucketAcl(w.ctx, &s3.GetBucketAclInput{Bucket: bucket})
}

func (w *world) putACL(bucket *string, canned types.BucketCannedACL) (any, error) {
	return w.s3.PutBucketAcl(w.ctx, &s3.PutBucketAclInput{Bucket: bucket, ACL: canned})
}

func (w *world) block(bucket *string) (any, error) {
	return w.s3.GetPublicAccessBlock(w.ctx, &s3.GetPublicAccessBlockInput{Bucket: bucket})
}

func (w *world) putBlock(bucket *string, c types.PublicAccessBlockConfiguration) (any, error) {
	return w.s3.PutPublicAccessBlock(w.ctx, &s3.PutPublicAccessBlockInput{Bucket: bucket, PublicAccessBlockConfiguration: &c})
}

func controlRows() []row {
	on, off := aws.Bool(true), aws.Bool(false)
	return []row{
		{name: "account_block", run: func(w *world) {
			id := &w.account
			w.see("none")(w.control.GetPublicAccessBlock(w.ctx, &s3control.GetPublicAccessBlockInput{AccountId: id}))
			w.see("put")(w.control.PutPublicAccessBlock(w.ctx, &s3control.PutPublicAccessBlockInput{AccountId: id, PublicAccessBlockConfiguration: &controltypes.PublicAccessBlockConfiguration{
				BlockPublicAcls: on, IgnorePublicAcls: off, BlockPublicPolicy: on, RestrictPublicBuckets: off,
			}}))
			w.see("get")(w.control.GetPublicAccessBlock(w.ctx, &s3control.GetPublicAccessBlockInput{AccountId: id}))
			w.see("delete")(w.control.DeletePublicAccessBlock(w.ctx, &s3control.DeletePublicAccessBlockInput{AccountId: id}))
			w.see("gone")(w.control.GetPublicAccessBlock(w.ctx, &s3control.GetPublicAccessBlockInput{AccountId: id}))
		}},
		{name: "access_point", run: func(w *world) {
			id, door, bucket := &w.account, aws.String("door"), w.bucket()
			w.see("absent")(w.control.GetAccessPoint(w.ctx, &s3control.GetAccessPointInput{AccountId: id, Name: door}))
			w.see("create")(w.control.CreateAccessPoint(w.ctx, &s3control.CreateAccessPointInput{AccountId: id, Name: door, Bucket: bucket}))
			w.see("get")(w.control.GetAccessPoint(w.ctx, &s3control.GetAccessPointInput{AccountId: id, Name: door}))
			w.see("list")(w.control.ListAccessPoints(w.ctx, &s3control.ListAccessPointsInput{AccountId: id, Bucket: bucket}))
			w.see("delete")(w.control.DeleteAccessPoint(w.ctx, &s3control.DeleteAccessPointInput{AccountId: id, Name: door}))
			w.see("gone")(w.control.GetAccessPoint(w.ctx, &s3control.GetAccessPointInput{AccountId: id, Name: door}))
		}},
		{name: "access_point_policy", run: func(w *world) {
			id, door, bucket := &w.account, aws.String("door"), w.bucket()
			if _, err := w.control.CreateAccessPoint(w.ctx, &s3control.CreateAccessPointInput{AccountId: id, Name: door, Bucket: bucket}); err != nil {
				w.t.Fatal(err)
			}
			document := aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + w.account + `"},"Action":"s3:GetObject","Resource":"arn:aws:s3:us-east-1:` + w.account + `:accesspoint/door/object/*"}]}`)
			w.see("none")(w.control.GetAccessPointPolicy(w.ctx, &s3control.GetAccessPointPolicyInput{AccountId: id, Name: door}))
			w.see("put")(w.control.PutAccessPointPolicy(w.ctx, &s3control.PutAccessPointPolicyInput{AccountId: id, Name: door, Policy: document}))
			w.see("get")(w.control.GetAccessPointPolicy(w.ctx, &s3control.GetAccessPointPolicyInput{AccountId: id, Name: door}))
			status, err := w.control.GetAccessPointPolicyStatus(w.ctx, &s3control.GetAccessPointPolicyStatusInput{AccountId: id, Name: door})
			if err != nil {
				w.t.Fatal(err)
			}
			w.fact("public", status.PolicyStatus.IsPublic)
			w.see("delete")(w.control.DeleteAccessPointPolicy(w.ctx, &s3control.DeleteAccessPointPolicyInput{AccountId: id, Name: door}))
			w.see("gone")(w.control.GetAccessPointPolicy(w.ctx, &s3control.GetAccessPointPolicyInput{AccountId: id, Name: door}))
		}, differ: []difference{{"public", "moto takes every policy for public: " + docsBlock}}},
	}
}
