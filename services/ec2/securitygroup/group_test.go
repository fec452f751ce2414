package securitygroup

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/netset"
)

func TestProtocol(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"tcp": "tcp", "TCP": "tcp", "6": "tcp", " 6 ": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "ICMPv6": "icmpv6",
		"all": "-1", "-1": "-1", "47": "47", "http": "http",
	} {
		if got := Protocol(in); got != want {
			t.Errorf("protocol %q: got %q, want %q", in, got, want)
		}
	}
}

func TestRuleText(t *testing.T) {
	t.Parallel()
	list, group := &PrefixList{ID: "pl-1"}, &GroupRef{ID: "sg-2"}
	tests := []struct {
		name string
		rule Rule
		want string
	}{
		{"one_port", cidr("tcp", 22, 22, "0.0.0.0/0"), "tcp 22 from 0.0.0.0/0"},
		{"ports", cidr("udp", 0, 65535, "::/0"), "udp 0-65535 from ::/0"},
		{"all_traffic", cidr("-1", -1, -1, "10.0.0.0/8"), "all traffic from 10.0.0.0/8"},
		{"icmp", cidr("icmp", -1, -1, "10.0.0.0/8"), "icmp from 10.0.0.0/8"},
		{"icmp_type", cidr("icmp", 8, -1, "10.0.0.0/8"), "icmp type 8 from 10.0.0.0/8"},
		{"icmp_type_0_code_0", cidr("icmp", 0, 0, "10.0.0.0/8"), "icmp type 0 code 0 from 10.0.0.0/8"},
		{"icmpv6_type_and_code", cidr("icmpv6", 1, 4, "::/0"), "icmpv6 type 1 code 4 from ::/0"},
		{"other_protocol", cidr("47", -1, -1, "10.0.0.0/8"), "protocol 47 from 10.0.0.0/8"},
		{"prefix_list", Rule{Protocol: "tcp", From: 22, To: 22, PrefixList: list}, "tcp 22 from pl-1"},
		{"group", Rule{Protocol: "-1", From: -1, To: -1, Group: group}, "all traffic from sg-2"},
		{"foreign_group", Rule{Protocol: "tcp", From: 1, To: 2, Group: &GroupRef{ID: "sg-2", Owner: "444455556666"}}, "tcp 1-2 from 444455556666/sg-2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.rule.Line(); got != tt.want {
				t.Errorf("line: got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSamePermission(t *testing.T) {
	t.Parallel()
	base := cidr("tcp", 22, 22, "10.0.0.0/8")
	change := func(f func(*Rule)) Rule { r := base; f(&r); return r }
	tests := []struct {
		name  string
		other Rule
		want  bool
	}{
		{"itself", base, true},
		{"other_id", change(func(r *Rule) { r.ID = "sgr-2" }), true},
		{"other_description_and_tags", change(func(r *Rule) { r.Description, r.Tags = "x", map[string]string{"a": "b"} }), true},
		{"other_protocol", change(func(r *Rule) { r.Protocol = "udp" }), false},
		{"other_from", change(func(r *Rule) { r.From = 21 }), false},
		{"other_to", change(func(r *Rule) { r.To = 23 }), false},
		{"other_network", change(func(r *Rule) { r.CIDR = netip.MustParsePrefix("10.0.0.0/9") }), false},
		{"other_kind_of_source", change(func(r *Rule) { r.CIDR, r.Group = netip.Prefix{}, &GroupRef{ID: "sg-2"} }), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got, back := base.SamePermission(tt.other), tt.other.SamePermission(base); got != tt.want || back != tt.want {
				t.Errorf("same permission: got %t and back %t, want %t", got, back, tt.want)
			}
		})
	}
}

// TestCanon: equal for what means the same, different for anything that a person
// would call a change.
func TestCanon(t *testing.T) {
	t.Parallel()
	base := Group{
		ID: "sg-1", Name: "web", VPC: "vpc-1", Owner: "111122223333", Tags: map[string]string{"team": "edge", "env": "prod"},
		Ingress: []Rule{cidr("tcp", 22, 22, "10.0.0.0/8"), cidr("tcp", 443, 443, "0.0.0.0/0")},
		Egress:  []Rule{cidr("-1", -1, -1, "0.0.0.0/0")},
	}
	tests := []struct {
		name   string
		change func(*Group)
		same   bool
	}{
		{"nothing", func(*Group) {}, true},
		{"order_of_rules", func(g *Group) { slices.Reverse(g.Ingress) }, true},
		{"rule_ids", func(g *Group) { g.Ingress[0].ID = "sgr-9" }, true},
		{"interfaces", func(g *Group) { g.Interfaces = []Interface{{ID: "eni-1"}} }, true},
		{"tags_of_dera", func(g *Group) { g.Tags["dera:finding"] = "f-1" }, true},
		{"tags_of_dera_on_a_rule", func(g *Group) { g.Ingress[0].Tags = map[string]string{"dera:x": "y"} }, true},
		{"tag_value", func(g *Group) { g.Tags["team"] = "core" }, false},
		{"tag_gone", func(g *Group) { delete(g.Tags, "env") }, false},
		{"name", func(g *Group) { g.Name = "api" }, false},
		{"vpc", func(g *Group) { g.VPC = "vpc-2" }, false},
		{"rule_gone", func(g *Group) { g.Ingress = g.Ingress[:1] }, false},
		{"rule_twice", func(g *Group) { g.Ingress = append(g.Ingress, g.Ingress[0]) }, false},
		{"rule_description", func(g *Group) { g.Ingress[0].Description = "x" }, false},
		{"rule_tag", func(g *Group) { g.Ingress[0].Tags = map[string]string{"a": "b"} }, false},
		{"rule_protocol", func(g *Group) { g.Ingress[0].Protocol = "udp" }, false},
		{"rule_ports", func(g *Group) { g.Ingress[0].To = 23 }, false},
		{"rule_source", func(g *Group) { g.Ingress[0].CIDR = netip.MustParsePrefix("10.0.0.0/9") }, false},
		{"rule_moved_outbound", func(g *Group) { g.Egress = append(g.Egress, g.Ingress[0]); g.Ingress = g.Ingress[1:] }, false},
		{"outbound_rule", func(g *Group) { g.Egress = nil }, false},
		{"line_break_in_a_description", func(g *Group) {
			g.Ingress[0].Description = "x\" tags\nin tcp 443 443 0.0.0.0/0 description \""
			g.Ingress = g.Ingress[:1]
		}, false},
		{"blank_in_a_tag", func(g *Group) { g.Tags = map[string]string{"env": "prod\" \"team\"=\"edge"} }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := base
			g.Ingress, g.Egress = slices.Clone(base.Ingress), slices.Clone(base.Egress)
			g.Tags = map[string]string{"team": "edge", "env": "prod"}
			tt.change(&g)
			if got := g.Canon() == base.Canon(); got != tt.same {
				t.Errorf("equal by meaning: got %t, want %t:\n%s", got, tt.same, g.Canon())
			}
		})
	}
}

func TestDefaultGroup(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"default": true, "Default": false, "default ": false, "web": false, "": false} {
		if got := (&Group{Name: name}).Default(); got != want {
			t.Errorf("group %q is the default one: got %t, want %t", name, got, want)
		}
	}
}

func TestReachAndSymbolic(t *testing.T) {
	t.Parallel()
	rules := []Rule{
		cidr("tcp", 22, 22, "10.0.0.0/8"),
		{Protocol: "tcp", From: 443, To: 443, PrefixList: &PrefixList{ID: "pl-1", Known: true, Entries: prefixes("10.1.0.0/16", "2001:db8::/32")}},
		{Protocol: "tcp", From: 80, To: 80, PrefixList: &PrefixList{ID: "pl-2"}},
		{Protocol: "-1", From: -1, To: -1, Group: &GroupRef{ID: "sg-2"}},
		{Protocol: "-1", From: -1, To: -1, Group: &GroupRef{ID: "sg-2"}, Description: "twice"},
	}
	want := "tcp/22 from 10.0.0.0/8; tcp/443 from 10.1.0.0/16; tcp/443 from 2001:db8::/32"
	if got := mustReach(t, rules...).String(); got != want {
		t.Errorf("reach: got %s, want %s", got, want)
	}
	if got, want := Symbolic(rules), []string{"all traffic from sg-2", "tcp 80 from pl-2"}; !slices.Equal(got, want) {
		t.Errorf("symbolic sources: got %q, want %q", got, want)
	}
	if got := Unknown(rules); len(got) != 1 || got[0].PrefixList.ID != "pl-2" {
		t.Errorf("unknown sources: got %v, want the list that was not read", got)
	}
	if got, err := rules[0].Packets(); err != nil || got != netset.Over(netset.TCP, 22, 22) {
		t.Errorf("packets: got %v, %v, want TCP 22", got, err)
	}
	if _, err := cidr("http", 1, 1, "10.0.0.0/8").Packets(); err == nil || !strings.Contains(err.Error(), "http") {
		t.Errorf("packets of an unknown protocol: got %v, want an error that names it", err)
	}
}
