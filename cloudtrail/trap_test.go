package cloudtrail

import (
	"fmt"
	"slices"
	"testing"
)

// TestTraps: shapes that recorded events have and documents do not warn of. Each
// case tells the IDs that the event is a hint at; "*" is a sweep.
func TestTraps(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		source, call, request, code string
		want                        []string
	}{
		"flat_and_empty_list":               {"ec2", "AuthorizeSecurityGroupIngress", `{"groupId":"sg-1","cidrIp":"0.0.0.0/0","fromPort":22,"ipPermissions":{}}`, "", []string{"sg-1"}},
		"nested":                            {"ec2", "AuthorizeSecurityGroupIngress", `{"groupId":"sg-1","ipPermissions":{"items":[{"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]}}]}}`, "", []string{"sg-1"}},
		"wrapped_in_its_own_name":           {"ec2", "ModifySecurityGroupRules", `{"ModifySecurityGroupRulesRequest":{"GroupId":"sg-1","SecurityGroupRule":{"SecurityGroupRuleId":"sgr-1"}}}`, "", []string{"sg-1"}},
		"wrapped_in_another_name":           {"ec2", "ModifySecurityGroupRules", `{"OtherRequest":{"GroupId":"sg-1"}}`, "", []string{"*"}},
		"wrapped_list_of_contents":          {"ec2", "ModifyNetworkInterfaceAttribute", `{"ModifyNetworkInterfaceAttributeRequest":{"SecurityGroupId":[{"content":"sg-1","tag":1},{"content":"sg-2","tag":2}]}}`, "", []string{"sg-1", "sg-2"}},
		"wrapped_list_of_one_content":       {"ec2", "ModifyNetworkInterfaceAttribute", `{"ModifyNetworkInterfaceAttributeRequest":{"SecurityGroupId":{"content":"sg-1","tag":1}}}`, "", []string{"sg-1"}},
		"name_of_cloudtrail_not_of_the_api": {"s3", "PutBucketPublicAccessBlock", `{"bucketName":"files"}`, "", []string{"files"}},
		"deletion_under_its_own_name":       {"s3", "DeleteBucketPublicAccessBlock", `{"bucketName":"files"}`, "", []string{"files"}},
		"name_of_the_api_is_not_written":    {"s3", "PutPublicAccessBlock", `{"bucketName":"files"}`, "", nil},
		"names_with_a_date":                 {"lambda", "AddPermission20150331v2", `{"functionName":"f"}`, "", nil},
		"policy_as_object":                  {"s3", "PutBucketPolicy", `{"bucketName":"files","bucketPolicy":{"Statement":[]},"policy":[""]}`, "", []string{"files"}},
		"policy_as_text":                    {"s3", "PutBucketPolicy", `{"bucketName":"files","bucketPolicy":"{\"Statement\":[]}"}`, "", []string{"files"}},
		"policy_url_encoded":                {"s3", "PutBucketPolicy", `{"bucketName":"files","bucketPolicy":"%7B%7D"}`, "", []string{"files"}},
		"policy_empty":                      {"s3", "PutBucketPolicy", `{"bucketName":"files","bucketPolicy":""}`, "", []string{"files"}},
		"bucket_elided":                     {"s3", "PutBucketPolicy", `{"bucketName":"..."}`, "", []string{"*"}},
		"bucket_in_the_policy_is_not_it":    {"s3", "PutBucketPolicy", `{"bucketPolicy":{"bucketName":"other"}}`, "", []string{"*"}},
		"zero_prefix_with_host_bits":        {"ec2", "AuthorizeSecurityGroupIngress", `{"groupId":"sg-1","cidrIp":"208.236.235.254/0"}`, "", []string{"sg-1"}},
		"error_code_with_client_prefix":     {"ec2", "AuthorizeSecurityGroupIngress", `{"groupId":"sg-1"}`, "Client.UnauthorizedOperation", nil},
		"error_code_of_a_dry_run":           {"ec2", "RevokeSecurityGroupIngress", `{"groupId":"sg-1"}`, "Client.DryRunOperation", nil},
		"error_code_without_prefix":         {"s3", "PutBucketPolicy", `{"bucketName":"files"}`, "AccessDenied", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := []byte(fmt.Sprintf(`{"eventSource":"%s.amazonaws.com","eventName":%q,"awsRegion":"eu-west-1","recipientAccountId":"111122223333","errorCode":%q,"requestParameters":%s}`,
				tc.source, tc.call, tc.code, tc.request))
			r, err := Decode(raw)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range Hints(r) {
				if s.Sweep() {
					got = append(got, "*")
				}
				got = append(got, s.IDs...)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("hints: got %q, want %q", got, tc.want)
			}
			if len(got) > 0 && !Triage(raw) {
				t.Error("triage throws it away")
			}
		})
	}
}
