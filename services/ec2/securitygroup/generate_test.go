package securitygroup_test

import (
	"fmt"
	"net/netip"
	"slices"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/netset"
	"dera.example/dera/services/ec2/securitygroup"
	"pgregory.net/rapid"
)

// drawSource draws sources at the places where judgements change, and any.
func drawSource(t *rapid.T, r *securitygroup.Rule) {
	fixed := []string{
		"0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "8.0.0.0/6", "8.0.0.0/8", "8.0.0.0/9", "8.128.0.0/9", "203.0.113.0/24",
		"203.0.113.7/32", "10.0.0.0/8", "10.0.0.0/7", "192.168.0.0/16", "::/0", "::/1", "8000::/1", "2000::/3", "2001:db8::/31", "2001:db8::/32", "fc00::/7",
	}
	prefix := func(label string) netip.Prefix {
		if rapid.IntRange(0, 3).Draw(t, label+" fixed") > 0 {
			return netip.MustParsePrefix(rapid.SampledFrom(fixed).Draw(t, label))
		}
		n := rapid.Uint32().Draw(t, label+" address")
		bits := rapid.IntRange(0, 32).Draw(t, label+" bits")
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), bits).Masked()
	}
	switch rapid.IntRange(0, 15).Draw(t, "kind of source") {
	case 0:
		r.PrefixList = &securitygroup.PrefixList{ID: fmt.Sprintf("pl-%d", rapid.IntRange(1, 3).Draw(t, "list"))}
		r.PrefixList.Known = rapid.IntRange(0, 3).Draw(t, "known") > 0
		if r.PrefixList.Known {
			r.PrefixList.Entries = []netip.Prefix{prefix("entry")}
		}
	case 1:
		r.Group = &securitygroup.GroupRef{ID: "sg-0b2"}
	default:
		r.CIDR = prefix("source")
	}
}

func drawRule(t *rapid.T) securitygroup.Rule {
	r := securitygroup.Rule{Protocol: rapid.SampledFrom([]string{"tcp", "tcp", "tcp", "tcp", "tcp", "udp", "icmp", "icmpv6", "-1", "47", "253"}).Draw(t, "protocol"), From: -1, To: -1}
	switch r.Protocol {
	case "tcp", "udp":
		port := rapid.OneOf(
			rapid.SampledFrom([]int32{0, 20, 21, 22, 23, 79, 80, 81, 443, 3388, 3389, 3390, 8080, 65535}),
			rapid.Int32Range(0, 65535))
		a, b := port.Draw(t, "from"), port.Draw(t, "to")
		if r.From, r.To = min(a, b), max(a, b); rapid.Bool().Draw(t, "one port") {
			r.To = r.From
		}
	case "icmp", "icmpv6":
		if r.From = rapid.SampledFrom([]int32{-1, 0, 8, 22}).Draw(t, "type"); r.From >= 0 {
			r.To = rapid.SampledFrom([]int32{-1, 0, 4}).Draw(t, "code")
		}
	}
	drawSource(t, &r)
	r.Description = rapid.SampledFrom([]string{"", "", "office", "${out.SecurityGroupRuleId}"}).Draw(t, "description")
	if rapid.IntRange(0, 5).Draw(t, "tagged") == 0 {
		r.Tags = map[string]string{"team": "edge"}
	}
	return r
}

// drawGroup draws a security group as AWS could hold it: no two rules with the
// same permission, every rule with its ID.
func drawGroup(t *rapid.T, most int) *securitygroup.Group {
	g := &securitygroup.Group{
		ID: "sg-0a1", VPC: "vpc-1", Owner: "111122223333", Tags: map[string]string{"env": "prod"},
		Name:   rapid.SampledFrom([]string{"web", "web", "web", "default"}).Draw(t, "name"),
		Egress: []securitygroup.Rule{{ID: "sgr-out", Protocol: "-1", From: -1, To: -1, CIDR: netip.MustParsePrefix("0.0.0.0/0")}},
	}
	g.Network = &securitygroup.VPC{
		CIDRs:  drawPrefixes(t, "vpc", "10.1.0.0/16", "203.0.113.128/25", "2001:db8:8000::/56"),
		Routed: drawPrefixes(t, "routed", "172.20.0.0/16", "198.51.100.0/24", "0.0.0.0/0", "9.0.0.0/8"),
		Unread: rapid.SampledFrom([]string{"", "", "", "", "denied"}).Draw(t, "unread"),
	}
	for i, r := range rapid.SliceOfN(rapid.Custom(drawRule), 0, most).Draw(t, "rules") {
		if !slices.ContainsFunc(g.Ingress, r.SamePermission) {
			r.ID = fmt.Sprintf("sgr-%d", i)
			g.Ingress = append(g.Ingress, r)
		}
	}
	return g
}

func drawPrefixes(t *rapid.T, label string, list ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range list {
		if rapid.IntRange(0, 3).Draw(t, label) == 0 {
			out = append(out, netip.MustParsePrefix(s))
		}
	}
	return out
}

func drawSettings(t *rapid.T) control.Settings {
	return control.Settings{
		Allow: drawPrefixes(t, "allow", "203.0.113.0/25", "8.0.0.0/10", "2001:db8::/33"),
		KeepInternal: control.Internal{
			Choice:   rapid.SampledFrom([]string{"", "", control.KeepVPC, control.KeepNone, control.KeepNetworks}).Draw(t, "keep_internal"),
			Networks: drawPrefixes(t, "keep", "10.0.0.0/9", "192.168.0.0/17", "fd00::/8", "203.0.113.0/25"),
		},
		RuleQuota: rapid.SampledFrom([]int{0, 0, 20, 1000}).Draw(t, "quota"),
	}
}

func resourceOf(g *securitygroup.Group) dera.Resource {
	return laws().Resource(g)
}

// admits asks every rule about one packet, one by one: an oracle without any set
// algebra.
func admits(g *securitygroup.Group, p netset.Point) bool {
	return slices.ContainsFunc(g.Ingress, func(r securitygroup.Rule) bool {
		from, _ := r.Addresses()
		if !slices.ContainsFunc(from, func(f netip.Prefix) bool { return f.Contains(p.Addr) }) {
			return false
		}
		if r.All() {
			return true
		}
		numbers := map[string]netset.Protocol{"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58, "47": 47, "253": 253}
		if numbers[r.Protocol] != p.Protocol {
			return false
		}
		switch {
		case r.Ported():
			return int32(p.Port) >= r.From && int32(p.Port) <= r.To
		case p.Protocol.HasTypes():
			return (r.From < 0 || int32(p.Port>>8) == r.From) && (r.To < 0 || int32(p.Port&255) == r.To)
		}
		return true
	})
}
