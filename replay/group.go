package replay

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/services/ec2/securitygroup"
)

// group is a security group as far as events told.
type group struct {
	origin
	region string
	config securitygroup.Group
	// missingIn and missingOut are rules that are known not to be there, of a group
	// that no event created.
	missingIn, missingOut []securitygroup.Rule
}

// list are the rules that a call is about.
func (g *group) list(c call) *[]securitygroup.Rule {
	if c.direction() == "out " {
		return &g.config.Egress
	}
	return &g.config.Ingress
}

// missing are the rules of the call's direction that are known not to be there.
func (g *group) missing(c call) *[]securitygroup.Rule {
	if c.direction() == "out " {
		return &g.missingOut
	}
	return &g.missingIn
}

// add notes a rule of a call as there.
func (g *group) add(c call, r securitygroup.Rule) {
	g.settle(c.direction() + r.Line())
	*g.missing(c) = slices.DeleteFunc(*g.missing(c), r.SamePermission)
	if list := g.list(c); !slices.ContainsFunc(*list, r.SamePermission) {
		*list = append(*list, r)
	}
}

// remove notes a rule of a call as not there.
func (g *group) remove(c call, r securitygroup.Rule) {
	g.settle(c.direction() + r.Line())
	*g.list(c) = slices.DeleteFunc(*g.list(c), r.SamePermission)
	if missing := g.missing(c); !g.born && !slices.ContainsFunc(*missing, r.SamePermission) {
		*missing = append(*missing, r)
	}
}

// resource is the group as a look reads it. Nobody changes what is handed out.
func (g *group) resource(scope dera.Scope, at time.Time) dera.Resource {
	c := g.config
	c.Ingress, c.Egress, c.Tags = slices.Clone(c.Ingress), slices.Clone(c.Egress), maps.Clone(c.Tags)
	return dera.Resource{
		ARN:       dera.NewARN(scope.Partition, "ec2", g.region, c.Owner, "security-group/"+c.ID),
		Partition: scope.Partition, Account: c.Owner, Region: g.region, Type: securitygroup.Name,
		ID: c.ID, Name: c.Name, Tags: c.Tags, Config: &c, ReadAt: at, Full: true,
	}
}

// groupOf returns the group with the ID, and makes a partly known one of what no
// event told of before.
func (s *State) groupOf(c call, id string) *group {
	at := place{c.Account, id}
	g := s.groups[at]
	if g == nil || g.gone {
		g = &group{origin: origin{since: c.Time}, region: c.Region, config: securitygroup.Group{ID: id, Owner: c.Account, Network: &securitygroup.VPC{InterfacesUnread: true}}}
		s.groups[at] = g
	}
	return g
}

// named returns the group that a call is about: by its ID in the request or in
// the answer, else by its name, as calls in a default VPC may do.
func (s *State) named(c call) *group {
	if id := s.groupID(c); id != "" {
		return s.groupOf(c, id)
	}
	return nil
}

// groupID is the ID of that group, or "".
func (s *State) groupID(c call) string {
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
		return id
	}
	for at, g := range s.groups {
		if name := c.request.text("groupName"); at.account == c.Account && g.region == c.Region && !g.gone && name != "" && g.config.Name == name {
			if id != "" {
				return "" // of two VPCs
			}
			id = at.id
		}
	}
	return id
}

// learn takes from a refused call what it tells of a group that no event created:
// that the rule was there already, or was not there.
func (s *State) learn(c call) {
	rules, _ := c.rules()
	if len(rules) != 1 || !Tells(c.Record) {
		return
	}
	r, g := rules[0], s.groups[place{c.Account, s.groupID(c)}]
	switch known := g != nil && (g.born || g.gone); {
	case known:
	case strings.HasPrefix(c.Name, "Authorize"):
		if g = s.named(c); g != nil && !slices.ContainsFunc(*g.missing(c), r.SamePermission) {
			r.ID = s.ruleID()
			g.add(c, r)
		}
	case g != nil && !slices.ContainsFunc(*g.list(c), r.SamePermission):
		g.remove(c, r)
	}
}

// Tells reports whether a refused call tells what rules a group has.
func Tells(r cloudtrail.Record) bool {
	code := r.ErrorCode[strings.Index(r.ErrorCode, ".")+1:]
	return r.Source == "ec2.amazonaws.com" &&
		(strings.HasPrefix(r.Name, "AuthorizeSecurityGroup") && strings.HasSuffix(code, "InvalidPermission.Duplicate") ||
			strings.HasPrefix(r.Name, "RevokeSecurityGroup") && strings.HasSuffix(code, "InvalidPermission.NotFound"))
}

func (s *State) applyEC2(c call) error {
	switch c.Name {
	case "CreateSecurityGroup":
		return s.createGroup(c)
	case "CreateTags", "DeleteTags":
		return s.tagGroups(c)
	case "DeleteSecurityGroup", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", "RevokeSecurityGroupIngress",
		"RevokeSecurityGroupEgress", "ModifySecurityGroupRules":
	default:
		return nil
	}
	g := s.named(c)
	if g == nil {
		return c.lost("it does not tell which group it changed")
	}
	switch c.Name {
	case "DeleteSecurityGroup":
		g.gone = true
		return nil
	case "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress":
		return s.authorize(c, g)
	case "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress":
		return g.revoke(c)
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
	g.config.Egress = []securitygroup.Rule{{ID: s.ruleID(), Protocol: "-1", From: -1, To: -1, CIDR: netip.PrefixFrom(netip.IPv4Unspecified(), 0)}}
	g.config.Ingress, g.config.Tags = nil, map[string]string{}
	if c.request.text("groupName") == "" {
		g.doubt("the event that created it does not tell its name and tags")
		return c.lost("it does not tell the new group's name and tags")
	}
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
	return unknownRule + strconv.Itoa(s.made)
}

const unknownRule = "untold-"

// added are the rules that a call added: those of the answer, which have IDs, else
// those of the request.
func (c call) added() []securitygroup.Rule {
	var rules []securitygroup.Rule
	for _, t := range c.response.list("securityGroupRuleSet") {
		rules = append(rules, answered(t, c.Account))
	}
	if len(rules) == 0 {
		rules = permissions(c.request, c.Account)
	}
	return rules
}

func (s *State) authorize(c call, g *group) error {
	rules := c.added()
	if len(rules) == 0 {
		g.doubt("an event at " + c.Time.Format(time.RFC3339) + " adds a rule and does not tell which")
		return c.lost("it does not tell which rule it added")
	}
	for _, r := range rules {
		if r.ID == "" {
			r.ID = s.ruleID()
		}
		g.add(c, r)
	}
	return nil
}

// removed are the rules that a call removed: by what they permit, which newer
// answers tell, and by their IDs. What the answer says was not there is not among
// them.
func (c call) removed() (rules []securitygroup.Rule, ids []string) {
	for _, t := range c.response.list("revokedSecurityGroupRuleSet") {
		rules = append(rules, answered(t, c.Account))
	}
	if len(rules) > 0 {
		return rules, nil
	}
	not := permissions(tree{"ipPermissions": c.response.get("unknownIpPermissionSet")}, c.Account)
	rules = slices.DeleteFunc(permissions(c.request, c.Account), func(r securitygroup.Rule) bool { return slices.ContainsFunc(not, r.SamePermission) })
	return rules, c.request.texts("securityGroupRuleIds", "securityGroupRuleId")
}

// revoke removes rules by their IDs or by what they permit.
func (g *group) revoke(c call) error {
	rules, ids := c.removed()
	if len(ids)+len(rules) == 0 && len(c.response.list("unknownIpPermissionSet")) == 0 {
		g.doubt("an event at " + c.Time.Format(time.RFC3339) + " removes a rule and does not tell which")
		return c.lost("it does not tell which rule it removed")
	}
	for _, id := range ids {
		if r := g.ruleOf(id); r != nil {
			rules = append(rules, *r)
			continue
		}
		g.foreign(c)
	}
	for _, r := range rules {
		if !slices.ContainsFunc(*g.list(c), r.SamePermission) {
			g.foreign(c)
		}
		g.remove(c, r)
	}
	return nil
}

// foreign notes the removal of a rule that no event added.
func (g *group) foreign(c call) {
	if g.born && c.direction() != "out " {
		// No control goes by outbound rules, and the first one has no told ID.
		g.doubt("an event at " + c.Time.Format(time.RFC3339) + " removes a rule that no event added")
	}
}

// modified are the rules of a ModifySecurityGroupRules as they are afterwards.
func (c call) modified() []securitygroup.Rule {
	var out []securitygroup.Rule
	for _, t := range c.request.list("SecurityGroupRule") {
		in := t.object("SecurityGroupRule")
		r := answered(tree{
			"ipProtocol": in.get("IpProtocol"), "fromPort": in.get("FromPort"), "toPort": in.get("ToPort"), "cidrIpv4": in.get("CidrIpv4"),
			"cidrIpv6": in.get("CidrIpv6"), "prefixListId": in.get("PrefixListId"), "description": in.get("Description"),
			"referencedGroupInfo": map[string]any{"groupId": in.get("ReferencedGroupId")},
		}, c.Account)
		r.ID = t.text("SecurityGroupRuleId")
		out = append(out, r)
	}
	return out
}

// modify replaces rules by their IDs. One that no event added can be a rule of
// either direction: it is not judged.
func (g *group) modify(c call) error {
	rules := c.modified()
	if len(rules) == 0 {
		g.doubt("an event at " + c.Time.Format(time.RFC3339) + " changes a rule and does not tell which")
		return c.lost("it does not tell which rule it changed")
	}
	var err error
	for _, r := range rules {
		old := g.ruleOf(r.ID)
		if old == nil || r.ID == "" {
			g.doubt("an event at " + c.Time.Format(time.RFC3339) + " changes a rule that no event added")
			err = c.lost("it changes a rule that no event added")
			continue
		}
		g.settle("in " + old.Line())
		g.settle("in " + r.Line())
		if !g.born && slices.ContainsFunc(g.config.Ingress, func(o securitygroup.Rule) bool { return o.ID == r.ID }) {
			g.missingIn = append(slices.DeleteFunc(g.missingIn, r.SamePermission), *old)
		}
		r.Tags = old.Tags
		*old = r
	}
	return err
}

// tagGroups follows the tags of groups; those of rules and of others decide
// nothing here.
func (s *State) tagGroups(c call) error {
	ids, tags := c.request.texts("resourcesSet", "resourceId"), c.request.list("tagSet")
	if len(ids) == 0 || len(tags) == 0 && c.Name == "CreateTags" {
		return c.lost("it does not tell what it tagged")
	}
	for _, id := range ids {
		if len(id) < 3 || id[:3] != "sg-" {
			continue
		}
		g := s.groupOf(c, id)
		if g.config.Tags == nil || len(tags) == 0 { // DeleteTags without tags deletes all
			g.config.Tags = map[string]string{}
		}
		for _, t := range tags {
			key, value := t.text("key"), t.text("value")
			g.settle("tag " + key)
			if c.Name == "CreateTags" {
				g.config.Tags[key] = value
			} else if t.get("value") == nil || g.config.Tags[key] == value {
				delete(g.config.Tags, key)
			}
		}
	}
	return nil
}
