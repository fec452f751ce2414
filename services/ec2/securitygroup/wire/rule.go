package wire

import (
	"net/netip"
	"slices"

	"dera.example/dera/services/ec2/securitygroup"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"dera.example/dera/netset"
)

// samePermissions reports whether two calls tell of the same permissions. The
// owner of a group that is a source is left out, since not both tell it, and so
// are sources that dera cannot read.
func samePermissions(a, b []securitygroup.Rule) bool {
	lines := func(rules []securitygroup.Rule) []string {
		var out []string
		for _, r := range rules {
			switch {
			case r.PrefixList != nil && r.PrefixList.ID == unreadableSource:
				continue
			case r.Group != nil:
				r.Group = &securitygroup.GroupRef{ID: r.Group.ID}
			}
			out = append(out, r.Line())
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	return slices.Equal(lines(a), lines(b))
}

// rule normalises one rule as DescribeSecurityGroupRules gives it.
func (g groupReader) rule(s types.SecurityGroupRule) securitygroup.Rule {
	r := securitygroup.Rule{
		ID: aws.ToString(s.SecurityGroupRuleId), Description: aws.ToString(s.Description), Tags: tagMap(s.Tags),
	}
	setTraffic(&r, s.IpProtocol, s.FromPort, s.ToPort)
	var err error
	switch {
	case s.CidrIpv4 != nil:
		r.CIDR, err = netset.Prefix(*s.CidrIpv4)
	case s.CidrIpv6 != nil:
		r.CIDR, err = netset.Prefix(*s.CidrIpv6)
	case s.PrefixListId != nil:
		r.PrefixList = &securitygroup.PrefixList{ID: *s.PrefixListId}
	case s.ReferencedGroupInfo != nil:
		r.Group = &securitygroup.GroupRef{ID: aws.ToString(s.ReferencedGroupInfo.GroupId), Owner: g.other(s.ReferencedGroupInfo.UserId)}
	}
	if err != nil || !r.CIDR.IsValid() && r.PrefixList == nil && r.Group == nil {
		unreadable(&r)
	}
	return r
}

// unreadableSource stands for the source of a rule that dera cannot read.
const unreadableSource = "unreadable-source"

// unreadable marks a rule whose source dera cannot read, for example of a kind
// that AWS invented since: the rule is unknown, and its neighbours are judged.
func unreadable(r *securitygroup.Rule) {
	r.CIDR, r.Group = netip.Prefix{}, nil
	r.PrefixList = &securitygroup.PrefixList{ID: unreadableSource}
}

// permissions normalises the short form of DescribeSecurityGroups: one rule for
// each source.
func (g groupReader) permissions(list []types.IpPermission) []securitygroup.Rule {
	var out []securitygroup.Rule
	for _, p := range list {
		var base securitygroup.Rule
		setTraffic(&base, p.IpProtocol, p.FromPort, p.ToPort)
		add := func(description *string, source func(r *securitygroup.Rule)) {
			r := base
			r.Description = aws.ToString(description)
			source(&r)
			out = append(out, r)
		}
		cidr := func(text, description *string) {
			add(description, func(r *securitygroup.Rule) {
				var err error
				if r.CIDR, err = netset.Prefix(aws.ToString(text)); err != nil {
					unreadable(r)
				}
			})
		}
		for _, x := range p.IpRanges {
			cidr(x.CidrIp, x.Description)
		}
		for _, x := range p.Ipv6Ranges {
			cidr(x.CidrIpv6, x.Description)
		}
		for _, x := range p.PrefixListIds {
			add(x.Description, func(r *securitygroup.Rule) {
				r.PrefixList = &securitygroup.PrefixList{ID: aws.ToString(x.PrefixListId)}
			})
		}
		for _, x := range p.UserIdGroupPairs {
			add(x.Description, func(r *securitygroup.Rule) {
				r.Group = &securitygroup.GroupRef{ID: aws.ToString(x.GroupId), Owner: g.other(x.UserId)}
			})
		}
	}
	return out
}

// other is the owner of a referenced group if that is another account.
func (g groupReader) other(owner *string) string {
	if o := aws.ToString(owner); o != g.Scope.Account {
		return o
	}
	return ""
}

func setTraffic(r *securitygroup.Rule, protocol *string, from, to *int32) {
	r.Protocol = securitygroup.Protocol(aws.ToString(protocol))
	r.From, r.To = -1, -1
	switch r.Protocol {
	case "tcp", "udp", "icmp", "icmpv6":
		if from != nil {
			r.From = *from
		}
		if to != nil {
			r.To = *to
		}
	}
}

func tagMap(tags []types.Tag) map[string]string {
	if len(tags) == 0 {
		return nil
	}
	out := make(map[string]string, len(tags))
	for _, t := range tags {
		out[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return out
}
