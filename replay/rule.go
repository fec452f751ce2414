package replay

import (
	"net/netip"

	"dera.example/dera/netset"
	"dera.example/dera/services/ec2/securitygroup"
)

// answered is a rule as answers and newer requests write it: one source each.
func answered(t tree, account string) securitygroup.Rule {
	r := traffic(t)
	r.ID, r.Description = t.text("securityGroupRuleId"), t.text("description")
	info := t.object("referencedGroupInfo")
	switch {
	case t.text("cidrIpv4", "cidrIpv6") != "":
		r.CIDR = prefix(&r, t.text("cidrIpv4", "cidrIpv6"))
	case t.text("prefixListId") != "":
		r.PrefixList = &securitygroup.PrefixList{ID: t.text("prefixListId")}
	case info.text("groupId") != "":
		r.Group = groupRef(info, account)
	default:
		r.PrefixList = &securitygroup.PrefixList{ID: "untold-source"}
	}
	return r
}

// permissions are the rules of a request, in the flat form, the nested one or
// both.
func permissions(request tree, account string) []securitygroup.Rule {
	var out []securitygroup.Rule
	for _, p := range append([]tree{request}, request.list("ipPermissions")...) {
		source := func(set func(*securitygroup.Rule)) {
			r := traffic(p)
			set(&r)
			out = append(out, r)
		}
		if cidr := p.text("cidrIp", "cidrIpv6"); cidr != "" {
			source(func(r *securitygroup.Rule) { r.CIDR = prefix(r, cidr) })
		}
		for _, list := range []string{"ipRanges", "ipv6Ranges"} {
			for _, t := range p.list(list) {
				source(func(r *securitygroup.Rule) {
					r.CIDR, r.Description = prefix(r, t.text("cidrIp", "cidrIpv6")), t.text("description")
				})
			}
		}
		for _, t := range p.list("prefixListIds") {
			source(func(r *securitygroup.Rule) {
				r.PrefixList, r.Description = &securitygroup.PrefixList{ID: t.text("prefixListId")}, t.text("description")
			})
		}
		for _, t := range p.list("groups") {
			source(func(r *securitygroup.Rule) { r.Group, r.Description = groupRef(t, account), t.text("description") })
		}
	}
	return out
}

func groupRef(t tree, account string) *securitygroup.GroupRef {
	ref := &securitygroup.GroupRef{ID: t.text("groupId", "groupName"), Owner: t.text("userId")}
	if ref.Owner == account {
		ref.Owner = ""
	}
	return ref
}

func traffic(t tree) securitygroup.Rule {
	r := securitygroup.Rule{Protocol: securitygroup.Protocol(t.text("ipProtocol")), From: -1, To: -1}
	switch r.Protocol {
	case "tcp", "udp", "icmp", "icmpv6":
		r.From, r.To = t.number("fromPort"), t.number("toPort")
	}
	return r
}

// prefix reads a CIDR; host bits that are set mean nothing: 203.0.113.9/0 is the
// whole internet. One that cannot be read makes the rule unknown.
func prefix(r *securitygroup.Rule, text string) netip.Prefix {
	p, err := netset.Prefix(text)
	if err != nil {
		r.PrefixList = &securitygroup.PrefixList{ID: "unreadable-source"}
		return netip.Prefix{}
	}
	return p
}
