package conformance_test

import (
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

const docsRevoke = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html"

func revokeRows() []row {
	ssh, web := permission("tcp", 22, 22, v4("0.0.0.0/0")), permission("tcp", 443, 443, v4("0.0.0.0/0"))
	lenient := "in a default VPC a rule that is not there is reported, no error: " + docsRevoke
	return []row{
		{name: "revoke_one_of_two", run: func(w *world) {
			id := w.group("web")
			w.mustOpen(id, "ssh", ssh)
			w.mustOpen(id, "https", web)
			w.see("revoke")(w.shut(id, ssh))
			w.see("groups")(w.describe(id))
		}},
		{name: "revoke_one_range_of_two", run: func(w *world) {
			id := w.group("web")
			w.mustOpen(id, "ssh", ssh)
			w.mustOpen(id, "office", permission("tcp", 22, 22, v4About("192.0.2.0/24", "office")))
			w.see("revoke")(w.shut(id, ssh))
			w.see("groups")(w.describe(id))
			w.see("rules")(w.rules(id))
		}},
		{name: "revoke_ipv6", run: func(w *world) {
			id := w.group("web")
			w.mustOpen(id, "four", ssh)
			w.mustOpen(id, "six", permission("tcp", 22, 22, v6("::/0")))
			w.see("revoke")(w.shut(id, permission("tcp", 22, 22, v6("::/0"))))
			w.see("groups")(w.describe(id))
		}},
		{name: "revoke_without_description", run: func(w *world) {
			id := w.group("web")
			w.mustOpen(id, "ssh", permission("tcp", 22, 22, v4About("0.0.0.0/0", "for a while")))
			w.see("revoke")(w.shut(id, ssh))
			w.see("groups")(w.describe(id))
		}},
		{name: "revoke_prefix_list", run: func(w *world) {
			id := w.group("web")
			list := permission("tcp", 443, 443, fromList(w.prefixList("office", 3, "192.0.2.0/24")))
			w.mustOpen(id, "list", list)
			w.see("revoke")(w.shut(id, list))
			w.see("groups")(w.describe(id))
		}},
		{name: "revoke_group", run: func(w *world) {
			id := w.group("web")
			pair := permission("tcp", 80, 80, fromGroup(w.group("api"), ""))
			w.mustOpen(id, "pair", pair)
			w.see("revoke")(w.shut(id, pair))
			w.see("groups")(w.describe(id))
		}},
		{name: "revoke_described_group_without_description", run: func(w *world) {
			vpc := w.vpc()
			id, api := w.groupIn(vpc, "web"), w.groupIn(vpc, "api")
			w.mustOpen(id, "pair", permission("tcp", 80, 80, fromGroup(api, "the api")))
			w.see("revoke")(w.shut(id, permission("tcp", 80, 80, fromGroup(api, ""))))
			w.see("groups")(w.describe(id))
		}, differ: []difference{{"revoke", "the description need not be told: " + docsRevoke}, {"groups", "so the rule is gone"}}},
		{name: "revoke_all", run: func(w *world) {
			id := w.group("web")
			w.mustOpen(id, "all", everything(v4("0.0.0.0/0")))
			w.see("revoke")(w.shut(id, everything(v4("0.0.0.0/0"))))
			w.see("groups")(w.describe(id))
		}},
		{name: "revoke_by_id", run: func(w *world) {
			id := w.group("web")
			rule := w.mustOpen(id, "ssh", ssh)
			w.mustOpen(id, "https", web)
			w.see("revoke")(w.ec2.RevokeSecurityGroupIngress(w.ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &id, SecurityGroupRuleIds: []string{rule}}))
			w.see("groups")(w.describe(id))
		}},
		{name: "revoke_by_unknown_id", run: func(w *world) {
			id := w.group("web")
			w.see("revoke")(w.ec2.RevokeSecurityGroupIngress(w.ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &id, SecurityGroupRuleIds: []string{"sgr-00000000000000000"}}))
		}, differ: []difference{{"revoke", "the code is InvalidSecurityGroupRuleId.NotFound: " + docsErrors}}},
		{name: "revoke_absent_in_default_vpc", run: func(w *world) {
			id := w.group("web")
			w.see("revoke")(w.shut(id, ssh))
		}, differ: []difference{{"revoke", lenient}}},
		{name: "revoke_absent_in_own_vpc", run: func(w *world) {
			id := w.groupIn(w.vpc(), "web")
			w.mustOpen(id, "ssh", ssh)
			w.see("other_port")(w.shut(id, permission("tcp", 22, 23, v4("0.0.0.0/0"))))
			w.see("other_range")(w.shut(id, permission("tcp", 22, 22, v4("10.0.0.0/8"))))
			w.see("groups")(w.describe(id))
		}},
		{name: "revoke_is_all_or_nothing", run: func(w *world) {
			id := w.groupIn(w.vpc(), "web")
			w.mustOpen(id, "ssh", ssh)
			w.see("revoke")(w.shut(id, ssh, permission("tcp", 99, 99, v4("10.0.0.0/8"))))
			w.see("groups")(w.describe(id))
		}, differ: []difference{{"groups", "a call that fails revokes nothing: " + docsRevoke}}},
		{name: "revoke_egress", run: func(w *world) {
			id := w.group("web")
			w.see("revoke")(w.ec2.RevokeSecurityGroupEgress(w.ctx, &ec2.RevokeSecurityGroupEgressInput{GroupId: &id, IpPermissions: []types.IpPermission{everything(v4("0.0.0.0/0"))}}))
			w.see("groups")(w.describe(id))
		}},
		{name: "revoke_of_unknown_group", run: func(w *world) {
			w.see("revoke")(w.shut("sg-00000000000000000", ssh))
		}},
	}
}
