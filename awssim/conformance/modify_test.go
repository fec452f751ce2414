package conformance_test

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

const (
	docsDescriptions = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_UpdateSecurityGroupRuleDescriptionsIngress.html"
	docsList         = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyManagedPrefixList.html"
	docsTags         = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTags.html"
)

func modifyRows() []row {
	ssh := permission("tcp", 22, 22, v4About("0.0.0.0/0", "for a while"))
	modify := func(w *world, group, rule string, request *types.SecurityGroupRuleRequest) (any, error) {
		return w.ec2.ModifySecurityGroupRules(w.ctx, &ec2.ModifySecurityGroupRulesInput{
			GroupId: &group, SecurityGroupRules: []types.SecurityGroupRuleUpdate{{SecurityGroupRuleId: &rule, SecurityGroupRule: request}},
		})
	}
	return []row{
		{name: "modify_rule", run: func(w *world) {
			id := w.group("web")
			rule := w.mustOpen(id, "ssh", ssh)
			w.see("modify")(modify(w, id, rule, &types.SecurityGroupRuleRequest{
				IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22), CidrIpv4: aws.String("192.0.2.0/24"), Description: aws.String("office"),
			}))
			w.see("groups")(w.describe(id))
			w.see("rules")(w.rules(id))
		}},
		{name: "modify_rule_errors", run: func(w *world) {
			id := w.group("web")
			w.see("unknown_rule")(modify(w, id, "sgr-00000000000000000", &types.SecurityGroupRuleRequest{
				IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22), CidrIpv4: aws.String("192.0.2.0/24"),
			}))
			w.see("unknown_group")(modify(w, "sg-00000000000000000", "sgr-00000000000000000", &types.SecurityGroupRuleRequest{
				IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22), CidrIpv4: aws.String("192.0.2.0/24"),
			}))
		}},
		{name: "describe_rule_by_permission", run: func(w *world) {
			id := w.group("web")
			w.mustOpen(id, "ssh", permission("tcp", 22, 22, v4("0.0.0.0/0")))
			w.see("update")(w.ec2.UpdateSecurityGroupRuleDescriptionsIngress(w.ctx, &ec2.UpdateSecurityGroupRuleDescriptionsIngressInput{
				GroupId: &id, IpPermissions: []types.IpPermission{permission("tcp", 22, 22, v4About("0.0.0.0/0", "new words"))},
			}))
			w.see("groups")(w.describe(id))
			w.see("absent")(w.ec2.UpdateSecurityGroupRuleDescriptionsIngress(w.ctx, &ec2.UpdateSecurityGroupRuleDescriptionsIngressInput{
				GroupId: &id, IpPermissions: []types.IpPermission{permission("tcp", 23, 23, v4About("0.0.0.0/0", "new words"))},
			}))
		}, differ: []difference{
			{"update", "the answer says that it was done: " + docsDescriptions},
			{"absent", "moto passes over a rule that is not there: " + docsErrors},
		}},
		{name: "rules_by_id", run: func(w *world) {
			id := w.group("web")
			rule := w.mustOpen(id, "ssh", ssh)
			w.mustOpen(id, "https", permission("tcp", 443, 443, v4("0.0.0.0/0")))
			w.see("one")(w.ec2.DescribeSecurityGroupRules(w.ctx, &ec2.DescribeSecurityGroupRulesInput{SecurityGroupRuleIds: []string{rule}}))
			w.see("filter")(w.ec2.DescribeSecurityGroupRules(w.ctx, &ec2.DescribeSecurityGroupRulesInput{Filters: filter("security-group-rule-id", rule)}))
			w.see("of_no_group")(w.rules("sg-00000000000000000"))
		}},
	}
}

func tagRows() []row {
	tag := func(key, value string) types.Tag { return types.Tag{Key: &key, Value: &value} }
	return []row{
		{name: "tag_group", run: func(w *world) {
			id := w.group("web")
			w.see("create")(w.ec2.CreateTags(w.ctx, &ec2.CreateTagsInput{Resources: []string{id}, Tags: []types.Tag{tag("team", "red"), tag("stage", "test")}}))
			w.see("replace")(w.ec2.CreateTags(w.ctx, &ec2.CreateTagsInput{Resources: []string{id}, Tags: []types.Tag{tag("team", "blue")}}))
			w.see("groups")(w.describe(id))
			w.see("tags")(w.ec2.DescribeTags(w.ctx, &ec2.DescribeTagsInput{Filters: filter("resource-id", id)}))
			w.see("delete_other_value")(w.ec2.DeleteTags(w.ctx, &ec2.DeleteTagsInput{Resources: []string{id}, Tags: []types.Tag{tag("team", "red")}}))
			w.see("after_other_value")(w.describe(id))
			w.see("delete_key")(w.ec2.DeleteTags(w.ctx, &ec2.DeleteTagsInput{Resources: []string{id}, Tags: []types.Tag{{Key: aws.String("team")}}}))
			w.see("after_key")(w.describe(id))
		}},
		{name: "tag_rule", run: func(w *world) {
			id := w.group("web")
			rule := w.mustOpen(id, "ssh", permission("tcp", 22, 22, v4("0.0.0.0/0")))
			w.see("create")(w.ec2.CreateTags(w.ctx, &ec2.CreateTagsInput{Resources: []string{rule}, Tags: []types.Tag{tag("team", "red")}}))
			w.see("rules")(w.ec2.DescribeSecurityGroupRules(w.ctx, &ec2.DescribeSecurityGroupRulesInput{Filters: filter("tag:team", "red")}))
			w.see("tags")(w.ec2.DescribeTags(w.ctx, &ec2.DescribeTagsInput{Filters: filter("resource-type", "security-group-rule")}))
		}},
		{name: "tag_unknown", run: func(w *world) {
			w.see("group")(w.ec2.CreateTags(w.ctx, &ec2.CreateTagsInput{Resources: []string{"sg-00000000000000000"}, Tags: []types.Tag{tag("team", "red")}}))
		}},
		{name: "delete_all_tags", run: func(w *world) {
			id := w.group("web")
			w.see("create")(w.ec2.CreateTags(w.ctx, &ec2.CreateTagsInput{Resources: []string{id}, Tags: []types.Tag{tag("team", "red")}}))
			w.see("delete")(w.ec2.DeleteTags(w.ctx, &ec2.DeleteTagsInput{Resources: []string{id}}))
			w.see("groups")(w.describe(id))
		}, differ: []difference{{"groups", "without tags all are deleted: " + docsTags}}},
	}
}

func prefixListRows() []row {
	entries := func(w *world, id string) (any, error) {
		return w.ec2.GetManagedPrefixListEntries(w.ctx, &ec2.GetManagedPrefixListEntriesInput{PrefixListId: &id})
	}
	return []row{
		{name: "prefix_list", run: func(w *world) {
			id := w.prefixList("office", 3, "192.0.2.0/24", "198.51.100.0/24")
			w.see("list")(w.ec2.DescribeManagedPrefixLists(w.ctx, &ec2.DescribeManagedPrefixListsInput{PrefixListIds: []string{id}}))
			w.see("entries")(entries(w, id))
		}},
		{name: "modify_prefix_list", run: func(w *world) {
			id := w.prefixList("office", 3, "192.0.2.0/24")
			w.see("modify")(w.ec2.ModifyManagedPrefixList(w.ctx, &ec2.ModifyManagedPrefixListInput{
				PrefixListId: &id, CurrentVersion: aws.Int64(1),
				AddEntries:    []types.AddPrefixListEntry{{Cidr: aws.String("203.0.113.0/24")}},
				RemoveEntries: []types.RemovePrefixListEntry{{Cidr: aws.String("192.0.2.0/24")}},
			}))
			w.see("entries")(entries(w, id))
			w.see("first_version")(w.ec2.GetManagedPrefixListEntries(w.ctx, &ec2.GetManagedPrefixListEntriesInput{PrefixListId: &id, TargetVersion: aws.Int64(1)}))
			w.see("old_version")(w.ec2.ModifyManagedPrefixList(w.ctx, &ec2.ModifyManagedPrefixListInput{
				PrefixListId: &id, CurrentVersion: aws.Int64(1), AddEntries: []types.AddPrefixListEntry{{Cidr: aws.String("10.0.0.0/8")}},
			}))
			w.see("unchanged")(entries(w, id))
		}, differ: []difference{
			{"modify", "the name stays: " + docsList},
			{"old_version", "a version that is not current fails the call: " + docsList},
			{"unchanged", "and changes nothing"},
		}},
		{name: "prefix_list_filters", run: func(w *world) {
			id := w.prefixList("office", 3)
			w.see("by_id")(w.ec2.DescribeManagedPrefixLists(w.ctx, &ec2.DescribeManagedPrefixListsInput{Filters: filter("prefix-list-id", id)}))
			w.see("by_name")(w.ec2.DescribeManagedPrefixLists(w.ctx, &ec2.DescribeManagedPrefixListsInput{Filters: filter("prefix-list-name", "office")}))
		}},
		{name: "prefix_list_unknown", run: func(w *world) {
			w.see("entries")(entries(w, "pl-00000000000000000"))
		}, differ: []difference{{"entries", "a list that is not there is an error: " + docsErrors}}},
	}
}
