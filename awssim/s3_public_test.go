package awssim_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// TestPolicyStatus holds the meaning of public against AWS's words and examples.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
func TestPolicyStatus(t *testing.T) {
	t.Parallel()
	const all = `"Principal":"*"`
	tests := []struct {
		name, principal, condition string
		want                       bool
	}{
		{"everyone", all, ``, true},
		{"everyone_as_aws", `"Principal":{"AWS":"*"}`, ``, true},
		{"an_account", `"Principal":{"AWS":"222222222222"}`, ``, false},
		{"a_service", `"Principal":{"Service":"cloudtrail.amazonaws.com"}`, ``, false},
		{"all_but_one", `"NotPrincipal":{"AWS":"222222222222"}`, ``, true},
		{"fixed_vpc", all, `{"StringEquals":{"aws:SourceVpc":"vpc-91237329"}}`, false},
		{"open_vpc", all, `{"StringLike":{"aws:SourceVpc":"vpc-*"}}`, true},
		{"organisation", all, `{"StringEquals":{"aws:PrincipalOrgID":"o-abc"}}`, false},
		{"organisation_if_exists", all, `{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-abc"}}`, true},
		{"not_an_organisation", all, `{"StringNotEquals":{"aws:PrincipalOrgID":"o-abc"}}`, true},
		{"all_values_of_none", all, `{"ForAllValues:StringEquals":{"aws:PrincipalOrgPaths":"o-abc/r-1/"}}`, true},
		{"any_value", all, `{"ForAnyValue:StringEquals":{"aws:PrincipalOrgID":"o-abc"}}`, false},
		{"paths_are_not_on_the_list", all, `{"ForAnyValue:StringEquals":{"aws:PrincipalOrgPaths":"o-abc/r-1/"}}`, true},
		{"own_account_is_not_on_the_list", all, `{"StringEquals":{"aws:PrincipalAccount":"111111111111"}}`, true},
		{"roles_are_not_on_the_list", all, `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111111111111:role/*"}}`, true},
		{"kms_key_is_not_on_the_list_any_more", all, `{"StringEquals":{"s3:x-amz-server-side-encryption-aws-kms-key-id":"arn:aws:kms:us-east-1:111111111111:key/1"}}`, true},
		{"variable", all, `{"StringEquals":{"aws:SourceAccount":"${aws:PrincipalAccount}"}}`, true},
		{"office", all, `{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`, false},
		{"one_address", all, `{"IpAddress":{"aws:SourceIp":"192.0.2.7"}}`, false},
		{"half_of_the_internet", all, `{"IpAddress":{"aws:SourceIp":["0.0.0.0/1","128.0.0.0/1"]}}`, true},
		{"broad_ipv6", all, `{"IpAddress":{"aws:SourceIp":"2000::/3"}}`, true},
		{"not_this_address", all, `{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`, true},
		{"referer", all, `{"StringLike":{"aws:Referer":"https://example.com/*"}}`, true},
		{"transport", all, `{"Bool":{"aws:SecureTransport":"true"}}`, true},
		{"role_sessions", all, `{"StringLike":{"aws:userid":"AROAEXAMPLE:*"}}`, true},
		{"access_points_of_an_account", all, `{"StringLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-east-1:111111111111:accesspoint/*"}}`, false},
		{"access_points_of_all", all, `{"StringLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-east-1:*:accesspoint/a"}}`, true},
		{"one_fixed_key_is_enough", all, `{"Bool":{"aws:SecureTransport":"true"},"StringEquals":{"aws:SourceVpce":"vpce-1"}}`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cloud, _ := newCloud(t)
			legacy(t, cloud, "media")
			statement := fmt.Sprintf(`{"Effect":"Allow",%s,"Action":"s3:GetObject","Resource":"arn:aws:s3:::media/*"`, tt.principal)
			if tt.condition != "" {
				statement += `,"Condition":` + tt.condition
			}
			statement += "}"
			deny := `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::media/*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`
			document := `{"Version":"2012-10-17","Statement":[` + deny + "," + statement + `]}`
			if err := cloud.Account(hub).Region(east).PutBucketPolicy(t.Context(), "media", document); err != nil {
				t.Fatal(err)
			}
			out := must(s3In(cloud, hub, east).GetBucketPolicyStatus(t.Context(), &s3.GetBucketPolicyStatusInput{Bucket: aws.String("media")}))(t)
			if got := out.PolicyStatus.IsPublic; got == nil || *got != tt.want {
				t.Errorf("public: got %v, want %t", got, tt.want)
			}
		})
	}
}
