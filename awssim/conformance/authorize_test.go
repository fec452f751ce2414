package conformance_test

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

const (
	docsAuthorize = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html"
	docsRule      = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRule.html"
	docsQuota     = "https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups"
	docsPeering   = "https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html"
)

// opened is a story of one authorize call: its answer, and what the group is then.
func opened(name string, differ []difference, permissions func(w *world) []types.IpPermission) row {
	return row{name: name, differ: differ, run: func(w *world) {
		id := w.group("web")
		w.see("authorize")(w.open(id, permissions(w)...))
		w.see("groups")(w.describe(id))
		w.see("rules")(w.rules(id))
	}}
}

func fixed(permissions ...types.IpPermission) func(*world) []types.IpPermission {
	return func(*world) []types.IpPermission { return permissions }
}

func authorizeRows() []row {
	canonical := "host bits are dropped: " + docsAuthorize
	rows := []row{
		opened("authorize_ipv4", nil, fixed(permission("tcp", 22, 22, v4About("0.0.0.0/0", "for a while")))),
		opened("authorize_ipv6", nil, fixed(permission("tcp", 443, 443, v6("::/0")))),
		opened("authorize_udp_range", nil, fixed(permission("udp", 1000, 2000, v4("10.0.0.0/8")))),
		opened("authorize_protocol_number", nil, fixed(permission("6", 22, 22, v4("10.0.0.0/8")))),
		opened("authorize_all", []difference{{"authorize", "the answer shows ports -1 as DescribeSecurityGroupRules does: " + docsRule}}, fixed(everything(v4("10.0.0.0/8")))),
		opened("authorize_icmp", nil, fixed(permission("icmp", 8, -1, v4("10.0.0.0/8")))),
		opened("authorize_icmpv6", nil, fixed(permission("icmpv6", -1, -1, v6("2001:db8::/32")))),
		opened("authorize_two_ranges", nil, fixed(permission("tcp", 22, 22, v4("10.0.0.0/8"), v4About("192.0.2.0/24", "office")))),
		opened("authorize_ranges_of_both_families", nil, fixed(permission("tcp", 22, 22, v4("0.0.0.0/0"), v6("::/0")))),
		opened("authorize_group", nil, func(w *world) []types.IpPermission {
			return []types.IpPermission{permission("tcp", 5432, 5432, fromGroup(w.group("api"), ""))}
		}),
		opened("authorize_prefix_list", nil, func(w *world) []types.IpPermission {
			return []types.IpPermission{permission("tcp", 443, 443, fromList(w.prefixList("office", 3, "192.0.2.0/24")))}
		}),
		opened("authorize_two_permissions", []difference{{"authorize", "all new rules are answered, moto answers the last permission's: " + docsAuthorize}},
			fixed(permission("tcp", 22, 22, v4("10.0.0.0/8")), permission("tcp", 80, 80, v4("10.0.0.0/8")))),
		opened("authorize_host_bits", []difference{{"authorize", canonical}, {"groups", canonical}, {"rules", canonical}},
			fixed(permission("tcp", 22, 22, v4("10.1.2.3/8")))),
		{name: "authorize_flat", run: func(w *world) {
			id := w.group("web")
			w.see("authorize")(w.ec2.AuthorizeSecurityGroupIngress(w.ctx, &ec2.AuthorizeSecurityGroupIngressInput{
				GroupId: &id, IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22), CidrIp: aws.String("0.0.0.0/0"),
			}))
			w.see("groups")(w.describe(id))
		}},
		{name: "authorize_with_tags", run: func(w *world) {
			id := w.group("web")
			w.see("authorize")(w.ec2.AuthorizeSecurityGroupIngress(w.ctx, &ec2.AuthorizeSecurityGroupIngressInput{
				GroupId: &id, IpPermissions: []types.IpPermission{permission("tcp", 22, 22, v4("10.0.0.0/8"))},
				TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeSecurityGroupRule, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("red")}}}},
			}))
			w.see("rules")(w.ec2.DescribeSecurityGroupRules(w.ctx, &ec2.DescribeSecurityGroupRulesInput{Filters: filter("tag:team", "red")}))
		}},
		{name: "authorize_egress", run: func(w *world) {
			id := w.group("web")
			w.see("authorize")(w.ec2.AuthorizeSecurityGroupEgress(w.ctx, &ec2.AuthorizeSecurityGroupEgressInput{
				GroupId: &id, IpPermissions: []types.IpPermission{permission("tcp", 443, 443, v4("192.0.2.0/24"))},
			}))
			w.see("groups")(w.describe(id))
		}},
		{name: "authorize_duplicate", run: func(w *world) {
			id, ssh := w.group("web"), permission("tcp", 22, 22, v4("10.0.0.0/8"))
			w.mustOpen(id, "ssh", ssh)
			w.see("again")(w.open(id, ssh))
			w.see("with_another_description")(w.open(id, permission("tcp", 22, 22, v4About("10.0.0.0/8", "again"))))
			w.see("groups")(w.describe(id))
		}},
		{name: "authorize_duplicate_without_host_bits", run: func(w *world) {
			id := w.group("web")
			w.mustOpen(id, "ssh", permission("tcp", 22, 22, v4("100.68.0.0/18")))
			w.see("again")(w.open(id, permission("tcp", 22, 22, v4("100.68.0.18/18"))))
		}, differ: []difference{{"again", canonical}}},
		{name: "authorize_one_bad_of_two", run: func(w *world) {
			id, ssh := w.group("web"), permission("tcp", 22, 22, v4("10.0.0.0/8"))
			w.mustOpen(id, "ssh", ssh)
			w.see("authorize")(w.open(id, permission("tcp", 80, 80, v4("10.0.0.0/8")), ssh))
			w.see("groups")(w.describe(id))
		}, differ: []difference{{"groups", "a call that fails adds nothing: " + docsAuthorize}}},
		{name: "authorize_errors", run: func(w *world) {
			id := w.group("web")
			w.see("unknown_group")(w.open("sg-00000000000000000", permission("tcp", 22, 22, v4("10.0.0.0/8"))))
			w.see("unknown_source_group")(w.open(id, permission("tcp", 22, 22, fromGroup("sg-00000000000000000", ""))))
			w.see("bad_range")(w.open(id, permission("tcp", 22, 22, v4("300.0.0.0/8"))))
			w.see("bad_prefix_length")(w.open(id, permission("tcp", 22, 22, v4("10.0.0.0/33"))))
			w.see("ports_turned_round")(w.open(id, permission("tcp", 23, 22, v4("10.0.0.0/8"))))
			w.see("ipv6_as_ipv4")(w.open(id, permission("tcp", 22, 22, v4("::/0"))))
		}, differ: []difference{
			{"ports_turned_round", "moto does not check the order of ports: " + docsAuthorize},
		}},
		{name: "authorize_group_of_another_vpc", run: func(w *world) {
			web, elsewhere := w.group("web"), w.groupIn(w.vpc(), "elsewhere")
			w.see("authorize")(w.open(web, permission("tcp", 22, 22, fromGroup(elsewhere, ""))))
		}, differ: []difference{{"authorize", "a group of another VPC needs peering: " + docsPeering}}},
		{name: "quota_of_60", run: func(w *world) {
			id := w.group("web")
			var ranges []func(*types.IpPermission)
			for i := range 60 {
				ranges = append(ranges, v4(fmt.Sprintf("10.0.%d.0/24", i)))
			}
			_, err := w.open(id, permission("tcp", 22, 22, ranges...))
			w.fact("sixty_fit", err == nil)
			w.see("one_more")(w.open(id, permission("tcp", 22, 22, v4("192.0.2.0/24"))))
			w.see("one_more_of_ipv6")(w.open(id, permission("tcp", 22, 22, v6("2001:db8::/32"))))
		}, differ: []difference{{"one_more_of_ipv6", "the quota is one for each family: " + docsQuota}}},
		{name: "quota_counts_prefix_lists_by_size", run: func(w *world) {
			id := w.group("web")
			w.see("sixty_one")(w.open(id, permission("tcp", 22, 22, fromList(w.prefixList("wide", 61, "192.0.2.0/24")))))
		}, differ: []difference{{"sixty_one", "a list counts with the most entries it may have: " + docsQuota}}},
	}
	return rows
}
