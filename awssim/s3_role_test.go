package awssim_test

import (
	"strings"
	"testing"

	"dera.example/dera/awssim"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	controltypes "github.com/aws/aws-sdk-go-v2/service/s3control/types"
)

// TestS3Actions gives a user all actions but one, then only that one: the call must need just the action that the service
// authorization reference names.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
func TestS3Actions(t *testing.T) {
	t.Parallel()
	media, account, door := aws.String("media"), aws.String(hub), aws.String("door")
	block := &types.PublicAccessBlockConfiguration{BlockPublicAcls: aws.Bool(true)}
	tests := []struct {
		action string
		do     func(t *testing.T, c *s3.Client, control *s3control.Client) error
	}{
		{"s3:ListAllMyBuckets", func(t *testing.T, c *s3.Client, _ *s3control.Client) error {
			_, err := c.ListBuckets(t.Context(), nil)
			return err
		}},
		{"s3:CreateBucket", func(t *testing.T, c *s3.Client, _ *s3control.Client) error {
			_, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("fresh")})
			return err
		}},
		{"s3:DeleteBucket", func(t *testing.T, c *s3.Client, _ *s3control.Client) error {
			_, err := c.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: media})
			return err
		}},
		{"s3:GetBucketLocation", func(t *testing.T, c *s3.Client, _ *s3control.Client) error {
			_, err := c.GetBucketLocation(t.Context(), &s3.GetBucketLocationInput{Bucket: media})
			return err
		}},
		{"s3:GetBucketPolicy", func(t *testing.T, c *s3.Client, _ *s3control.Client) error {
			_, err := c.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: media})
			return err
		}},
		{"s3:PutBucketPolicy", func(t *testing.T, c *s3.Client, _ *s3control.Client) error {
			_, err := c.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: media, Policy: aws.String(twoStatements)})
			return err
		}},
		{"s3:DeleteBucketPolicy", func(t *testing.T, c *s3.Client, _ *s3control.Client) error {
			_, err := c.DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: media})
			return err
		}},
		{"s3:GetBucketPolicyStatus", func(t *testing.T, c *s3.Client, _ *s3control.Client) error {
			_, err := c.GetBucketPolicyStatus(t.Context(), &s3.GetBucketPolicyStatusInput{Bucket: media})
			return err
		}},
		{"s3:GetBucketAcl", func(t *testing.T, c *s3.Client, _ *s3control.Client) error {
			_, err := c.GetBucketAcl(t.Context(), &s3.GetBucketAclInput{Bucket: media})
			return err
		}},
		{"s3:PutBucketAcl", func(t *testing.T, c *s3.Client, _ *s3control.Client) error {
			_, err := c.PutBucketAcl(t.Context(), &s3.PutBucketAclInput{Bucket: media, ACL: types.BucketCannedACLPrivate})
			return err
		}},
		{"s3:GetBucketPublicAccessBlock", func(t *testing.T, c *s3.Client, _ *s3control.Client) error {
			_, err := c.GetPublicAccessBlock(t.Context(), &s3.GetPublicAccessBlockInput{Bucket: media})
			return err
		}},
		{"s3:PutBucketPublicAccessBlock", func(t *testing.T, c *s3.Client, _ *s3control.Client) error {
			_, err := c.PutPublicAccessBlock(t.Context(), &s3.PutPublicAccessBlockInput{Bucket: media, PublicAccessBlockConfiguration: block})
			return err
		}},
		{"s3:PutBucketPublicAccessBlock", func(t *testing.T, c *s3.Client, _ *s3control.Client) error {
			_, err := c.DeletePublicAccessBlock(t.Context(), &s3.DeletePublicAccessBlockInput{Bucket: media})
			return err
		}},
		{"s3:PutBucketOwnershipControls", func(t *testing.T, c *s3.Client, _ *s3control.Client) error {
			_, err := c.DeleteBucketOwnershipControls(t.Context(), &s3.DeleteBucketOwnershipControlsInput{Bucket: media})
			return err
		}},
		{"s3:PutBucketTagging", func(t *testing.T, c *s3.Client, _ *s3control.Client) error {
			_, err := c.DeleteBucketTagging(t.Context(), &s3.DeleteBucketTaggingInput{Bucket: media})
			return err
		}},
		{"s3:DeleteBucketWebsite", func(t *testing.T, c *s3.Client, _ *s3control.Client) error {
			_, err := c.DeleteBucketWebsite(t.Context(), &s3.DeleteBucketWebsiteInput{Bucket: media})
			return err
		}},
		{"s3:GetAccountPublicAccessBlock", func(t *testing.T, _ *s3.Client, c *s3control.Client) error {
			_, err := c.GetPublicAccessBlock(t.Context(), &s3control.GetPublicAccessBlockInput{AccountId: account})
			return err
		}},
		{"s3:PutAccountPublicAccessBlock", func(t *testing.T, _ *s3.Client, c *s3control.Client) error {
			_, err := c.PutPublicAccessBlock(t.Context(), &s3control.PutPublicAccessBlockInput{AccountId: account, PublicAccessBlockConfiguration: &controltypes.PublicAccessBlockConfiguration{}})
			return err
		}},
		{"s3:PutAccountPublicAccessBlock", func(t *testing.T, _ *s3.Client, c *s3control.Client) error {
			_, err := c.DeletePublicAccessBlock(t.Context(), &s3control.DeletePublicAccessBlockInput{AccountId: account})
			return err
		}},
		{"s3:ListAccessPoints", func(t *testing.T, _ *s3.Client, c *s3control.Client) error {
			_, err := c.ListAccessPoints(t.Context(), &s3control.ListAccessPointsInput{AccountId: account})
			return err
		}},
		{"s3:GetAccessPoint", func(t *testing.T, _ *s3.Client, c *s3control.Client) error {
			_, err := c.GetAccessPoint(t.Context(), &s3control.GetAccessPointInput{AccountId: account, Name: door})
			return err
		}},
		{"s3:DeleteAccessPointPolicy", func(t *testing.T, _ *s3.Client, c *s3control.Client) error {
			_, err := c.DeleteAccessPointPolicy(t.Context(), &s3control.DeleteAccessPointPolicyInput{AccountId: account, Name: door})
			return err
		}},
	}
	for _, tt := range tests {
		t.Run(tt.action, func(t *testing.T) {
			t.Parallel()
			cloud, _ := newCloud(t)
			legacy(t, cloud, "media")
			home := cloud.Account(hub)
			r := home.Region(east)
			for _, err := range []error{
				r.PutBucketPolicy(t.Context(), "media", twoStatements), r.CreateAccessPoint(t.Context(), "door", "media", nil),
				r.PutPublicAccessBlock(t.Context(), "media", &awssim.PublicAccessBlock{}), r.PutAccountPublicAccessBlock(t.Context(), &awssim.PublicAccessBlock{}),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			as := func(actions ...string) error {
				cfg := config(cloud, home.AddUser("tester", actions...))
				return tt.do(t, s3.NewFromConfig(cfg), s3control.NewFromConfig(cfg))
			}
			err := as("s3:Nothing", "ec2:*")
			wantCode(t, err, "AccessDenied", 403)
			if err == nil || !strings.Contains(err.Error(), tt.action) {
				t.Errorf("denial: got %v, want it to name %s", err, tt.action)
			}
			if err := as(tt.action); err != nil {
				t.Errorf("with %s alone: got %v, want success", tt.action, err)
			}
		})
	}
}

// TestS3Resources: a session policy holds a session down to one bucket.
func TestS3Resources(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	legacy(t, cloud, "media")
	legacy(t, cloud, "other")
	arn := cloud.Account(hub).AddRole("fixer", hub, "", "s3:*")
	session := must(assume(t, cloud, cloud.Account(hub).Credentials(), stsInput(arn, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutBucketPolicy","Resource":"arn:aws:s3:::media"}]}`)))(t)
	c := s3.NewFromConfig(config(cloud, session))
	must(c.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("media"), Policy: aws.String(twoStatements)}))(t)
	_, err := c.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("other"), Policy: aws.String(awssim.PublicReadPolicy("other"))})
	wantCode(t, err, "AccessDenied", 403)
	// A new bucket with an ACL or a setting of ownership needs more than its creation.
	maker := s3.NewFromConfig(config(cloud, cloud.Account(hub).AddUser("maker", "s3:CreateBucket")))
	_, err = maker.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("fresh"), ObjectOwnership: types.ObjectOwnershipObjectWriter})
	wantCode(t, err, "AccessDenied", 403)
	_, err = maker.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("fresh"), ACL: types.BucketCannedACLPrivate})
	wantCode(t, err, "AccessDenied", 403)
}
