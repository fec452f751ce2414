package awssim

import (
	"slices"
	"strings"
)

// maxRules is the quota of rules of a group, for each direction and address family.
// https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups
const maxRules = 60

// readPermissions reads the rules of a request: IpPermissions, or the flat form of one rule (ingress only).
func readPermissions(k *call, home *group, egress bool) ([]*Rule, error) {
	permissions := k.p.list("IpPermissions")
	if len(permissions) == 0 && k.p.text("IpProtocol") != "" {
		if egress {
			return nil, errorf(400, "InvalidParameterCombination", "The flat form is not supported for egress. Use IpPermissions.")
		}
		permissions = []*parameters{unflatten(k.p)}
	}
	var rules []*Rule
	for _, p := range permissions {
		read, err := readPermission(k, home, p, egress)
		if err != nil {
			return nil, err
		}
		rules = append(rules, read...)
	}
	return rules, nil
}

// unflatten makes one member of IpPermissions of the flat form.
func unflatten(p *parameters) *parameters {
	one := func(name string, member *parameters) *parameters {
		return &parameters{kids: map[string]*parameters{"1": {kids: map[string]*parameters{name: member}}}}
	}
	kids := map[string]*parameters{"IpProtocol": p.get("IpProtocol")}
	for _, name := range []string{"FromPort", "ToPort"} {
		if p.has(name) {
			kids[name] = p.get(name)
		}
	}
	if cidr := p.get("CidrIp"); cidr != nil {
		kids["IpRanges"] = one("CidrIp", cidr)
	}
	if name := p.get("SourceSecurityGroupName"); name != nil {
		kids["Groups"] = one("GroupName", name)
	}
	return &parameters{kids: kids}
}

// readPermission reads one member of IpPermissions: one rule for each range, prefix list and group.
func readPermission(k *call, home *group, p *parameters, egress bool) ([]*Rule, error) {
	if p.text("IpProtocol") == "" {
		return nil, missing("ipProtocol")
	}
	protocol, err := canonicalProtocol(p.text("IpProtocol"))
	if err != nil {
		return nil, err
	}
	from, to, err := checkPorts(protocol, p)
	if err != nil {
		return nil, err
	}
	var rules []*Rule
	add := func(source Rule, member *parameters) error {
		source.Egress, source.Protocol, source.FromPort, source.ToPort = egress, protocol, from, to
		source.Description = member.text("Description")
		rules = append(rules, &source)
		return checkDescription(source.Description)
	}
	for _, list := range [...]struct{ list, field string }{
		{"IpRanges", "CidrIp"}, {"Ipv6Ranges", "CidrIpv6"}, {"PrefixListIds", "PrefixListId"}, {"Groups", ""},
	} {
		for _, member := range p.list(list.list) {
			source, err := readSource(k, home, list.list, member, member.text(list.field))
			if err != nil {
				return nil, err
			}
			if err := add(source, member); err != nil {
				return nil, err
			}
		}
	}
	if len(rules) == 0 {
		return nil, missing("groups, ipRanges, ipv6Ranges or prefixListIds")
	}
	return rules, nil
}

// readSource reads the other side of a rule.
func readSource(k *call, home *group, list string, member *parameters, value string) (Rule, error) {
	switch list {
	case "IpRanges":
		cidr, err := canonicalCIDR(value, false)
		return Rule{CIDR: cidr}, err
	case "Ipv6Ranges":
		cidr, err := canonicalCIDR(value, true)
		return Rule{CIDR: cidr}, err
	case "PrefixListIds":
		_, err := k.prefixList(value, view{})
		return Rule{PrefixList: value}, err
	default:
		return k.readPair(home, member)
	}
}

// readPair resolves a group reference. A group of another VPC of the account cannot be named, for peering is not
// simulated; a group of another account can, as if its VPC were peered.
// https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html
func (k *call) readPair(home *group, member *parameters) (Rule, error) {
	owner := member.text("UserId")
	if owner == "" || owner == k.Account {
		var g *group
		var err error
		if id := member.text("GroupId"); id != "" {
			g, err = k.groupByID(id, view{})
		} else {
			g, err = k.groupByName(member.text("GroupName"), view{})
		}
		if err != nil {
			return Rule{}, err
		}
		if g.vpc != home.vpc {
			return Rule{}, errorf(400, "InvalidGroup.NotFound", "You have specified two resources that belong to different networks.")
		}
		return Rule{Group: g.id, GroupOwner: k.Account}, nil
	}
	id := member.text("GroupId")
	other, ok := k.cloud.states[place{owner, k.Region}]
	if !ok || other.groups.get(id, view{}) == nil {
		return Rule{}, errorf(400, "InvalidGroup.NotFound", "The security group '%s' does not exist", id)
	}
	return Rule{Group: id, GroupOwner: owner}, nil
}

// isDescription reports whether EC2 takes the text as a name or description.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html
func isDescription(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return false
		default:
			return !strings.ContainsRune(" ._-:/()#,@[]+=&;{}!$*", r)
		}
	})
}

func checkDescription(text string) error {
	if len(text) > 255 || !isDescription(text) {
		return invalid("Invalid rule description. Valid descriptions are strings less than 256 characters from the following set: a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*")
	}
	return nil
}

// weight is what a rule counts against the quota of IPv4 and of IPv6: a group counts in both, a prefix list with the
// most entries that it may have.
func (k *call) weight(r *Rule) (v4, v6 int) {
	switch {
	case r.PrefixList != "":
		list := k.state.prefixLists.get(r.PrefixList, view{})
		if list == nil {
			return 0, 0
		}
		if list.family == "IPv6" {
			return 0, list.maxEntries
		}
		return list.maxEntries, 0
	case r.Group != "":
		return 1, 1
	case r.isIPv6():
		return 0, 1
	default:
		return 1, 0
	}
}

// checkQuota fails if one direction of the group holds more than AWS allows.
func (k *call) checkQuota(g *group, egress bool) error {
	v4, v6 := 0, 0
	for _, r := range g.rules {
		if r.Egress == egress {
			four, six := k.weight(r)
			v4, v6 = v4+four, v6+six
		}
	}
	if v4 > maxRules || v6 > maxRules {
		return errorf(400, "RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached.")
	}
	return nil
}

// writePermissions writes the rules of one direction as IpPermissions: rules of one protocol and port range together.
func writePermissions(e *encoder, name string, rules []*Rule, egress bool) {
	e.beginList(name)
	for i, r := range rules {
		sameAs := func(other *Rule) bool {
			return other.Egress == egress && other.Protocol == r.Protocol && other.FromPort == r.FromPort && other.ToPort == r.ToPort
		}
		if r.Egress != egress || slices.ContainsFunc(rules[:i], sameAs) {
			continue
		}
		e.item()
		e.text("ipProtocol", r.Protocol)
		if hasPorts(r.Protocol) {
			e.number("fromPort", r.FromPort)
			e.number("toPort", r.ToPort)
		}
		writeSources(e, rules[i:], sameAs)
		e.endItem()
	}
	e.endList(name)
}

func writeSources(e *encoder, rules []*Rule, in func(*Rule) bool) {
	write := func(list, field string, value func(*Rule) string) {
		e.beginList(list)
		for _, r := range rules {
			if v := value(r); v != "" && in(r) {
				e.item()
				if list == "groups" {
					e.text("userId", r.GroupOwner)
				}
				e.text(field, v)
				e.optional("description", r.Description)
				e.endItem()
			}
		}
		e.endList(list)
	}
	write("groups", "groupId", func(r *Rule) string { return r.Group })
	write("ipRanges", "cidrIp", func(r *Rule) string {
		if r.isIPv6() {
			return ""
		}
		return r.CIDR
	})
	write("ipv6Ranges", "cidrIpv6", func(r *Rule) string {
		if r.isIPv6() {
			return r.CIDR
		}
		return ""
	})
	write("prefixListIds", "prefixListId", func(r *Rule) string { return r.PrefixList })
}
