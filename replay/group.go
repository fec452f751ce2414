package replay

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"dera"
	"dera/netset"
	"dera/resource"
)

// group is a security group as far as events told.
type group struct {
	origin
	region string
	config resource.SecurityGroup
}

// resource is the group as a look reads it. Nobody changes what is handed out.
func (g *group) resource(scope dera.Scope, at time.Time) dera.Resource {
	c := g.config
	c.Ingress, c.Egress, c.Tags = slices.Clone(c.Ingress), slices.Clone(c.Egress), maps.Clone(c.Tags)
	return dera.Resource{
		ARN:       dera.NewARN(scope.Partition, "ec2", g.region, c.Owner, "security-group/"+c.ID),
		Partition: scope.Partition, Account: c.Owner, Region: g.region, Type: resource.SecurityGroupType,
		ID: c.ID, Name: c.Name, Tags: c.Tags, Config: &c, ReadAt: at, Full: true,
	}
}

// groupOf returns the group with the ID, and makes a partly known one of what no
// event told of before.
func (s *State) groupOf(c call, id string) *group {
	at := place{c.Account, id}
	g := s.groups[at]
	if g == nil || g.gone {
		g = &group{origin: origin{since: c.Time}, region: c.Region, config: resource.SecurityGroup{ID: id, Owner: c.Account}}
		s.groups[at] = g
	}
	return g
}

// named returns the group that a call is about: by its ID in the request or in
// the answer, else by its name, as calls in a default VPC may do.
func (s *State) named(c call) *group {
	id := c.request.text("groupId")
	for _, set := range []string{"securityGroupRuleSet", "revokedSecurityGroupRuleSet"} {
		for _, rule := range c.response.list(set) {
			if id == "" {
				id = rule.text("groupId")
			}
		}
	}
	if id == "" {
		id = c.response.text("groupId")
	}
	if id != "" {
		return s.groupOf(c, id)
	}
	var found *group
	for at, g := range s.groups {
		if name := c.request.text("groupName"); at.account == c.Account && g.region == c.Region && !g.gone && name != "" && g.config.Name == name {
			if found != nil {
				return nil // of two VPCs
			}
			found = g
		}
	}
	return found
}

func (s *State) applyEC2(c call) error {
	switch c.Name {
	case "CreateSecurityGroup":
		return s.createGroup(c)
	case "CreateTags", "DeleteTags":
		s.tagGroups(c)
		return nil
	case "DeleteSecurityGroup", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", "RevokeSecurityGroupIngress",
		"RevokeSecurityGroupEgress", "ModifySecurityGroupRules":
	default:
		return nil
	}
	g := s.named(c)
	if g == nil {
		return c.lost("it does not tell which group it changed")
	}
	egress := c.Name == "AuthorizeSecurityGroupEgress" || c.Name == "RevokeSecurityGroupEgress"
	switch c.Name {
	case "DeleteSecurityGroup":
		g.gone = true
		return nil
	case "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress":
		return s.authorize(c, g, egress)
	case "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress":
		return g.revoke(c, egress)
	}
	return g.modify(c)
}

// createGroup begins a group that is wholly known: it lets nothing in and
// everything out (EC2 user guide, "Security groups").
func (s *State) createGroup(c call) error {
	id := c.response.text("groupId")
	if id == "" {
		return c.lost("the answer does not tell the new group's ID")
	}
	g := s.groupOf(c, id)
	g.born, g.region = true, c.Region
	g.config.Name, g.config.Description = c.request.text("groupName"), c.request.text("groupDescription", "description")
	g.config.VPC = c.request.text("vpcId")
	g.config.Egress = []resource.Rule{{ID: s.ruleID(), Protocol: "-1", From: -1, To: -1, CIDR: netip.PrefixFrom(netip.IPv4Unspecified(), 0)}}
	g.config.Ingress, g.config.Tags = nil, map[string]string{}
	for _, spec := range c.request.list("tagSpecificationSet") {
		for _, t := range append(spec.list("tags"), spec.list("tag")...) {
			g.config.Tags[t.text("key")] = t.text("value")
		}
	}
	return nil
}

// ruleID stands for the ID of a rule that no event tells.
func (s *State) ruleID() string {
	s.made++
	return fmt.Sprintf("untold-%d", s.made)
}

// authorize adds rules: those of the answer, which have IDs, else those of the
// request.
func (s *State) authorize(c call, g *group, egress bool) error {
	var rules []resource.Rule
	for _, t := range c.response.list("securityGroupRuleSet") {
		rules = append(rules, answered(t, c.Account))
	}
	if len(rules) == 0 {
		rules = permissions(c.request, c.Account)
	}
	if len(rules) == 0 {
		g.doubt("an event at " + c.Time.Format(time.RFC3339) + " adds a rule and does not tell which")
		return c.lost("it does not tell which rule it added")
	}
	list := &g.config.Ingress
	if egress {
		list = &g.config.Egress
	}
	for _, r := range rules {
		if slices.ContainsFunc(*list, r.SamePermission) {
			continue
		}
		if r.ID == "" {
			r.ID = s.ruleID()
		}
		*list = append(*list, r)
	}
	return nil
}

// revoke removes rules by their IDs or by what they permit.
func (g *group) revoke(c call, egress bool) error {
	list := &g.config.Ingress
	if egress {
		list = &g.config.Egress
	}
	ids := c.request.texts("securityGroupRuleIds", "securityGroupRuleId")
	rules := permissions(c.request, c.Account)
	if len(ids)+len(rules) == 0 {
		g.doubt("an event at " + c.Time.Format(time.RFC3339) + " removes a rule and does not tell which")
		return c.lost("it does not tell which rule it removed")
	}
	before := len(*list)
	*list = slices.DeleteFunc(*list, func(r resource.Rule) bool {
		return slices.Contains(ids, r.ID) || slices.ContainsFunc(rules, r.SamePermission)
	})
	if before-len(*list) < max(len(ids), len(rules)) && g.born && !egress {
		// No control goes by outbound rules, and the first one has no told ID.
		g.doubt("an event at " + c.Time.Format(time.RFC3339) + " removes a rule that no event added")
	}
	return nil
}

// modify replaces rules by their IDs. One that no event added can be a rule of
// either direction: it is not judged.
func (g *group) modify(c call) error {
	var err error
	for _, t := range c.request.list("SecurityGroupRule") {
		id := t.text("SecurityGroupRuleId")
		in := t.object("SecurityGroupRule")
		r := answered(tree{
			"ipProtocol": in.get("IpProtocol"), "fromPort": in.get("FromPort"), "toPort": in.get("ToPort"), "cidrIpv4": in.get("CidrIpv4"),
			"cidrIpv6": in.get("CidrIpv6"), "prefixListId": in.get("PrefixListId"), "description": in.get("Description"),
			"referencedGroupInfo": map[string]any{"groupId": in.get("ReferencedGroupId")},
		}, c.Account)
		r.ID = id
		replaced := false
		for _, list := range [][]resource.Rule{g.config.Ingress, g.config.Egress} {
			if i := slices.IndexFunc(list, func(o resource.Rule) bool { return o.ID == id }); i >= 0 && id != "" {
				r.Tags = list[i].Tags
				list[i], replaced = r, true
			}
		}
		if !replaced {
			g.doubt("an event at " + c.Time.Format(time.RFC3339) + " changes a rule that no event added")
			err = c.lost("it changes a rule that no event added")
		}
	}
	return err
}

// tagGroups follows the tags of groups; those of rules and of others decide
// nothing here.
func (s *State) tagGroups(c call) {
	for _, id := range c.request.texts("resourcesSet", "resourceId") {
		if len(id) < 3 || id[:3] != "sg-" {
			continue
		}
		g := s.groupOf(c, id)
		if g.config.Tags == nil {
			g.config.Tags = map[string]string{}
		}
		for _, t := range c.request.list("tagSet") {
			if c.Name == "CreateTags" {
				g.config.Tags[t.text("key")] = t.text("value")
			} else {
				delete(g.config.Tags, t.text("key"))
			}
		}
	}
}

// answered is a rule as answers and newer requests write it: one source each.
func answered(t tree, account string) resource.Rule {
	r := traffic(t)
	r.ID, r.Description = t.text("securityGroupRuleId"), t.text("description")
	info := t.object("referencedGroupInfo")
	switch {
	case t.text("cidrIpv4", "cidrIpv6") != "":
		r.CIDR = prefix(&r, t.text("cidrIpv4", "cidrIpv6"))
	case t.text("prefixListId") != "":
		r.PrefixList = &resource.PrefixList{ID: t.text("prefixListId")}
	case info.text("groupId") != "":
		r.Group = groupRef(info, account)
	default:
		r.PrefixList = &resource.PrefixList{ID: "untold-source"}
	}
	return r
}

// permissions are the rules of a request, in the flat form, the nested one or
// both.
func permissions(request tree, account string) []resource.Rule {
	var out []resource.Rule
	for _, p := range append([]tree{request}, request.list("ipPermissions")...) {
		source := func(set func(*resource.Rule)) {
			r := traffic(p)
			set(&r)
			out = append(out, r)
		}
		if cidr := p.text("cidrIp", "cidrIpv6"); cidr != "" {
			source(func(r *resource.Rule) { r.CIDR = prefix(r, cidr) })
		}
		for _, list := range []string{"ipRanges", "ipv6Ranges"} {
			for _, t := range p.list(list) {
				source(func(r *resource.Rule) {
					r.CIDR, r.Description = prefix(r, t.text("cidrIp", "cidrIpv6")), t.text("description")
				})
			}
		}
		for _, t := range p.list("prefixListIds") {
			source(func(r *resource.Rule) {
				r.PrefixList, r.Description = &resource.PrefixList{ID: t.text("prefixListId")}, t.text("description")
			})
		}
		for _, t := range p.list("groups") {
			source(func(r *resource.Rule) { r.Group, r.Description = groupRef(t, account), t.text("description") })
		}
	}
	return out
}

func groupRef(t tree, account string) *resource.GroupRef {
	ref := &resource.GroupRef{ID: t.text("groupId", "groupName"), Owner: t.text("userId")}
	if ref.Owner == account {
		ref.Owner = ""
	}
	return ref
}

func traffic(t tree) resource.Rule {
	r := resource.Rule{Protocol: resource.Protocol(t.text("ipProtocol")), From: -1, To: -1}
	switch r.Protocol {
	case "tcp", "udp", "icmp", "icmpv6":
		r.From, r.To = t.number("fromPort"), t.number("toPort")
	}
	return r
}

// prefix reads a CIDR; host bits that are set mean nothing: 203.0.113.9/0 is the
// whole internet. One that cannot be read makes the rule unknown.
func prefix(r *resource.Rule, text string) netip.Prefix {
	p, err := netset.Prefix(text)
	if err != nil {
		r.PrefixList = &resource.PrefixList{ID: "unreadable-source"}
		return netip.Prefix{}
	}
	return p
}
