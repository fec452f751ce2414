package securitygroup

import (
	"net/netip"

	"dera.example/dera/cloudtrail"
	"dera.example/dera/netset"
)

// answered is a rule as answers and newer requests write it: one source each.
func answered(t cloudtrail.Tree, account string) Rule {
	r := traffic(t)
	r.ID, r.Description = t.Value("securityGroupRuleId"), t.Value("description")
	info := t.Object("referencedGroupInfo")
	switch {
	case t.Value("cidrIpv4", "cidrIpv6") != "":
		r.CIDR = prefix(&r, t.Value("cidrIpv4", "cidrIpv6"))
	case t.Value("prefixListId") != "":
		r.PrefixList = &PrefixList{ID: t.Value("prefixListId")}
	case info.Value("groupId") != "":
		r.Group = groupRef(info, account)
	default:
		r.PrefixList = &PrefixList{ID: "unknown-source"}
	}
	return r
}

// permissions are the rules of a request, in the flat form, the nested one or
// both.
func permissions(request cloudtrail.Tree, account string) []Rule {
	var out []Rule
	for _, p := range append([]cloudtrail.Tree{request}, request.List("ipPermissions")...) {
		source := func(set func(*Rule)) {
			r := traffic(p)
			set(&r)
			out = append(out, r)
		}
		if cidr := p.Value("cidrIp", "cidrIpv6"); cidr != "" {
			source(func(r *Rule) { r.CIDR = prefix(r, cidr) })
		}
		for _, list := range []string{"ipRanges", "ipv6Ranges"} {
			for _, t := range p.List(list) {
				source(func(r *Rule) {
					r.CIDR, r.Description = prefix(r, t.Value("cidrIp", "cidrIpv6")), t.Value("description")
				})
			}
		}
		for _, t := range p.List("prefixListIds") {
			source(func(r *Rule) {
				r.PrefixList, r.Description = &PrefixList{ID: t.Value("prefixListId")}, t.Value("description")
			})
		}
		for _, t := range p.List("groups") {
			source(func(r *Rule) { r.Group, r.Description = groupRef(t, account), t.Value("description") })
		}
	}
	return out
}

func groupRef(t cloudtrail.Tree, account string) *GroupRef {
	ref := &GroupRef{ID: t.Value("groupId", "groupName"), Owner: t.Value("userId")}
	if ref.Owner == account {
		ref.Owner = ""
	}
	return ref
}

func traffic(t cloudtrail.Tree) Rule {
	r := Rule{Protocol: Protocol(t.Value("ipProtocol")), From: -1, To: -1}
	switch r.Protocol {
	case "tcp", "udp", "icmp", "icmpv6":
		r.From, r.To = t.Number("fromPort"), t.Number("toPort")
	}
	return r
}

// prefix reads a CIDR; host bits that are set mean nothing: 203.0.113.9/0 is the
// whole internet. One that cannot be read makes the rule unknown.
func prefix(r *Rule, text string) netip.Prefix {
	p, err := netset.Prefix(text)
	if err != nil {
		r.PrefixList = &PrefixList{ID: "unreadable-source"}
		return netip.Prefix{}
	}
	return p
}
