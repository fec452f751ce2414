package awssim_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"dera.example/dera/awssim"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	controltypes "github.com/aws/aws-sdk-go-v2/service/s3control/types"
	"github.com/google/go-cmp/cmp"
)

const west = "eu-west-1"

// s3In returns a client of an account's administrator for a Region.
func s3In(cloud *awssim.Cloud, account, region string) *s3.Client {
	cfg := config(cloud, cloud.Account(account).Credentials())
	cfg.Region = region
	return s3.NewFromConfig(cfg)
}

func controlClient(cloud *awssim.Cloud, account string) *s3control.Client {
	return s3control.NewFromConfig(config(cloud, cloud.Account(account).Credentials()))
}

// legacy makes a bucket that takes ACLs and blocks nothing.
func legacy(t *testing.T, cloud *awssim.Cloud, name string) {
	t.Helper()
	if err := cloud.Account(hub).Region(east).CreateLegacyBucket(t.Context(), name); err != nil {
		t.Fatal(err)
	}
}

func bucketOf(t *testing.T, cloud *awssim.Cloud, name string) awssim.Bucket {
	t.Helper()
	b, ok := cloud.Snapshot().Bucket(name)
	if !ok {
		t.Fatalf("bucket %s is not there", name)
	}
	return b
}

func TestNewBucketIsClosed(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	c := s3In(cloud, hub, east)
	must(c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("media")}))(t)
	block := must(c.GetPublicAccessBlock(t.Context(), &s3.GetPublicAccessBlockInput{Bucket: aws.String("media")}))(t).PublicAccessBlockConfiguration
	want := &types.PublicAccessBlockConfiguration{BlockPublicAcls: aws.Bool(true), BlockPublicPolicy: aws.Bool(true), IgnorePublicAcls: aws.Bool(true), RestrictPublicBuckets: aws.Bool(true)}
	if got := *block.BlockPublicAcls && *block.BlockPublicPolicy && *block.IgnorePublicAcls && *block.RestrictPublicBuckets; !got {
		t.Errorf("block: got %+v, want %+v", block, want)
	}
	owner := must(c.GetBucketOwnershipControls(t.Context(), &s3.GetBucketOwnershipControlsInput{Bucket: aws.String("media")}))(t)
	if got := owner.OwnershipControls.Rules; len(got) != 1 || got[0].ObjectOwnership != types.ObjectOwnershipBucketOwnerEnforced {
		t.Errorf("ownership: got %v, want BucketOwnerEnforced", got)
	}
	acl := must(c.GetBucketAcl(t.Context(), &s3.GetBucketAclInput{Bucket: aws.String("media")}))(t)
	if len(acl.Grants) != 1 || *acl.Grants[0].Grantee.ID != *acl.Owner.ID || acl.Grants[0].Grantee.Type != types.TypeCanonicalUser || acl.Grants[0].Permission != types.PermissionFullControl {
		t.Errorf("ACL: got %+v, want full control of the owner only", acl.Grants)
	}
}

// TestBucketAddresses reads one bucket by every form of address.
func TestBucketAddresses(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	server := httptest.NewServer(cloud)
	t.Cleanup(server.Close)
	r := cloud.Account(hub).Region(west)
	for _, name := range []string{"media", "media.example.com"} {
		if err := r.CreateBucket(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name, bucket string
		options      func(*s3.Options)
	}{
		{"virtual_host", "media", func(*s3.Options) {}},
		{"path", "media", func(o *s3.Options) { o.UsePathStyle = true }},
		{"dots_in_name", "media.example.com", func(*s3.Options) {}},
		{"dual_stack", "media", func(o *s3.Options) { o.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled }},
		{"own_endpoint_path", "media", func(o *s3.Options) { o.BaseEndpoint, o.UsePathStyle = &server.URL, true }},
		{"own_endpoint_host", "media", func(o *s3.Options) { o.BaseEndpoint = aws.String("http://localhost:1") }},
		{"own_endpoint_socket", "media", func(o *s3.Options) {
			o.BaseEndpoint, o.UsePathStyle, o.HTTPClient = &server.URL, true, http.DefaultClient
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := config(cloud, cloud.Account(hub).Credentials())
			cfg.Region = west
			out := must(s3.NewFromConfig(cfg, tt.options).HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: &tt.bucket}))(t)
			if got := aws.ToString(out.BucketRegion); got != west {
				t.Errorf("Region: got %s, want %s", got, west)
			}
		})
	}
}

func TestBucketInAnotherRegion(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	must(s3In(cloud, hub, west).CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: aws.String("media"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraintEuWest1},
	}))(t)
	c := s3In(cloud, hub, east)
	_, err := c.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String("media")})
	wantCode(t, err, "PermanentRedirect", 301)
	_, err = c.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("media")})
	var answer *awshttp.ResponseError
	if !asResponse(err, &answer) || answer.HTTPStatusCode() != 301 || answer.Response.Header.Get("X-Amz-Bucket-Region") != west {
		t.Errorf("head: got %v, want status 301 and the Region", err)
	}
	_, err = c.GetBucketAcl(t.Context(), &s3.GetBucketAclInput{Bucket: aws.String("media")}, func(o *s3.Options) { o.BaseEndpoint = aws.String("https://s3.amazonaws.com") })
	wantCode(t, err, "AuthorizationHeaderMalformed", 400)
	where := must(s3In(cloud, hub, west).GetBucketLocation(t.Context(), &s3.GetBucketLocationInput{Bucket: aws.String("media")}))(t)
	if where.LocationConstraint != types.BucketLocationConstraintEuWest1 {
		t.Errorf("location: got %s", where.LocationConstraint)
	}
	// us-east-1 makes buckets anywhere.
	must(c.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: aws.String("far"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraintApSouth1},
	}))(t)
	if got := bucketOf(t, cloud, "far").Region; got != "ap-south-1" {
		t.Errorf("Region of a bucket made from afar: got %s, want ap-south-1", got)
	}
}

func TestListBuckets(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	for name, region := range map[string]string{"a1": east, "a2a": west, "a3a": east, "b1b": west, "b2b": east} {
		if err := cloud.Account(hub).Region(region).CreateBucket(t.Context(), name+"-x"); err != nil {
			t.Fatal(err)
		}
	}
	if err := cloud.Account(member).Region(east).CreateBucket(t.Context(), "foreign"); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		in   s3.ListBucketsInput
		want [][]string
	}{
		{"all", s3.ListBucketsInput{}, [][]string{{"a1-x", "a2a-x", "a3a-x", "b1b-x", "b2b-x"}}},
		{"pages", s3.ListBucketsInput{MaxBuckets: aws.Int32(2)}, [][]string{{"a1-x", "a2a-x"}, {"a3a-x", "b1b-x"}, {"b2b-x"}}},
		{"prefix", s3.ListBucketsInput{Prefix: aws.String("b")}, [][]string{{"b1b-x", "b2b-x"}}},
		{"region", s3.ListBucketsInput{BucketRegion: aws.String(west), MaxBuckets: aws.Int32(1)}, [][]string{{"a2a-x"}, {"b1b-x"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got [][]string
			for p := s3.NewListBucketsPaginator(s3In(cloud, hub, east), &tt.in); p.HasMorePages(); {
				out := must(p.NextPage(t.Context()))(t)
				var names []string
				for _, b := range out.Buckets {
					names = append(names, *b.Name)
				}
				got = append(got, names)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("pages (-want +got):\n%s", diff)
			}
		})
	}
	_, err := s3In(cloud, hub, east).ListBuckets(t.Context(), &s3.ListBucketsInput{ContinuationToken: aws.String("nonsense")})
	wantCode(t, err, "InvalidArgument", 400)
	_, err = s3In(cloud, hub, east).ListBuckets(t.Context(), &s3.ListBucketsInput{MaxBuckets: aws.Int32(10_001)})
	wantCode(t, err, "InvalidArgument", 400)
}

func inWest(name string) *s3.CreateBucketInput {
	return &s3.CreateBucketInput{Bucket: &name, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraintEuWest1}}
}

// TestPolicyByteForByte: what is put comes back as it was put.
func TestPolicyByteForByte(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	legacy(t, cloud, "media")
	c := s3In(cloud, hub, east)
	document := "{ \"Version\" : \"2012-10-17\",\n\t\"Statement\":[{\"Sid\":\"a\\u00e9\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":[\"s3:GetObject\"],\"Resource\":\"arn:aws:s3:::media/*\"}] }"
	must(c.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("media"), Policy: &document}))(t)
	if got := *must(c.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String("media")}))(t).Policy; got != document {
		t.Errorf("policy: got %q, want %q", got, document)
	}
	status := must(c.GetBucketPolicyStatus(t.Context(), &s3.GetBucketPolicyStatusInput{Bucket: aws.String("media")}))(t)
	if !aws.ToBool(status.PolicyStatus.IsPublic) {
		t.Errorf("status of a public policy: got not public")
	}
	must(c.DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: aws.String("media")}))(t)
	if got := bucketOf(t, cloud, "media").Policy; got != "" {
		t.Errorf("policy after deletion: got %q", got)
	}
}

func TestACLRoundTrip(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	legacy(t, cloud, "media")
	c := s3In(cloud, hub, east)
	if err := cloud.Account(hub).Region(east).PutBucketGrants(t.Context(), "media", awssim.Grant{URI: awssim.AuthenticatedUsers, Permission: "READ_ACP"},
		awssim.Grant{ID: awssim.CanonicalID(member), Permission: "WRITE"}); err != nil {
		t.Fatal(err)
	}
	before := bucketOf(t, cloud, "media").Grants
	read := must(c.GetBucketAcl(t.Context(), &s3.GetBucketAclInput{Bucket: aws.String("media")}))(t)
	if len(read.Grants) != 3 || read.Grants[1].Grantee.Type != types.TypeGroup || *read.Grants[1].Grantee.URI != awssim.AuthenticatedUsers {
		t.Errorf("grants: got %+v", read.Grants)
	}
	must(c.PutBucketAcl(t.Context(), &s3.PutBucketAclInput{Bucket: aws.String("media"), AccessControlPolicy: &types.AccessControlPolicy{Owner: read.Owner, Grants: read.Grants}}))(t)
	if got := bucketOf(t, cloud, "media").Grants; !slices.Equal(got, before) {
		t.Errorf("grants put back: got %v, want %v", got, before)
	}
	must(c.PutBucketAcl(t.Context(), &s3.PutBucketAclInput{Bucket: aws.String("media"), GrantRead: aws.String(`uri="` + awssim.AllUsers + `"`)}))(t)
	if got, want := bucketOf(t, cloud, "media").Grants, []awssim.Grant{{URI: awssim.AllUsers, Permission: "READ"}}; !slices.Equal(got, want) {
		t.Errorf("grants of headers: got %v, want %v", got, want)
	}
}

func TestTagsAndWebsite(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	legacy(t, cloud, "media")
	if err := cloud.Account(hub).Region(east).SystemTagBucket("media", map[string]string{"aws:cloudformation:stack-name": "web"}); err != nil {
		t.Fatal(err)
	}
	c := s3In(cloud, hub, east)
	read := must(c.GetBucketTagging(t.Context(), &s3.GetBucketTaggingInput{Bucket: aws.String("media")}))(t)
	own := types.Tag{Key: aws.String("team"), Value: aws.String("red & blue")}
	_, err := c.PutBucketTagging(t.Context(), &s3.PutBucketTaggingInput{Bucket: aws.String("media"), Tagging: &types.Tagging{TagSet: []types.Tag{own}}})
	wantCode(t, err, "InvalidTag", 400)
	must(c.PutBucketTagging(t.Context(), &s3.PutBucketTaggingInput{Bucket: aws.String("media"), Tagging: &types.Tagging{TagSet: append(read.TagSet, own)}}))(t)
	want := map[string]string{"aws:cloudformation:stack-name": "web", "team": "red & blue"}
	if diff := cmp.Diff(want, bucketOf(t, cloud, "media").Tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	must(c.PutBucketWebsite(t.Context(), &s3.PutBucketWebsiteInput{Bucket: aws.String("media"), WebsiteConfiguration: &types.WebsiteConfiguration{
		IndexDocument: &types.IndexDocument{Suffix: aws.String("index.html")}, ErrorDocument: &types.ErrorDocument{Key: aws.String("error.html")},
	}}))(t)
	site := must(c.GetBucketWebsite(t.Context(), &s3.GetBucketWebsiteInput{Bucket: aws.String("media")}))(t)
	if *site.IndexDocument.Suffix != "index.html" || *site.ErrorDocument.Key != "error.html" {
		t.Errorf("website: got %+v", site)
	}
	must(c.GetBucketVersioning(t.Context(), &s3.GetBucketVersioningInput{Bucket: aws.String("media")}))(t)
}

func TestAccountBlock(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	c := controlClient(cloud, hub)
	_, err := c.GetPublicAccessBlock(t.Context(), &s3control.GetPublicAccessBlockInput{AccountId: aws.String(hub)})
	wantCode(t, err, "NoSuchPublicAccessBlockConfiguration", 404)
	must(c.PutPublicAccessBlock(t.Context(), &s3control.PutPublicAccessBlockInput{AccountId: aws.String(hub), PublicAccessBlockConfiguration: &controltypes.PublicAccessBlockConfiguration{
		BlockPublicAcls: aws.Bool(true), RestrictPublicBuckets: aws.Bool(false),
	}}))(t)
	// It is the account's, whatever the Region.
	got := must(c.GetPublicAccessBlock(t.Context(), &s3control.GetPublicAccessBlockInput{AccountId: aws.String(hub)}, func(o *s3control.Options) { o.Region = west }))(t)
	if p := got.PublicAccessBlockConfiguration; !*p.BlockPublicAcls || *p.IgnorePublicAcls || *p.BlockPublicPolicy || *p.RestrictPublicBuckets {
		t.Errorf("block: got %+v", p)
	}
	if diff := cmp.Diff(map[string]awssim.PublicAccessBlock{hub: {BlockPublicACLs: true}}, cloud.Snapshot().Blocks); diff != "" {
		t.Errorf("blocks (-want +got):\n%s", diff)
	}
	_, err = c.GetPublicAccessBlock(t.Context(), &s3control.GetPublicAccessBlockInput{AccountId: aws.String(member)})
	wantCode(t, err, "AccessDenied", 403)
	for range 2 {
		must(c.DeletePublicAccessBlock(t.Context(), &s3control.DeletePublicAccessBlockInput{AccountId: aws.String(hub)}))(t)
	}
	if got := cloud.Snapshot().Blocks; len(got) != 0 {
		t.Errorf("blocks after deletion: got %v", got)
	}
}
