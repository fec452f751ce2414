package bucket

import (
	"encoding/json"
	"testing"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"

	"github.com/google/go-cmp/cmp"
)

// TestHints has small documents in the shapes that AWS's documentation and
// recorded events show, old and new.
func TestHints(t *testing.T) {
	t.Parallel()
	const here, s3 = "eu-west-1", "s3.amazonaws.com"
	watch := cloudtrail.NewWatch(Events())
	scope := func(typ, region string, ids ...string) dera.Scope {
		return dera.Scope{Partition: "aws", Account: "111122223333", Region: region, Type: typ, IDs: ids}
	}
	media, all, everywhere := scope(Name, here, "media"), scope(Name, here), scope(Name, "*")
	for name, tc := range map[string]struct {
		source, call, request string
		want                  []dera.Scope
	}{
		"policy_new":          {s3, "PutBucketPolicy", `{"bucketName":"media","Host":"media.s3.eu-west-1.amazonaws.com","policy":"","bucketPolicy":{"Version":"2012-10-17","Statement":[]}}`, []dera.Scope{media}},
		"policy_old":          {s3, "PutBucketPolicy", `{"bucketName":"media","host":["s3.eu-west-1.amazonaws.com"],"policy":[""],"bucketPolicy":{"Statement":[{"Resource":"arn:aws:s3:::other/*"}]}}`, []dera.Scope{media}},
		"policy_as_text":      {s3, "PutBucketPolicy", `{"bucketName":"media","bucketPolicy":"{\"Statement\":[]}"}`, []dera.Scope{media}},
		"policy_url_encoded":  {s3, "PutBucketPolicy", `{"bucketName":"media","bucketPolicy":"%7B%22Statement%22%3A%5B%5D%7D"}`, []dera.Scope{media}},
		"policy_empty":        {s3, "PutBucketPolicy", `{"bucketName":"media","bucketPolicy":""}`, []dera.Scope{media}},
		"policy_no_name":      {s3, "PutBucketPolicy", `{"bucketPolicy":"invalid-json-policy"}`, []dera.Scope{all}},
		"policy_deleted":      {s3, "DeleteBucketPolicy", `{"bucketName":"media","policy":""}`, []dera.Scope{media}},
		"no_request":          {s3, "PutBucketPolicy", `null`, []dera.Scope{all}},
		"name_elided":         {s3, "PutBucketPolicy", `{"bucketName":"..."}`, []dera.Scope{all}},
		"name_is_a_path":      {s3, "PutBucketPolicy", `{"bucketName":"media/../other"}`, []dera.Scope{all}},
		"name_is_a_list":      {s3, "PutBucketPolicy", `{"bucketName":["media"]}`, []dera.Scope{all}},
		"name_of_old":         {s3, "PutBucketPolicy", `{"bucketName":"My_Media.1"}`, []dera.Scope{scope(Name, here, "My_Media.1")}},
		"acl_body":            {s3, "PutBucketAcl", `{"bucketName":"media","acl":[""],"AccessControlPolicy":{"Owner":{"ID":"x"}}}`, []dera.Scope{media}},
		"acl_headers":         {s3, "PutBucketAcl", `{"bucketName":"media","acl":"","accessControlList":{"x-amz-grant-read":"uri=http://acs.amazonaws.com/groups/global/AllUsers"}}`, []dera.Scope{media}},
		"block":               {s3, "PutBucketPublicAccessBlock", `{"bucketName":"media","publicAccessBlock":[""],"PublicAccessBlockConfiguration":{"BlockPublicAcls":false}}`, []dera.Scope{media}},
		"block_deleted":       {s3, "DeleteBucketPublicAccessBlock", `{"bucketName":"media","publicAccessBlock":""}`, []dera.Scope{media}},
		"ownership":           {s3, "PutBucketOwnershipControls", `{"bucketName":"media","ownershipControls":""}`, []dera.Scope{media}},
		"ownership_deleted":   {s3, "DeleteBucketOwnershipControls", `{"bucketName":"media"}`, []dera.Scope{media}},
		"tags":                {s3, "PutBucketTagging", `{"bucketName":"media","tagging":""}`, []dera.Scope{media}},
		"tags_deleted":        {s3, "DeleteBucketTagging", `{"bucketName":"media"}`, []dera.Scope{media}},
		"website":             {s3, "PutBucketWebsite", `{"bucketName":"media","website":""}`, []dera.Scope{media}},
		"website_deleted":     {s3, "DeleteBucketWebsite", `{"bucketName":"media"}`, []dera.Scope{media}},
		"bucket":              {s3, "CreateBucket", `{"bucketName":"media"}`, []dera.Scope{media}},
		"bucket_here":         {s3, "CreateBucket", `{"bucketName":"media","CreateBucketConfiguration":{"LocationConstraint":"eu-west-1","xmlns":"http://s3.amazonaws.com/doc/2006-03-01/"}}`, []dera.Scope{media}},
		"bucket_here_old":     {s3, "CreateBucket", `{"bucketName":"media","CreateBucketConfiguration":{"LocationConstraint":"EU"}}`, []dera.Scope{media}},
		"bucket_elsewhere":    {s3, "CreateBucket", `{"bucketName":"media","CreateBucketConfiguration":{"LocationConstraint":"ap-south-1"}}`, []dera.Scope{media, scope(Name, "ap-south-1", "media")}},
		"bucket_nowhere":      {s3, "CreateBucket", `{"bucketName":"media","CreateBucketConfiguration":{"LocationConstraint":"a/b-c-d"}}`, []dera.Scope{media}},
		"bucket_deleted":      {s3, "DeleteBucket", `{"bucketName":"media"}`, []dera.Scope{media}},
		"account_block":       {s3, "PutAccountPublicAccessBlock", `{"publicAccessBlock":[""],"host":["s3.amazonaws.com"],"bucketName":"..."}`, []dera.Scope{everywhere}},
		"account_block_none":  {s3, "DeleteAccountPublicAccessBlock", `{"host":["111122223333.s3-control.us-east-1.amazonaws.com"]}`, []dera.Scope{everywhere}},
		"access_point":        {s3, "CreateAccessPoint", `{"name":"door","CreateAccessPointRequest":{"Bucket":"media","xmlns":"http://awss3control.amazonaws.com/doc/2018-08-20/"}}`, []dera.Scope{media}},
		"access_point_odd":    {s3, "CreateAccessPoint", `{"name":"door"}`, []dera.Scope{all}},
		"access_point_gone":   {s3, "DeleteAccessPoint", `{"name":"door"}`, []dera.Scope{all}},
		"access_point_policy": {s3, "PutAccessPointPolicy", `{"name":"door","PutAccessPointPolicyRequest":{"Policy":"{}"}}`, []dera.Scope{all}},
		"access_point_closed": {s3, "DeleteAccessPointPolicy", `{"name":"door"}`, []dera.Scope{all}},
		"multi_region_policy": {s3, "PutMultiRegionAccessPointPolicy", `{"PutMultiRegionAccessPointPolicyRequest":{"Details":{"Name":"door","Policy":"{}"}}}`, []dera.Scope{everywhere}},
		"multi_region_made":   {s3, "CreateMultiRegionAccessPoint", `{"CreateMultiRegionAccessPointRequest":{"Details":{"Name":"door","Regions":{"Region":{"Bucket":"media"}}}}}`, []dera.Scope{everywhere}},
		"multi_region_closed": {s3, "DeleteMultiRegionAccessPoint", `{}`, []dera.Scope{everywhere}},
		"distribution":        {cloudFront, "CreateDistribution", `{"distributionConfig":{"origins":{"items":[{"domainName":"media.s3.us-east-1.amazonaws.com"}]}}}`, []dera.Scope{everywhere}},
		"distribution_tagged": {cloudFront, "CreateDistributionWithTags", `{}`, []dera.Scope{everywhere}},
		"distribution_update": {cloudFront, "UpdateDistribution", `{"id":"E1"}`, []dera.Scope{everywhere}},
		"distribution_gone":   {cloudFront, "DeleteDistribution", `{"id":"E1"}`, []dera.Scope{everywhere}},
		"object":              {s3, "PutObject", `{"bucketName":"media","key":"a"}`, nil},
		"read":                {s3, "GetBucketPolicy", `{"bucketName":"media"}`, nil},
		"name_of_the_api":     {s3, "PutPublicAccessBlock", `{"bucketName":"media"}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := cloudtrail.Record{Source: tc.source, Name: tc.call, Account: "111122223333", Region: here, Partition: "aws", Request: json.RawMessage(tc.request), Response: json.RawMessage("null")}
			if d := cmp.Diff(tc.want, watch.Hints(r)); d != "" {
				t.Errorf("hints (-want +got):\n%s", d)
			}
			r.ErrorCode = "AccessDenied"
			if got := watch.Hints(r); got != nil {
				t.Errorf("got hints %v of a failed call, want none", got)
			}
		})
	}
}

func TestDocument(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, source, call, request, code, want string }{
		{"object", "s3.amazonaws.com", "PutBucketPolicy", `{"bucketName":"b","bucketPolicy":{"Statement":[]}}`, "", `{"Statement":[]}`},
		{"text", "s3.amazonaws.com", "PutBucketPolicy", `{"bucketPolicy":"{\"Statement\":[]}"}`, "", `{"Statement":[]}`},
		{"none", "s3.amazonaws.com", "PutBucketPolicy", `{"bucketName":"b"}`, "", ""},
		{"failed", "s3.amazonaws.com", "PutBucketPolicy", `{"bucketPolicy":{"Statement":[]}}`, "AccessDenied", ""},
		{"another_call", "s3.amazonaws.com", "PutBucketAcl", `{"bucketPolicy":{}}`, "", ""},
		{"another_service", "sqs.amazonaws.com", "PutBucketPolicy", `{"bucketPolicy":{}}`, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := cloudtrail.Record{Source: tt.source, Name: tt.call, Request: []byte(tt.request), ErrorCode: tt.code}
			if got := cloudtrail.NewWatch(Events()).Document(r); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
