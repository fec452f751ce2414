package securitygroup

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"

	"github.com/google/go-cmp/cmp"
)

func TestHints(t *testing.T) {
	t.Parallel()
	watch := cloudtrail.NewWatch(Events())
	const sg = "sg-0123456789abcdef0"
	all := []string{"*"}
	many := make([]string, 101)
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
		"tags_of_unknown_shape":     {"CreateTags", `{"resourcesSet":{"item":[{"resourceId":"sg-1"}]}}`, ``, all},
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
			r := record(tc.call, tc.request, tc.response)
			var want []dera.Scope
			for _, id := range tc.want {
				s := dera.Scope{Partition: "aws-cn", Account: "111122223333", Region: "cn-north-1", Type: Name}
				if id != "*" {
					s.IDs = []string{id}
				}
				want = append(want, s)
			}
			if d := cmp.Diff(want, watch.Hints(r)); d != "" {
				t.Errorf("hints (-want +got):\n%s", d)
			}
			r.ErrorCode = "Client.DryRunOperation"
			if got := watch.Hints(r); got != nil {
				t.Errorf("got hints %v of a failed call, want none", got)
			}
		})
	}
}

func record(name, request, response string) cloudtrail.Record {
	return cloudtrail.Record{
		Source: "ec2.amazonaws.com", Name: name, Account: "111122223333", Region: "cn-north-1", Partition: "aws-cn",
		Request: json.RawMessage(request), Response: json.RawMessage(response),
	}
}

func TestHintsOfAttachments(t *testing.T) {
	t.Parallel()
	watch := cloudtrail.NewWatch(Events())
	for name, tc := range map[string]struct {
		call, request, response string
		want                    []string
	}{
		"interface":           {"CreateNetworkInterface", `{"subnetId":"subnet-1","groupSet":{"items":[{"groupId":"sg-1"},{"groupId":"sg-2"}]}}`, `null`, []string{"sg-1", "sg-2"}},
		"interface_told":      {"CreateNetworkInterface", `{"groupSet":{}}`, `{"networkInterface":{"groupSet":{"items":[{"groupId":"sg-1","groupName":"default"}]}}}`, []string{"sg-1"}},
		"interface_wrapped":   {"CreateNetworkInterface", `{"CreateNetworkInterfaceRequest":{"SecurityGroupId":[{"content":"sg-1","tag":1},{"content":"sg-2","tag":2}]}}`, `null`, []string{"sg-1", "sg-2"}},
		"interface_attribute": {"ModifyNetworkInterfaceAttribute", `{"networkInterfaceId":"eni-1","groupSet":{"items":[{"groupId":"sg-1"}]}}`, `{"_return":true}`, []string{"sg-1"}},
		"interface_other":     {"ModifyNetworkInterfaceAttribute", `{"networkInterfaceId":"eni-1","sourceDestCheck":{"value":false}}`, `{"_return":true}`, nil},
		"instances": {"RunInstances", `{"instancesSet":{"items":[{"imageId":"ami-1"}]},"networkInterfaceSet":{"items":[{"groupSet":{"items":[{"groupId":"sg-1"}]}}]}}`,
			`{"instancesSet":{"items":[{"groupSet":{"items":[{"groupId":"sg-1"}]}}]}}`, []string{"sg-1"}},
		"instances_default":  {"RunInstances", `{"groupSet":{}}`, `{"instancesSet":{"items":[{"networkInterfaceSet":{"items":[{"groupSet":{"items":[{"groupId":"sg-9"}]}}]}}]}}`, []string{"sg-9"}},
		"instance_attribute": {"ModifyInstanceAttribute", `{"instanceId":"i-1","groupSet":{"items":[{"groupId":"sg-1"}]}}`, `{"_return":true}`, []string{"sg-1"}},
		"instance_other":     {"ModifyInstanceAttribute", `{"instanceId":"i-1","userData":"sg-1"}`, `{"_return":true}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, s := range watch.Hints(record(tc.call, tc.request, tc.response)) {
				got = append(got, s.IDs...)
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("groups (-want +got):\n%s", d)
			}
		})
	}
}
