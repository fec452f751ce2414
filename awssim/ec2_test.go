package awssim_test

import (
	"fmt"
	"slices"
	"testing"

	"dera.example/dera/awssim"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// What AWS documents and no emulator shows: here the conformance table has no second opinion.

func withoutIDs() cmp.Option {
	return cmpopts.IgnoreFields(awssim.Rule{}, "ID")
}

func TestNewAccount(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	client := ec2Client(cloud, hub)
	out := must(client.DescribeSecurityGroups(t.Context(), nil))(t)
	if len(out.SecurityGroups) != 1 {
		t.Fatalf("got %d groups, want the default one", len(out.SecurityGroups))
	}
	g := out.SecurityGroups[0]
	all := []types.IpPermission{{IpProtocol: aws.String("-1"), IpRanges: []types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}}}}
	itself := []types.IpPermission{{IpProtocol: aws.String("-1"), UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: g.GroupId, UserId: aws.String(hub)}}}}
	options := cmp.Options{cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(types.IpPermission{}, types.IpRange{}, types.UserIdGroupPair{})}
	if diff := cmp.Diff(itself, g.IpPermissions, options); diff != "" {
		t.Errorf("ingress of the default group (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(all, g.IpPermissionsEgress, options); diff != "" {
		t.Errorf("egress of the default group (-want +got):\n%s", diff)
	}
	_, err := client.DeleteSecurityGroup(t.Context(), &ec2.DeleteSecurityGroupInput{GroupId: g.GroupId})
	wantCode(t, err, "CannotDelete", 400)
	lists := must(client.DescribeManagedPrefixLists(t.Context(), &ec2.DescribeManagedPrefixListsInput{Filters: []types.Filter{{Name: aws.String("owner-id"), Values: []string{"AWS"}}}}))(t)
	if len(lists.PrefixLists) != 2 {
		t.Fatalf("AWS's own prefix lists: got %d, want 2", len(lists.PrefixLists))
	}
	_, err = client.ModifyManagedPrefixList(t.Context(), &ec2.ModifyManagedPrefixListInput{PrefixListId: lists.PrefixLists[0].PrefixListId, PrefixListName: aws.String("mine")})
	wantCode(t, err, "UnauthorizedOperation", 403)
}

func TestAccountsAndRegionsAreSeparate(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	group := must(cloud.Account(hub).Region(east).CreateSecurityGroup(t.Context(), "web"))(t)
	for _, other := range []*awssim.Region{cloud.Account(member).Region(east), cloud.Account(hub).Region("eu-west-1")} {
		_, err := other.Authorize(t.Context(), group, openSSH())
		var e *awssim.Error
		if e, _ = err.(*awssim.Error); e == nil || e.Code != "InvalidGroup.NotFound" {
			t.Errorf("a group of elsewhere: got error %v", err)
		}
	}
	c := config(cloud, cloud.Account(hub).Credentials())
	c.Region = "mars-north-1"
	_, err := ec2.NewFromConfig(c).DescribeSecurityGroups(t.Context(), nil)
	wantCode(t, err, "AuthFailure", 401)
}

// TestRevoke shows what each revoke answers and leaves of three rules: SSH of all, SSH of an office, HTTPS of all.
func TestRevoke(t *testing.T) {
	t.Parallel()
	absent := types.IpPermission{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(99), ToPort: aws.Int32(99), IpRanges: []types.IpRange{{CidrIp: aws.String("10.0.0.0/8")}}}
	tests := []struct {
		name       string
		defaultVPC bool
		in         func(ids []string) ec2.RevokeSecurityGroupIngressInput
		code       string
		revoked    int
		unknown    int
		left       int
	}{
		{name: "one", in: byPermission(sshPermission()...), revoked: 1, left: 2},
		{name: "one_in_default_vpc", defaultVPC: true, in: byPermission(sshPermission()...), revoked: 1, left: 2},
		{name: "one_and_an_absent_one", in: byPermission(append(sshPermission(), absent)...), code: "InvalidPermission.NotFound", left: 3},
		{name: "one_and_an_absent_one_in_default_vpc", defaultVPC: true, in: byPermission(append(sshPermission(), absent)...), revoked: 1, unknown: 1, left: 2},
		{name: "absent_in_default_vpc", defaultVPC: true, in: byPermission(absent), unknown: 1, left: 3},
		{name: "host_bits", in: byPermission(types.IpPermission{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22), IpRanges: []types.IpRange{{CidrIp: aws.String("203.0.113.9/0")}}}), revoked: 1, left: 2},
		{name: "ids", in: func(ids []string) ec2.RevokeSecurityGroupIngressInput {
			return ec2.RevokeSecurityGroupIngressInput{SecurityGroupRuleIds: ids[:2]}
		}, revoked: 2, left: 1},
		{name: "id_and_an_unknown_one", in: func(ids []string) ec2.RevokeSecurityGroupIngressInput {
			return ec2.RevokeSecurityGroupIngressInput{SecurityGroupRuleIds: []string{ids[0], "sgr-00000000000000000"}}
		}, code: "InvalidSecurityGroupRuleId.NotFound", left: 3},
		{name: "unknown_id_in_default_vpc", defaultVPC: true, in: func([]string) ec2.RevokeSecurityGroupIngressInput {
			return ec2.RevokeSecurityGroupIngressInput{SecurityGroupRuleIds: []string{"sgr-00000000000000000"}}
		}, code: "InvalidSecurityGroupRuleId.NotFound", left: 3},
		{name: "malformed_id", in: func([]string) ec2.RevokeSecurityGroupIngressInput {
			return ec2.RevokeSecurityGroupIngressInput{SecurityGroupRuleIds: []string{"ssh"}}
		}, code: "InvalidSecurityGroupRuleId.Malformed", left: 3},
		{name: "nothing_named", in: byPermission(), code: "MissingParameter", left: 3},
		{name: "both_named", in: func(ids []string) ec2.RevokeSecurityGroupIngressInput {
			return ec2.RevokeSecurityGroupIngressInput{SecurityGroupRuleIds: ids[:1], IpPermissions: sshPermission()}
		}, code: "InvalidParameterCombination", left: 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cloud, _ := newCloud(t)
			r := cloud.Account(hub).Region(east)
			vpc := ""
			if !tt.defaultVPC {
				vpc = must(r.CreateVPC(t.Context(), "10.0.0.0/16"))(t)
			}
			office := openSSH()
			office.CIDR, office.Description = "192.0.2.0/24", "office"
			group := must(r.CreateSecurityGroupIn(t.Context(), vpc, "web", openSSH(), office, https()))(t)
			var ids []string
			for _, rule := range ingress(t, cloud, group) {
				ids = append(ids, rule.ID)
			}
			in := tt.in(ids)
			in.GroupId = &group
			out, err := ec2Client(cloud, hub).RevokeSecurityGroupIngress(t.Context(), &in)
			if code, _ := codeOf(t, err); code != tt.code {
				t.Fatalf("got error %v, want %q", err, tt.code)
			}
			if err == nil && (len(out.RevokedSecurityGroupRules) != tt.revoked || len(out.UnknownIpPermissions) != tt.unknown) {
				t.Errorf("got %d revoked and %d unknown, want %d and %d", len(out.RevokedSecurityGroupRules), len(out.UnknownIpPermissions), tt.revoked, tt.unknown)
			}
			if left := ingress(t, cloud, group); len(left) != tt.left {
				t.Errorf("left: got %+v, want %d rules", left, tt.left)
			}
		})
	}
}

func byPermission(permissions ...types.IpPermission) func([]string) ec2.RevokeSecurityGroupIngressInput {
	return func([]string) ec2.RevokeSecurityGroupIngressInput {
		return ec2.RevokeSecurityGroupIngressInput{IpPermissions: permissions}
	}
}

// TestAuthorizeStores shows how each rule is kept.
func TestAuthorizeStores(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		in   awssim.Rule
		want awssim.Rule
	}{
		{"host_bits", awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "100.68.0.18/18"}, awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "100.68.0.0/18"}},
		{"host_bits_of_the_whole_internet", awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "208.236.235.254/0"}, awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "0.0.0.0/0"}},
		{"ipv6", awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "0:0::0/0"}, awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "::/0"}},
		{"all_has_no_ports", awssim.Rule{Protocol: "-1", CIDR: "0.0.0.0/0"}, awssim.Rule{Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: "0.0.0.0/0"}},
		{"other_protocol_has_no_ports", awssim.Rule{Protocol: "50", FromPort: 1, ToPort: 2, CIDR: "0.0.0.0/0"}, awssim.Rule{Protocol: "50", FromPort: -1, ToPort: -1, CIDR: "0.0.0.0/0"}},
		{"protocol_by_number", awssim.Rule{Protocol: "17", FromPort: 53, ToPort: 53, CIDR: "10.0.0.0/8"}, awssim.Rule{Protocol: "udp", FromPort: 53, ToPort: 53, CIDR: "10.0.0.0/8"}},
		{"egress", awssim.Rule{Egress: true, Protocol: "tcp", FromPort: 1, ToPort: 2, CIDR: "10.0.0.0/8"}, awssim.Rule{Egress: true, Protocol: "tcp", FromPort: 1, ToPort: 2, CIDR: "10.0.0.0/8"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cloud, _ := newCloud(t)
			group := must(cloud.Account(hub).Region(east).CreateSecurityGroup(t.Context(), "web", tt.in))(t)
			g, _ := cloud.Snapshot().Group(group)
			if diff := cmp.Diff(tt.want, g.Rules[len(g.Rules)-1], withoutIDs()); diff != "" {
				t.Errorf("stored (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAuthorizeRefuses(t *testing.T) {
	t.Parallel()
	rule := func(protocol string, from, to int, cidr string) awssim.Rule {
		return awssim.Rule{Protocol: protocol, FromPort: from, ToPort: to, CIDR: cidr}
	}
	described := rule("tcp", 22, 22, "10.0.0.0/8")
	described.Description = "naïve"
	tests := []struct {
		name  string
		rules []awssim.Rule
		code  string
	}{
		{"bad_range", []awssim.Rule{rule("tcp", 22, 22, "10.0.0.0")}, "InvalidParameterValue"},
		{"port_too_high", []awssim.Rule{rule("tcp", 22, 65536, "10.0.0.0/8")}, "InvalidParameterValue"},
		{"ports_turned_round", []awssim.Rule{rule("udp", 23, 22, "10.0.0.0/8")}, "InvalidParameterValue"},
		{"unknown_protocol", []awssim.Rule{rule("tpc", 22, 22, "10.0.0.0/8")}, "InvalidParameterValue"},
		{"icmp_type_too_high", []awssim.Rule{rule("icmp", 256, -1, "10.0.0.0/8")}, "InvalidParameterValue"},
		{"description_beyond_ascii", []awssim.Rule{described}, "InvalidParameterValue"},
		{"twice_in_one_call", []awssim.Rule{openSSH(), rule("6", 22, 22, "1.2.3.4/0")}, "InvalidParameterValue"},
		{"is_there_and_a_new_one", []awssim.Rule{https(), openSSH()}, "InvalidPermission.Duplicate"},
		{"unknown_prefix_list", []awssim.Rule{{Protocol: "tcp", FromPort: 1, ToPort: 1, PrefixList: "pl-00000000000000000"}}, "InvalidPrefixListID.NotFound"},
		{"group_of_an_account_without_it", []awssim.Rule{{Protocol: "tcp", FromPort: 1, ToPort: 1, Group: "sg-00000000000000000", GroupOwner: member}}, "InvalidGroup.NotFound"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cloud, _ := newCloud(t)
			r := cloud.Account(hub).Region(east)
			existing := []awssim.Rule{openSSH()}
			if tt.name == "twice_in_one_call" {
				existing = nil
			}
			group := must(r.CreateSecurityGroup(t.Context(), "web", existing...))(t)
			_, err := r.Authorize(t.Context(), group, tt.rules...)
			e, ok := err.(*awssim.Error)
			if !ok || e.Code != tt.code {
				t.Errorf("got error %v, want %s", err, tt.code)
			}
			if left := ingress(t, cloud, group); len(left) != len(existing) {
				t.Errorf("after the refusal: got %+v, want what was there", left)
			}
		})
	}
}

func TestQuota(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	r := cloud.Account(hub).Region(east)
	group := must(r.CreateSecurityGroup(t.Context(), "web"))(t)
	other := must(r.CreateSecurityGroup(t.Context(), "other"))(t)
	list := must(r.CreatePrefixList(t.Context(), "list", 10))(t)
	port := func(n int) awssim.Rule { return awssim.Rule{Protocol: "tcp", FromPort: n, ToPort: n} }
	with := func(rule awssim.Rule, set func(*awssim.Rule)) awssim.Rule {
		set(&rule)
		return rule
	}
	steps := []struct {
		name string
		rule awssim.Rule
		fits bool
	}{
		{"list_of_ten", with(port(1), func(r *awssim.Rule) { r.PrefixList = list }), true},
		{"group_counts_in_both_families", with(port(2), func(r *awssim.Rule) { r.Group = other }), true},
	}
	for i := range 49 {
		steps = append(steps, struct {
			name string
			rule awssim.Rule
			fits bool
		}{fmt.Sprintf("range_%d", i), with(port(100+i), func(r *awssim.Rule) { r.CIDR = "10.0.0.0/8" }), true})
	}
	steps = append(steps, []struct {
		name string
		rule awssim.Rule
		fits bool
	}{
		{"sixty_first_of_ipv4", with(port(3), func(r *awssim.Rule) { r.CIDR = "10.0.0.0/8" }), false},
		{"another_group", with(port(4), func(r *awssim.Rule) { r.Group = other }), false},
		{"ipv6_has_room", with(port(5), func(r *awssim.Rule) { r.CIDR = "::/0" }), true},
		{"egress_has_room", with(port(6), func(r *awssim.Rule) { r.CIDR, r.Egress = "10.0.0.0/8", true }), true},
	}...)
	for _, s := range steps {
		_, err := r.Authorize(t.Context(), group, s.rule)
		if e, _ := err.(*awssim.Error); (err == nil) != s.fits || err != nil && e.Code != "RulesPerSecurityGroupLimitExceeded" {
			t.Errorf("%s: got error %v, fits %t", s.name, err, s.fits)
		}
	}
	client := ec2Client(cloud, hub)
	_, err := client.ModifyManagedPrefixList(t.Context(), &ec2.ModifyManagedPrefixListInput{PrefixListId: &list, MaxEntries: aws.Int32(11)})
	wantCode(t, err, "RulesPerSecurityGroupLimitExceeded", 400)
	out := must(client.DescribeManagedPrefixLists(t.Context(), &ec2.DescribeManagedPrefixListsInput{PrefixListIds: []string{list}}))(t)
	if got := *out.PrefixLists[0].MaxEntries; got != 10 {
		t.Errorf("after the refusal: the list has room for %d, want 10", got)
	}
}

func TestPrefixListClientToken(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	in := &ec2.CreateManagedPrefixListInput{PrefixListName: aws.String("list"), AddressFamily: aws.String("IPv4"), MaxEntries: aws.Int32(2), ClientToken: aws.String("once")}
	cloud.Inject(awssim.Fault{Kind: awssim.Error5xxAfter, Times: 1})
	_, err := ec2Client(cloud, hub).CreateManagedPrefixList(t.Context(), in)
	wantCode(t, err, "InternalError", 500)
	must(ec2Client(cloud, hub).CreateManagedPrefixList(t.Context(), in))(t)
	in.ClientToken = aws.String("another")
	must(ec2Client(cloud, hub).CreateManagedPrefixList(t.Context(), in))(t)
	out := must(ec2Client(cloud, hub).DescribeManagedPrefixLists(t.Context(), &ec2.DescribeManagedPrefixListsInput{Filters: []types.Filter{{Name: aws.String("owner-id"), Values: []string{hub}}}}))(t)
	if len(out.PrefixLists) != 2 {
		t.Errorf("got %d lists, want one for each token", len(out.PrefixLists))
	}
}

func TestInterfaces(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	r := cloud.Account(hub).Region(east)
	web, api := must(r.CreateSecurityGroup(t.Context(), "web"))(t), must(r.CreateSecurityGroup(t.Context(), "api"))(t)
	public := must(r.AttachInterface("203.0.113.10", web, api))(t)
	must(r.AttachInterface("", api))(t)
	if _, err := r.AttachInterface("", "sg-00000000000000000"); err == nil {
		t.Error("attach to an absent group: got no error")
	}
	client := ec2Client(cloud, hub)
	of := func(group string) []types.NetworkInterface {
		return must(client.DescribeNetworkInterfaces(t.Context(), &ec2.DescribeNetworkInterfacesInput{Filters: []types.Filter{{Name: aws.String("group-id"), Values: []string{group}}}}))(t).NetworkInterfaces
	}
	got := of(web)
	if len(got) != 1 || *got[0].NetworkInterfaceId != public || *got[0].Association.PublicIp != "203.0.113.10" || len(got[0].Groups) != 2 || got[0].Attachment == nil {
		t.Errorf("interfaces of web: got %+v", got)
	}
	if got := of(api); len(got) != 2 || got[1].Association != nil {
		t.Errorf("interfaces of api: got %+v", got)
	}
	_, err := client.DeleteSecurityGroup(t.Context(), &ec2.DeleteSecurityGroupInput{GroupId: &web})
	wantCode(t, err, "DependencyViolation", 400)
	unused := must(r.CreateSecurityGroup(t.Context(), "unused"))(t)
	if out := must(client.DeleteSecurityGroup(t.Context(), &ec2.DeleteSecurityGroupInput{GroupId: &unused}))(t); *out.GroupId != unused || !*out.Return {
		t.Errorf("delete of an unused group: got %+v", out)
	}
}

func TestModifyRule(t *testing.T) {
	t.Parallel()
	request := func(set func(*types.SecurityGroupRuleRequest)) *types.SecurityGroupRuleRequest {
		r := &types.SecurityGroupRuleRequest{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22)}
		set(r)
		return r
	}
	tests := []struct {
		name    string
		request *types.SecurityGroupRuleRequest
		code    string
		want    awssim.Rule
	}{
		{
			name:    "narrower",
			request: request(func(r *types.SecurityGroupRuleRequest) { r.CidrIpv4 = aws.String("192.0.2.7/24") }),
			want:    awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "192.0.2.0/24", Tags: map[string]string{"team": "red"}},
		},
		{name: "another_kind_of_source", code: "InvalidParameterValue", request: request(func(r *types.SecurityGroupRuleRequest) { r.CidrIpv6 = aws.String("::/0") })},
		{name: "two_sources", code: "InvalidParameterCombination", request: request(func(r *types.SecurityGroupRuleRequest) {
			r.CidrIpv4, r.CidrIpv6 = aws.String("10.0.0.0/8"), aws.String("::/0")
		})},
		{name: "no_source", code: "MissingParameter", request: request(func(*types.SecurityGroupRuleRequest) {})},
		{name: "like_another_rule", code: "InvalidPermission.Duplicate", request: request(func(r *types.SecurityGroupRuleRequest) {
			r.FromPort, r.ToPort, r.CidrIpv4 = aws.Int32(443), aws.Int32(443), aws.String("0.0.0.0/0")
		})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cloud, _ := newCloud(t)
			r := cloud.Account(hub).Region(east)
			ssh := openSSH()
			ssh.Description = "for a while"
			group := must(r.CreateSecurityGroup(t.Context(), "web", ssh, https()))(t)
			before := ingress(t, cloud, group)
			if err := r.Tag(t.Context(), before[0].ID, map[string]string{"team": "red"}); err != nil {
				t.Fatal(err)
			}
			before = ingress(t, cloud, group)
			_, err := ec2Client(cloud, hub).ModifySecurityGroupRules(t.Context(), &ec2.ModifySecurityGroupRulesInput{
				GroupId: &group, SecurityGroupRules: []types.SecurityGroupRuleUpdate{{SecurityGroupRuleId: &before[0].ID, SecurityGroupRule: tt.request}},
			})
			if code, _ := codeOf(t, err); code != tt.code {
				t.Fatalf("got error %v, want %q", err, tt.code)
			}
			want := slices.Clone(before)
			if tt.code == "" {
				tt.want.ID = before[0].ID
				want[0] = tt.want
			}
			if diff := cmp.Diff(want, ingress(t, cloud, group)); diff != "" {
				t.Errorf("rules (-want +got):\n%s", diff)
			}
		})
	}
}
