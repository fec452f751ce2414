package awssim_test

import (
	"strings"
	"testing"

	"dera.example/dera/awssim"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
)

// TestS3Refuses is the table of what S3 refuses, each on a bucket "media" that takes ACLs and blocks nothing.
func TestS3Refuses(t *testing.T) {
	t.Parallel()
	media := aws.String("media")
	public := aws.String(awssim.PublicReadPolicy("media"))
	blocked := func(t *testing.T, cloud *awssim.Cloud, block awssim.PublicAccessBlock) {
		if err := cloud.Account(hub).Region(east).PutPublicAccessBlock(t.Context(), "media", &block); err != nil {
			t.Fatal(err)
		}
	}
	everyone := func(t *testing.T, cloud *awssim.Cloud) {
		if err := cloud.Account(hub).Region(east).PutBucketACL(t.Context(), "media", "public-read"); err != nil {
			t.Fatal(err)
		}
	}
	enforced := func(t *testing.T, cloud *awssim.Cloud) {
		if err := cloud.Account(hub).Region(east).PutBucketOwnership(t.Context(), "media", "BucketOwnerEnforced"); err != nil {
			t.Fatal(err)
		}
	}
	put := func(document string) func(*testing.T, *s3.Client) error {
		return func(t *testing.T, c *s3.Client) error {
			_, err := c.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: media, Policy: &document})
			return err
		}
	}
	acl := func(canned types.BucketCannedACL) func(*testing.T, *s3.Client) error {
		return func(t *testing.T, c *s3.Client) error {
			_, err := c.PutBucketAcl(t.Context(), &s3.PutBucketAclInput{Bucket: media, ACL: canned})
			return err
		}
	}
	tests := []struct {
		name   string
		before func(*testing.T, *awssim.Cloud)
		do     func(*testing.T, *s3.Client) error
		code   string
		status int
	}{
		{name: "no_policy", code: "NoSuchBucketPolicy", status: 404, do: func(t *testing.T, c *s3.Client) error {
			_, err := c.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: media})
			return err
		}},
		{name: "no_policy_status", code: "NoSuchBucketPolicy", status: 404, do: func(t *testing.T, c *s3.Client) error {
			_, err := c.GetBucketPolicyStatus(t.Context(), &s3.GetBucketPolicyStatusInput{Bucket: media})
			return err
		}},
		{name: "no_block", code: "NoSuchPublicAccessBlockConfiguration", status: 404, do: func(t *testing.T, c *s3.Client) error {
			_, err := c.GetPublicAccessBlock(t.Context(), &s3.GetPublicAccessBlockInput{Bucket: media})
			return err
		}},
		{name: "no_tags", code: "NoSuchTagSet", status: 404, do: func(t *testing.T, c *s3.Client) error {
			_, err := c.GetBucketTagging(t.Context(), &s3.GetBucketTaggingInput{Bucket: media})
			return err
		}},
		{name: "no_website", code: "NoSuchWebsiteConfiguration", status: 404, do: func(t *testing.T, c *s3.Client) error {
			_, err := c.GetBucketWebsite(t.Context(), &s3.GetBucketWebsiteInput{Bucket: media})
			return err
		}},
		{name: "no_ownership", code: "OwnershipControlsNotFoundError", status: 404, do: func(t *testing.T, c *s3.Client) error {
			must(c.DeleteBucketOwnershipControls(t.Context(), &s3.DeleteBucketOwnershipControlsInput{Bucket: media}))(t)
			_, err := c.GetBucketOwnershipControls(t.Context(), &s3.GetBucketOwnershipControlsInput{Bucket: media})
			return err
		}},
		{name: "unknown_bucket", code: "NoSuchBucket", status: 404, do: func(t *testing.T, c *s3.Client) error {
			_, err := c.GetBucketAcl(t.Context(), &s3.GetBucketAclInput{Bucket: aws.String("nobody")})
			return err
		}},
		{name: "unexpected_owner", code: "AccessDenied", status: 403, do: func(t *testing.T, c *s3.Client) error {
			_, err := c.GetBucketAcl(t.Context(), &s3.GetBucketAclInput{Bucket: media, ExpectedBucketOwner: aws.String(member)})
			return err
		}},
		{name: "name_is_ours", code: "BucketAlreadyOwnedByYou", status: 409, do: func(t *testing.T, _ *s3.Client) error {
			cloud, _ := newCloud(t)
			must(s3In(cloud, hub, west).CreateBucket(t.Context(), inWest("media")))(t)
			_, err := s3In(cloud, hub, west).CreateBucket(t.Context(), inWest("media"))
			return err
		}},
		{name: "name_is_anothers", code: "BucketAlreadyExists", status: 409, do: func(t *testing.T, _ *s3.Client) error {
			cloud, _ := newCloud(t)
			legacy(t, cloud, "media")
			_, err := s3In(cloud, member, west).CreateBucket(t.Context(), inWest("media"))
			return err
		}},
		{name: "bucket_of_another_account", code: "AccessDenied", status: 403, do: func(t *testing.T, _ *s3.Client) error {
			cloud, _ := newCloud(t)
			legacy(t, cloud, "media")
			_, err := s3In(cloud, member, east).GetBucketAcl(t.Context(), &s3.GetBucketAclInput{Bucket: media})
			return err
		}},
		{name: "bad_name", code: "InvalidBucketName", status: 400, do: func(t *testing.T, c *s3.Client) error {
			_, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("Media_1")})
			return err
		}},
		{name: "wrong_constraint", code: "IllegalLocationConstraintException", status: 400, do: func(t *testing.T, _ *s3.Client) error {
			cloud, _ := newCloud(t)
			_, err := s3In(cloud, hub, west).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: media})
			return err
		}},
		{name: "public_policy_under_block", code: "AccessDenied", status: 403, do: put(*public), before: func(t *testing.T, cloud *awssim.Cloud) {
			blocked(t, cloud, awssim.PublicAccessBlock{BlockPublicPolicy: true})
		}},
		{name: "public_policy_under_account_block", code: "AccessDenied", status: 403, do: put(*public), before: func(t *testing.T, cloud *awssim.Cloud) {
			if err := cloud.Account(hub).Region(west).PutAccountPublicAccessBlock(t.Context(), &awssim.PublicAccessBlock{BlockPublicPolicy: true}); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "private_policy_under_block", do: put(strings.Replace(*public, `"*"`, `{"AWS":"`+member+`"}`, 1)), before: func(t *testing.T, cloud *awssim.Cloud) {
			blocked(t, cloud, awssim.PublicAccessBlock{BlockPublicPolicy: true})
		}},
		{name: "public_policy", do: put(*public)},
		{name: "policy_no_json", code: "MalformedPolicy", status: 400, do: put(`nonsense`)},
		{name: "policy_of_nothing", code: "MalformedPolicy", status: 400, do: put(`{}`)},
		{name: "policy_without_principal", code: "MalformedPolicy", status: 400, do: put(strings.Replace(*public, `"Principal":"*",`, ``, 1))},
		{name: "policy_of_another_bucket", code: "MalformedPolicy", status: 400, do: put(awssim.PublicReadPolicy("media2"))},
		{name: "public_acl_under_block", code: "AccessDenied", status: 403, do: acl("public-read"), before: func(t *testing.T, cloud *awssim.Cloud) {
			blocked(t, cloud, awssim.PublicAccessBlock{BlockPublicACLs: true})
		}},
		{name: "private_acl_under_block", do: acl("private"), before: func(t *testing.T, cloud *awssim.Cloud) {
			blocked(t, cloud, awssim.PublicAccessBlock{BlockPublicACLs: true})
		}},
		{name: "public_acl", do: acl("public-read")},
		{name: "acl_under_enforced_owner", code: "AccessControlListNotSupported", status: 400, do: acl("private"), before: enforced},
		{name: "owners_acl_under_enforced_owner", do: acl("bucket-owner-full-control"), before: enforced},
		{name: "no_acl", code: "MissingSecurityHeader", status: 400, do: func(t *testing.T, c *s3.Client) error {
			_, err := c.PutBucketAcl(t.Context(), &s3.PutBucketAclInput{Bucket: media})
			return err
		}},
		{name: "two_acls", code: "UnexpectedContent", status: 400, do: func(t *testing.T, c *s3.Client) error {
			_, err := c.PutBucketAcl(t.Context(), &s3.PutBucketAclInput{Bucket: media, ACL: "private", AccessControlPolicy: &types.AccessControlPolicy{}})
			return err
		}},
		{name: "unknown_acl", code: "InvalidArgument", status: 400, do: acl("shout")},
		{name: "enforce_owner_of_open_acl", code: "InvalidBucketAclWithObjectOwnership", status: 400, before: everyone, do: func(t *testing.T, c *s3.Client) error {
			_, err := c.PutBucketOwnershipControls(t.Context(), &s3.PutBucketOwnershipControlsInput{Bucket: media, OwnershipControls: &types.OwnershipControls{
				Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnershipBucketOwnerEnforced}},
			}})
			return err
		}},
		{name: "system_tag", code: "InvalidTag", status: 400, do: func(t *testing.T, c *s3.Client) error {
			_, err := c.PutBucketTagging(t.Context(), &s3.PutBucketTaggingInput{Bucket: media, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("aws:x"), Value: aws.String("y")}}}})
			return err
		}},
		{name: "not_simulated", code: "NotImplemented", status: 501, do: func(t *testing.T, c *s3.Client) error {
			_, err := c.PutBucketEncryption(t.Context(), &s3.PutBucketEncryptionInput{Bucket: media, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
				Rules: []types.ServerSideEncryptionRule{{}},
			}})
			return err
		}},
		{name: "objects_are_not_simulated", code: "NotImplemented", status: 501, do: func(t *testing.T, c *s3.Client) error {
			_, err := c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: media, Key: aws.String("a/b")})
			return err
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cloud, _ := newCloud(t)
			legacy(t, cloud, "media")
			if tt.before != nil {
				tt.before(t, cloud)
			}
			before := cloud.Snapshot()
			wantCode(t, tt.do(t, s3In(cloud, hub, east)), tt.code, tt.status)
			if tt.status >= 400 && tt.name != "no_ownership" {
				if diff := cmp.Diff(before, cloud.Snapshot()); diff != "" {
					t.Errorf("state after a refusal:\n%s", diff)
				}
			}
		})
	}
}
