package conformance_test

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

const (
	docsDefaultGroup = "https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html"
	docsDescribe     = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html"
	docsCreate       = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html"
	docsDelete       = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html"
	docsErrors       = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html"
)

func create(name, description string) *ec2.CreateSecurityGroupInput {
	return &ec2.CreateSecurityGroupInput{GroupName: &name, Description: &description}
}

func groupRows() []row {
	return []row{
		{name: "regions", run: func(w *world) {
			w.see("two")(w.ec2.DescribeRegions(w.ctx, &ec2.DescribeRegionsInput{RegionNames: []string{"us-east-1", "eu-west-1"}}))
		}},
		{name: "default_vpc", run: func(w *world) {
			out, err := w.ec2.DescribeVpcs(w.ctx, &ec2.DescribeVpcsInput{Filters: filter("isDefault", "true")})
			if err != nil {
				w.t.Fatal(err)
			}
			for _, v := range out.Vpcs {
				w.fact("vpc", map[string]any{"cidr": v.CidrBlock, "default": v.IsDefault, "state": v.State, "owner": v.OwnerId})
			}
		}},
		{name: "create_vpc", run: func(w *world) {
			id := w.vpc()
			out, err := w.ec2.DescribeVpcs(w.ctx, &ec2.DescribeVpcsInput{VpcIds: []string{id}})
			if err != nil {
				w.t.Fatal(err)
			}
			v := out.Vpcs[0]
			w.fact("vpc", map[string]any{"cidr": v.CidrBlock, "default": v.IsDefault, "state": v.State})
			w.see("too_wide")(w.ec2.CreateVpc(w.ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/8")}))
			w.see("unknown")(w.ec2.DescribeVpcs(w.ctx, &ec2.DescribeVpcsInput{VpcIds: []string{"vpc-00000000000000000"}}))
		}},
		{name: "default_group", run: func(w *world) {
			w.see("of_default_vpc")(w.ec2.DescribeSecurityGroups(w.ctx, &ec2.DescribeSecurityGroupsInput{}))
		}, differ: []difference{{"of_default_vpc", "a default group admits itself: " + docsDefaultGroup}}},
		{name: "create_group", run: func(w *world) {
			id := w.group("web")
			w.see("groups")(w.describe(id))
			w.see("rules")(w.rules(id))
		}},
		{name: "create_group_in_vpc", run: func(w *world) {
			w.see("groups")(w.describe(w.groupIn(w.vpc(), "web")))
		}},
		{name: "create_group_with_tags", run: func(w *world) {
			in := create("web", "a web server")
			in.TagSpecifications = []types.TagSpecification{{ResourceType: types.ResourceTypeSecurityGroup, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("red")}}}}
			out, err := w.ec2.CreateSecurityGroup(w.ctx, in)
			if err == nil {
				w.pin(out.GroupId, "web")
			}
			w.see("created")(out, err)
			w.see("groups")(w.describe(aws.ToString(out.GroupId)))
		}, differ: []difference{{"created", "the answer shows the tags: " + docsCreate}}},
		{name: "create_group_errors", run: func(w *world) {
			w.group("web")
			w.see("duplicate")(w.ec2.CreateSecurityGroup(w.ctx, create("web", "again")))
			w.see("name_like_an_id")(w.ec2.CreateSecurityGroup(w.ctx, create("sg-web", "about")))
			unknown := create("api", "about")
			unknown.VpcId = aws.String("vpc-00000000000000000")
			w.see("unknown_vpc")(w.ec2.CreateSecurityGroup(w.ctx, unknown))
		}, differ: []difference{{"name_like_an_id", "a name cannot start with sg-: " + docsCreate}, {"unknown_vpc", "moto makes the group in a VPC that is not there: " + docsErrors}}},
		{name: "same_name_in_two_vpcs", run: func(w *world) {
			w.group("web")
			in := create("web", "elsewhere")
			in.VpcId = aws.String(w.vpc())
			_, err := w.ec2.CreateSecurityGroup(w.ctx, in)
			w.fact("second_is_allowed", err == nil)
		}},
		{name: "describe_group_errors", run: func(w *world) {
			w.see("unknown_id")(w.describe("sg-00000000000000000"))
			w.see("unknown_name")(w.ec2.DescribeSecurityGroups(w.ctx, &ec2.DescribeSecurityGroupsInput{GroupNames: []string{"nowhere"}}))
		}},
		{name: "describe_group_by_name", run: func(w *world) {
			w.group("web")
			w.see("groups")(w.ec2.DescribeSecurityGroups(w.ctx, &ec2.DescribeSecurityGroupsInput{GroupNames: []string{"web"}}))
		}},
		{name: "filter_by_id_and_name", run: func(w *world) {
			web := w.group("web")
			w.group("api")
			for _, f := range []struct {
				label  string
				filter []types.Filter
			}{
				{"id", filter("group-id", web)},
				{"names", filter("group-name", "api", "none")},
				{"wildcard", filter("group-name", "w*")},
			} {
				w.see(f.label)(w.ec2.DescribeSecurityGroups(w.ctx, &ec2.DescribeSecurityGroupsInput{Filters: f.filter}))
			}
		}},
		{name: "filter_by_vpc", run: func(w *world) {
			vpc := w.vpc()
			w.groupIn(vpc, "web")
			w.see("groups")(w.ec2.DescribeSecurityGroups(w.ctx, &ec2.DescribeSecurityGroupsInput{Filters: append(filter("vpc-id", vpc), filter("group-name", "web")...)}))
		}},
		{name: "filter_by_tag", run: func(w *world) {
			id := w.group("web")
			w.group("api")
			w.see("tag")(w.ec2.CreateTags(w.ctx, &ec2.CreateTagsInput{Resources: []string{id}, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("red")}}}))
			w.see("value")(w.ec2.DescribeSecurityGroups(w.ctx, &ec2.DescribeSecurityGroupsInput{Filters: filter("tag:team", "red")}))
			w.see("other_value")(w.ec2.DescribeSecurityGroups(w.ctx, &ec2.DescribeSecurityGroupsInput{Filters: filter("tag:team", "blue")}))
			w.see("key")(w.ec2.DescribeSecurityGroups(w.ctx, &ec2.DescribeSecurityGroupsInput{Filters: filter("tag-key", "team")}))
		}},
		{name: "filter_by_permission", run: func(w *world) {
			id := w.group("web")
			w.mustOpen(id, "ssh", permission("tcp", 22, 22, v4("203.0.113.0/24")))
			w.see("cidr")(w.ec2.DescribeSecurityGroups(w.ctx, &ec2.DescribeSecurityGroupsInput{Filters: filter("ip-permission.cidr", "203.0.113.0/24")}))
			w.see("port")(w.ec2.DescribeSecurityGroups(w.ctx, &ec2.DescribeSecurityGroupsInput{Filters: filter("ip-permission.from-port", "22")}))
			w.see("none")(w.ec2.DescribeSecurityGroups(w.ctx, &ec2.DescribeSecurityGroupsInput{Filters: filter("ip-permission.to-port", "23")}))
		}},
		{name: "pages", run: func(w *world) {
			for _, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
				w.group(name)
			}
			out, err := w.ec2.DescribeSecurityGroups(w.ctx, &ec2.DescribeSecurityGroupsInput{MaxResults: aws.Int32(5)})
			if err != nil {
				w.t.Fatal(err)
			}
			w.fact("first_page", map[string]any{"groups": len(out.SecurityGroups), "more": out.NextToken != nil})
		}, differ: []difference{{"first_page", "moto has no pages: " + docsDescribe}}},
		{name: "delete_group", run: func(w *world) {
			id := w.group("web")
			w.see("delete")(w.ec2.DeleteSecurityGroup(w.ctx, &ec2.DeleteSecurityGroupInput{GroupId: &id}))
			w.see("describe")(w.describe(id))
			w.see("again")(w.ec2.DeleteSecurityGroup(w.ctx, &ec2.DeleteSecurityGroupInput{GroupId: &id}))
		}, differ: []difference{{"delete", "moto does not answer the group's ID: " + docsDelete}}},
		{name: "delete_group_in_use", run: func(w *world) {
			used, user := w.group("used"), w.group("user")
			w.mustOpen(user, "pair", permission("tcp", 80, 80, fromGroup(used, "")))
			w.see("delete")(w.ec2.DeleteSecurityGroup(w.ctx, &ec2.DeleteSecurityGroupInput{GroupId: &used}))
		}, differ: []difference{{"delete", "a group that a rule names cannot go: " + docsDelete}}},
		{name: "dry_run", run: func(w *world) {
			id := w.group("web")
			w.see("authorize")(w.ec2.AuthorizeSecurityGroupIngress(w.ctx, &ec2.AuthorizeSecurityGroupIngressInput{
				GroupId: &id, DryRun: aws.Bool(true), IpPermissions: []types.IpPermission{permission("tcp", 22, 22, v4("0.0.0.0/0"))},
			}))
			w.see("after_authorize")(w.describe(id))
			ssh := permission("tcp", 22, 22, v4("0.0.0.0/0"))
			w.mustOpen(id, "ssh", ssh)
			w.see("revoke")(w.ec2.RevokeSecurityGroupIngress(w.ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &id, DryRun: aws.Bool(true), IpPermissions: []types.IpPermission{ssh}}))
			w.see("after_revoke")(w.describe(id))
			w.see("create")(w.ec2.CreateSecurityGroup(w.ctx, &ec2.CreateSecurityGroupInput{GroupName: aws.String("api"), Description: aws.String("about"), DryRun: aws.Bool(true)}))
			w.see("delete")(w.ec2.DeleteSecurityGroup(w.ctx, &ec2.DeleteSecurityGroupInput{GroupId: &id, DryRun: aws.Bool(true)}))
		}},
		{name: "interfaces_of_an_unused_group", run: func(w *world) {
			w.see("none")(w.ec2.DescribeNetworkInterfaces(w.ctx, &ec2.DescribeNetworkInterfacesInput{Filters: filter("group-id", w.group("web"))}))
		}},
	}
}
