package replay

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera/services/ec2/securitygroup"
	"dera.example/dera/services/s3/bucket"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/detect"
	"dera.example/dera/services"

	"github.com/google/go-cmp/cmp"
)

const account = "111122223333"

var begin = time.Date(2024, 8, 1, 12, 0, 0, 0, time.UTC)

// event is a recorded call as the tables write it: a minute passes between two.
type event struct{ name, request, response, code string }

// follow applies recorded calls in their order and returns the state and what
// could not be followed.
func follow(t *testing.T, from time.Time, events ...event) (*State, []string) {
	t.Helper()
	now := from
	s := New(func() time.Time { return now }, services.Types().Types()...)
	var lost []string
	for i, e := range events {
		now = from.Add(time.Duration(i) * time.Minute)
		source := "ec2.amazonaws.com"
		if strings.Contains(e.name, "Bucket") || strings.Contains(e.name, "PublicAccessBlock") || strings.Contains(e.name, "AccessPoint") {
			source = "s3.amazonaws.com"
		}
		raw := fmt.Sprintf(`{"eventVersion":"1.09","eventSource":%q,"eventName":%q,"eventTime":%q,"awsRegion":"eu-west-1","recipientAccountId":%q,"requestParameters":%s,"responseElements":%s`,
			source, e.name, now.Format(time.RFC3339), account, orNull(e.request), orNull(e.response))
		if e.code != "" {
			raw += fmt.Sprintf(`,"errorCode":%q`, e.code)
		}
		r, err := cloudtrail.Decode([]byte(raw + "}"))
		if err != nil {
			t.Fatalf("event %s: %v", e.name, err)
		}
		if err := s.Apply(r); err != nil {
			lost = append(lost, err.Error())
		}
	}
	return s, lost
}

func orNull(text string) string {
	if text == "" {
		return "null"
	}
	return text
}

func read(t *testing.T, s *State, typ, region, id string) (dera.Resource, bool) {
	t.Helper()
	page, err := s.Read(t.Context(), dera.Scope{Partition: "aws", Account: account, Region: region, Type: typ, IDs: []string{id}}, true)
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Resources) == 0 {
		return dera.Resource{}, false
	}
	return page.Resources[0], true
}

const (
	created    = `{"groupName":"web","groupDescription":"d","vpcId":"vpc-1"}`
	withID     = `{"_return":true,"groupId":"sg-1"}`
	world22    = `{"groupId":"sg-1","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":22,"toPort":22,"groups":{},"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}`
	world22Set = `{"_return":true,"securityGroupRuleSet":{"items":[{"groupId":"sg-1","groupOwnerId":"111122223333","securityGroupRuleId":"sgr-1","isEgress":false,"ipProtocol":"tcp","fromPort":22,"toPort":22,"cidrIpv4":"0.0.0.0/0"}]}}`
)

// TestTrapsOfGroups: one API, several shapes. Each case tells the inbound rules
// after the events.
func TestTrapsOfGroups(t *testing.T) {
	t.Parallel()
	birth := event{"CreateSecurityGroup", created, withID, ""}
	opened := event{"AuthorizeSecurityGroupIngress", world22, world22Set, ""}
	for name, tc := range map[string]struct {
		events []event
		want   []string
		partly string // what it says of why it is partly known
		lost   string
	}{
		"authorize_flat":                  {[]event{birth, {"AuthorizeSecurityGroupIngress", `{"groupId":"sg-1","cidrIp":"0.0.0.0/0","fromPort":22,"toPort":22,"ipProtocol":"tcp","ipPermissions":{}}`, `{"_return":true}`, ""}}, []string{"tcp 22 from 0.0.0.0/0"}, "", ""},
		"authorize_nested":                {[]event{birth, {"AuthorizeSecurityGroupIngress", world22, `{"_return":true}`, ""}}, []string{"tcp 22 from 0.0.0.0/0"}, "", ""},
		"authorize_nested_six_sources":    {[]event{birth, {"AuthorizeSecurityGroupIngress", `{"groupId":"sg-1","ipPermissions":{"items":[{"ipProtocol":"-1","ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"},{"cidrIp":"10.0.0.0/8"}]},"ipv6Ranges":{"items":[{"cidrIpv6":"::/0"}]},"groups":{"items":[{"groupId":"sg-9","userId":"111122223333"},{"groupId":"sg-8","userId":"444455556666"}]},"prefixListIds":{"items":[{"prefixListId":"pl-1"}]}}]}}`, "", ""}}, []string{"all traffic from 0.0.0.0/0", "all traffic from 10.0.0.0/8", "all traffic from 444455556666/sg-8", "all traffic from ::/0", "all traffic from pl-1", "all traffic from sg-9"}, "", ""},
		"authorize_told_by_the_answer":    {[]event{birth, opened}, []string{"tcp 22 from 0.0.0.0/0"}, "", ""},
		"authorize_twice":                 {[]event{birth, opened, opened}, []string{"tcp 22 from 0.0.0.0/0"}, "", ""},
		"authorize_by_the_groups_name":    {[]event{birth, {"AuthorizeSecurityGroupIngress", `{"groupName":"web","cidrIp":"10.0.0.0/8","fromPort":22,"toPort":22,"ipProtocol":"6"}`, "", ""}}, []string{"tcp 22 from 10.0.0.0/8"}, "", ""},
		"authorize_of_a_name_never_told":  {[]event{birth, {"AuthorizeSecurityGroupIngress", `{"groupName":"other","cidrIp":"10.0.0.0/8","fromPort":22,"toPort":22,"ipProtocol":"6"}`, "", ""}}, nil, "", "does not say which group"},
		"authorize_elided":                {[]event{birth, {"AuthorizeSecurityGroupIngress", `{"groupId":"sg-1"}`, "", ""}}, nil, "does not say which", "does not say which rule"},
		"egress_is_not_ingress":           {[]event{birth, {"AuthorizeSecurityGroupEgress", world22, "", ""}}, nil, "", ""},
		"zero_prefix_with_host_bits":      {[]event{birth, {"AuthorizeSecurityGroupIngress", `{"groupId":"sg-1","cidrIp":"208.236.235.254/0","fromPort":22,"toPort":22,"ipProtocol":"tcp"}`, `{"securityGroupRuleSet":{"items":[{"cidrIpv4":"208.236.235.254/0","fromPort":22,"toPort":22,"ipProtocol":"tcp","isEgress":false,"securityGroupRuleId":"sgr-1","groupId":"sg-1"}]}}`, ""}}, []string{"tcp 22 from 0.0.0.0/0"}, "", ""},
		"cidr_that_cannot_be_read":        {[]event{birth, {"AuthorizeSecurityGroupIngress", `{"groupId":"sg-1","cidrIp":"...","fromPort":22,"toPort":22,"ipProtocol":"tcp"}`, "", ""}}, []string{"tcp 22 from unreadable-source"}, "", ""},
		"error_code_with_client_prefix":   {[]event{birth, {"AuthorizeSecurityGroupIngress", world22, "", "Client.UnauthorizedOperation"}}, nil, "", ""},
		"error_code_of_a_dry_run":         {[]event{birth, {"AuthorizeSecurityGroupIngress", world22, "", "Client.DryRunOperation"}}, nil, "", ""},
		"error_code_on_a_revoke":          {[]event{birth, opened, {"RevokeSecurityGroupIngress", world22, "", "Client.InvalidPermission.NotFound"}}, []string{"tcp 22 from 0.0.0.0/0"}, "", ""},
		"error_code_on_the_delete":        {[]event{birth, opened, {"DeleteSecurityGroup", `{"groupId":"sg-1"}`, "", "Client.DependencyViolation"}}, []string{"tcp 22 from 0.0.0.0/0"}, "", ""},
		"revoke_by_rule_id":               {[]event{birth, opened, {"RevokeSecurityGroupIngress", `{"groupId":"sg-1","securityGroupRuleIds":{"items":[{"securityGroupRuleId":"sgr-1"}]}}`, `{"_return":true}`, ""}}, nil, "", ""},
		"revoke_nested":                   {[]event{birth, opened, {"RevokeSecurityGroupIngress", world22, `{"_return":true}`, ""}}, nil, "", ""},
		"revoke_flat":                     {[]event{birth, opened, {"RevokeSecurityGroupIngress", `{"groupId":"sg-1","cidrIp":"0.0.0.0/0","fromPort":22,"toPort":22,"ipProtocol":"tcp"}`, "", ""}}, nil, "", ""},
		"revoke_of_what_nobody_added":     {[]event{birth, {"RevokeSecurityGroupIngress", world22, "", ""}}, nil, "removes a rule that no event added", ""},
		"modify_wrapped":                  {[]event{birth, opened, {"ModifySecurityGroupRules", `{"ModifySecurityGroupRulesRequest":{"GroupId":"sg-1","SecurityGroupRule":{"SecurityGroupRuleId":"sgr-1","tag":1,"SecurityGroupRule":{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"CidrIpv4":"10.0.0.0/8"}}}}`, "", ""}}, []string{"tcp 22 from 10.0.0.0/8"}, "", ""},
		"modify_wrapped_several":          {[]event{birth, opened, {"ModifySecurityGroupRules", `{"ModifySecurityGroupRulesRequest":{"GroupId":"sg-1","SecurityGroupRule":[{"SecurityGroupRuleId":"sgr-1","tag":1,"SecurityGroupRule":{"IpProtocol":"tcp","FromPort":1,"ToPort":2,"CidrIpv6":"::/0"}}]}}`, "", ""}}, []string{"tcp 1-2 from ::/0"}, "", ""},
		"modify_of_a_rule_never_told":     {[]event{birth, {"ModifySecurityGroupRules", `{"ModifySecurityGroupRulesRequest":{"GroupId":"sg-1","SecurityGroupRule":{"SecurityGroupRuleId":"sgr-7","SecurityGroupRule":{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"CidrIpv4":"0.0.0.0/0"}}}}`, "", ""}}, nil, "changes a rule that no event added", "no event added"},
		"group_that_no_event_created":     {[]event{opened}, []string{"tcp 22 from 0.0.0.0/0"}, "no recorded event created it", ""},
		"group_made_again_under_its_name": {[]event{birth, opened, {"DeleteSecurityGroup", `{"groupId":"sg-1"}`, "", ""}, birth}, nil, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, lost := follow(t, begin, tc.events...)
			r, ok := read(t, s, securitygroup.Name, "eu-west-1", "sg-1")
			if !ok {
				t.Fatal("got no group")
			}
			var got []string
			for _, rule := range r.Config.(*securitygroup.Group).Ingress {
				got = append(got, rule.Line())
				if rule.ID == "" {
					t.Errorf("rule %s has no ID: no plan could be made", rule.Line())
				}
			}
			slices.Sort(got)
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("inbound rules (-want +got):\n%s", d)
			}
			if got := s.Partly(r); (got == "") != (tc.partly == "") || !strings.Contains(got, tc.partly) {
				t.Errorf("partly known: got %q, want %q", got, tc.partly)
			}
			if got := strings.Join(lost, "; "); (got == "") != (tc.lost == "") || !strings.Contains(got, tc.lost) {
				t.Errorf("not followed: got %q, want %q", got, tc.lost)
			}
		})
	}
}

const publicPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::files/*"}]}`

// TestTrapsOfBuckets: policies, ACLs and blocks in every form that events have
// them in. Each case tells which controls fail at the end, and what is not known.
func TestTrapsOfBuckets(t *testing.T) {
	t.Parallel()
	birth := event{"CreateBucket", `{"bucketName":"files","Host":"files.s3.amazonaws.com"}`, "", ""}
	open := event{"DeleteBucketPublicAccessBlock", `{"bucketName":"files","publicAccessBlock":""}`, "", ""}
	acls := event{"PutBucketOwnershipControls", `{"bucketName":"files","OwnershipControls":{"Rule":{"ObjectOwnership":"ObjectWriter"}}}`, "", ""}
	policy := func(value string) []event {
		return []event{birth, open, {"PutBucketPolicy", `{"bucketName":"files","policy":[""],"bucketPolicy":` + value + `}`, "", ""}}
	}
	acl := func(request string) []event {
		return []event{birth, open, acls, {"PutBucketAcl", `{"bucketName":"files","acl":[""],` + request + `}`, "", ""}}
	}
	const blockOff, publicText, publicACL = "s3-bucket-access-block", "s3-bucket-public-policy", "s3-bucket-public-acl"
	for name, tc := range map[string]struct {
		events []event
		want   []string // controls that fail
		unread string   // a part that no event tells
	}{
		"new_bucket_is_closed":          {[]event{birth}, nil, ""},
		"block_deleted":                 {[]event{birth, open}, []string{blockOff}, ""},
		"block_put_under_its_name":      {[]event{birth, {"PutBucketPublicAccessBlock", `{"bucketName":"files","publicAccessBlock":[""],"PublicAccessBlockConfiguration":{"BlockPublicAcls":false,"BlockPublicPolicy":false,"IgnorePublicAcls":false,"RestrictPublicBuckets":false}}`, "", ""}}, []string{blockOff}, ""},
		"block_put_as_texts":            {[]event{birth, open, {"PutBucketPublicAccessBlock", `{"bucketName":"files","PublicAccessBlockConfiguration":{"BlockPublicAcls":"true","BlockPublicPolicy":"true","IgnorePublicAcls":"TRUE","RestrictPublicBuckets":"true"}}`, "", ""}}, nil, ""},
		"policy_as_object":              {policy(publicPolicy), []string{blockOff, publicText}, ""},
		"policy_as_json_text":           {policy(fmt.Sprintf("%q", publicPolicy)), []string{blockOff, publicText}, ""},
		"policy_url_encoded":            {policy(`"%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%22%2A%22%2C%22Action%22%3A%22s3%3AGetObject%22%2C%22Resource%22%3A%22arn%3Aaws%3As3%3A%3A%3Afiles%2F%2A%22%7D%5D%7D"`), []string{blockOff, publicText}, ""},
		"policy_in_an_array":            {policy(fmt.Sprintf("[%q]", publicPolicy)), []string{blockOff, publicText}, ""},
		"policy_empty":                  {policy(`""`), []string{blockOff}, bucket.PartPolicy},
		"policy_empty_object":           {policy(`{}`), []string{blockOff}, bucket.PartPolicy},
		"policy_deleted":                {append(policy(publicPolicy), event{"DeleteBucketPolicy", `{"bucketName":"files","policy":""}`, "", ""}), []string{blockOff}, ""},
		"policy_with_error_code":        {[]event{birth, open, {"PutBucketPolicy", `{"bucketName":"files","bucketPolicy":` + publicPolicy + `}`, "", "AccessDenied"}}, []string{blockOff}, ""},
		"policy_under_a_block":          {[]event{birth, {"PutBucketPolicy", `{"bucketName":"files","bucketPolicy":` + publicPolicy + `}`, "", ""}}, nil, ""},
		"acl_canned":                    {acl(`"x-amz-acl":["public-read"]`), []string{blockOff, publicACL}, ""},
		"acl_canned_as_text":            {acl(`"x-amz-acl":"authenticated-read"`), []string{blockOff, publicACL}, ""},
		"acl_in_headers":                {acl(`"accessControlList":{"x-amz-grant-write-acp":"uri=http://acs.amazonaws.com/groups/global/AuthenticatedUsers"}`), []string{blockOff, publicACL}, ""},
		"acl_in_headers_given_twice":    {acl(`"x-amz-grant-read":["id=owner","uri=http://acs.amazonaws.com/groups/global/AllUsers"]`), []string{blockOff, publicACL}, ""},
		"acl_document_with_one_grant":   {acl(`"AccessControlPolicy":{"AccessControlList":{"Grant":{"Grantee":{"URI":"http://acs.amazonaws.com/groups/global/AllUsers","xsi:type":"Group"},"Permission":"READ"}}}`), []string{blockOff, publicACL}, ""},
		"acl_document_with_many_grants": {acl(`"AccessControlPolicy":{"AccessControlList":{"Grant":[{"Grantee":{"ID":"owner"},"Permission":"FULL_CONTROL"},{"Grantee":{"URI":"http://acs.amazonaws.com/groups/global/AllUsers"},"Permission":"WRITE"}]}}`), []string{blockOff, publicACL}, ""},
		"acl_private":                   {acl(`"x-amz-acl":["private"]`), []string{blockOff}, ""},
		"acl_not_told":                  {acl(`"host":["s3.amazonaws.com"]`), []string{blockOff}, bucket.PartACL},
		"acls_disabled":                 {append(acl(`"x-amz-acl":["public-read"]`), event{"PutBucketOwnershipControls", `{"bucketName":"files","OwnershipControls":{"Rule":[{"ObjectOwnership":"BucketOwnerEnforced"}]}}`, "", ""}), []string{blockOff}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := follow(t, begin, tc.events...)
			r, ok := read(t, s, bucket.Name, "eu-west-1", "files")
			if !ok {
				t.Fatal("got no bucket")
			}
			var failed []string
			for _, j := range (detect.Detector{Controls: s.Careful(services.Controls())}).Assess(r).Results {
				if len(j.Result.Failures) > 0 {
					failed = append(failed, j.Control.ID)
				}
			}
			slices.Sort(failed)
			if d := cmp.Diff(tc.want, failed); d != "" {
				t.Errorf("controls that fail (-want +got):\n%s", d)
			}
			unread := r.Config.(*bucket.Bucket).Unread
			if tc.unread != "" && !slices.Contains(unread, tc.unread) {
				t.Errorf("parts that no event tells: got %v, want %q among them", unread, tc.unread)
			}
			if tc.unread == "" && len(unread) != 2 { // distributions, and the account's block
				t.Errorf("parts that no event tells: got %v, want the distributions and the account's block", unread)
			}
		})
	}
}
