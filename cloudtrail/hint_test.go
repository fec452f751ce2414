package cloudtrail

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"dera.example/dera"

	"github.com/google/go-cmp/cmp"
)

func TestHints(t *testing.T) {
	t.Parallel()
	const sg = "sg-0123456789abcdef0"
	all := []string{"*"}
	many := make([]string, maxIDs+1)
	for i := range many {
		many[i] = fmt.Sprintf(`{"resourceId":"sg-%d"}`, i)
	}
	for name, tc := range map[string]struct {
		call, request, response string
		want                    []string // IDs; all for a sweep
	}{
		"authorize_flat":            {"AuthorizeSecurityGroupIngress", `{"groupId":"` + sg + `","cidrIp":"0.0.0.0/0","fromPort":22,"ipPermissions":{}}`, ``, []string{sg}},
		"authorize_nested":          {"AuthorizeSecurityGroupIngress", `{"groupId":"` + sg + `","ipPermissions":{"items":[{"groups":{"items":[{"groupId":"sg-9"}]}}]}}`, ``, []string{sg}},
		"authorize_by_name":         {"AuthorizeSecurityGroupIngress", `{"groupName":"web","ipPermissions":{}}`, `{"_return":true}`, all},
		"authorize_by_name_told":    {"AuthorizeSecurityGroupIngress", `{"groupName":"web"}`, `{"securityGroupRuleSet":{"items":[{"groupId":"sg-1a"},{"groupId":"sg-1a"}]}}`, []string{"sg-1a"}},
		"authorize_egress":          {"AuthorizeSecurityGroupEgress", `{"groupId":"` + sg + `"}`, ``, []string{sg}},
		"revoke_ingress":            {"RevokeSecurityGroupIngress", `{"groupId":"` + sg + `","securityGroupRuleIds":{"items":[{"securityGroupRuleId":"sgr-1"}]}}`, ``, []string{sg}},
		"revoke_by_name_told":       {"RevokeSecurityGroupIngress", `{"groupName":"web"}`, `{"revokedSecurityGroupRuleSet":{"items":[{"groupId":"sg-1b"}]}}`, []string{"sg-1b"}},
		"revoke_egress":             {"RevokeSecurityGroupEgress", `{"groupId":"` + sg + `"}`, ``, []string{sg}},
		"modify_wrapped":            {"ModifySecurityGroupRules", `{"ModifySecurityGroupRulesRequest":{"GroupId":"` + sg + `","SecurityGroupRule":{"tag":1}}}`, ``, []string{sg}},
		"modify_without_group":      {"ModifySecurityGroupRules", `{"ModifySecurityGroupRulesRequest":{}}`, ``, all},
		"describe_ingress_wrapped":  {"UpdateSecurityGroupRuleDescriptionsIngress", `{"UpdateSecurityGroupRuleDescriptionsIngressRequest":{"GroupId":"` + sg + `"}}`, ``, []string{sg}},
		"describe_egress_flat":      {"UpdateSecurityGroupRuleDescriptionsEgress", `{"groupId":"` + sg + `"}`, ``, []string{sg}},
		"create":                    {"CreateSecurityGroup", `{"groupName":"web","vpcId":"vpc-1"}`, `{"groupId":"` + sg + `"}`, []string{sg}},
		"create_wrapped_answer":     {"CreateSecurityGroup", `{"groupName":"web"}`, `{"CreateSecurityGroupResponse":{"groupId":"` + sg + `"}}`, []string{sg}},
		"delete":                    {"DeleteSecurityGroup", `{"groupId":"` + sg + `"}`, `{"_return":true}`, []string{sg}},
		"delete_by_name":            {"DeleteSecurityGroup", `{"groupName":"web"}`, `{"_return":true}`, all},
		"associate":                 {"AssociateSecurityGroupVpc", `{"AssociateSecurityGroupVpcRequest":{"GroupId":"` + sg + `","VpcId":"vpc-2"}}`, ``, []string{sg}},
		"disassociate":              {"DisassociateSecurityGroupVpc", `{"DisassociateSecurityGroupVpcRequest":{"GroupId":"` + sg + `"}}`, ``, []string{sg}},
		"tags_on_groups":            {"CreateTags", `{"resourcesSet":{"items":[{"resourceId":"sg-b"},{"resourceId":"i-1"},{"resourceId":"sg-a"}]}}`, ``, []string{"sg-a", "sg-b"}},
		"tags_on_a_rule":            {"CreateTags", `{"resourcesSet":{"items":[{"resourceId":"sgr-1"}]}}`, ``, all},
		"tags_on_others":            {"DeleteTags", `{"resourcesSet":{"items":[{"resourceId":"i-1"}]}}`, ``, nil},
		"tags_on_unknown":           {"DeleteTags", `{}`, ``, all},
		"tags_on_very_many":         {"CreateTags", `{"resourcesSet":{"items":[` + strings.Join(many, ",") + `]}}`, ``, all},
		"vpc":                       {"CreateVpc", `{"cidrBlock":"10.0.0.0/16"}`, `{"vpc":{"vpcId":"vpc-1"}}`, all},
		"default_vpc":               {"CreateDefaultVpc", `null`, ``, all},
		"prefix_list":               {"ModifyManagedPrefixList", `{"ModifyManagedPrefixListRequest":{"PrefixListId":"pl-1"}}`, ``, all},
		"prefix_list_version":       {"RestoreManagedPrefixListVersion", `{"RestoreManagedPrefixListVersionRequest":{"PrefixListId":"pl-1"}}`, ``, all},
		"parameters_not_an_object":  {"AuthorizeSecurityGroupIngress", `"text"`, ``, all},
		"id_of_strange_form":        {"AuthorizeSecurityGroupIngress", `{"groupId":"sg-../x"}`, ``, all},
		"id_elided":                 {"AuthorizeSecurityGroupIngress", `{"groupId":"..."}`, ``, all},
		"id_is_not_a_text":          {"AuthorizeSecurityGroupIngress", `{"groupId":["sg-1"]}`, ``, all},
		"read":                      {"DescribeSecurityGroups", `{"securityGroupIdSet":{"items":[{"groupId":"sg-1"}]}}`, ``, nil},
		"deep_group_is_not_the_one": {"AuthorizeSecurityGroupIngress", `{"ipPermissions":{"items":[{"groups":{"items":[{"groupId":"sg-9"}]}}]}}`, ``, all},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := call(tc.call, tc.request, tc.response)
			var want []dera.Scope
			for _, id := range tc.want {
				s := dera.Scope{Partition: "aws-cn", Account: "111122223333", Region: "cn-north-1", Type: "AWS::EC2::SecurityGroup"}
				if id != "*" {
					s.IDs = []string{id}
				}
				want = append(want, s)
			}
			if d := cmp.Diff(want, Hints(r)); d != "" {
				t.Errorf("hints (-want +got):\n%s", d)
			}
			r.ErrorCode = "Client.DryRunOperation"
			if got := Hints(r); got != nil {
				t.Errorf("got hints %v of a failed call, want none", got)
			}
		})
	}
}

func call(name, request, response string) Record {
	return Record{
		Source: "ec2.amazonaws.com", Name: name, Account: "111122223333", Region: "cn-north-1", Partition: "aws-cn",
		Request: json.RawMessage(request), Response: json.RawMessage(response),
	}
}

// TestHints_every_watched_call keeps the table whole: no call in it may end
// without a hint when its event tells nothing.
func TestHints_every_watched_call(t *testing.T) {
	t.Parallel()
	watched := Watched()
	if len(watched) < 46 {
		t.Fatalf("got %d watched calls, want at least 46", len(watched))
	}
	for _, c := range watched {
		r := call(c.Name, "null", "null")
		r.Source = c.Source
		want := 1
		switch c.Name {
		case "CreateNetworkInterface", "ModifyNetworkInterfaceAttribute", "RunInstances", "ModifyInstanceAttribute":
			want = 0 // hints only of what they name
		case "PutAccountPublicAccessBlock", "DeleteAccountPublicAccessBlock":
			want = 2 // the block itself, and a sweep
		}
		hints := Hints(r)
		if len(hints) != want || want > 0 && !hints[want-1].Sweep() {
			t.Errorf("%s %s: got hints %v, want %d, the last of them a sweep", c.Source, c.Name, hints, want)
		}
	}
}
