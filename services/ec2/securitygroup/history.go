package securitygroup

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/resource"
)

// history is what groups were set to.
type history struct {
	groups map[resource.Place]*past
	made   int             // rule IDs that no call reported
	coming map[string]bool // IDs of rules that a call of this second adds
}

var _ resource.History = (*history)(nil)

// History returns an empty history of security groups.
func History() resource.History { return newHistory() }

func newHistory() *history { return &history{groups: map[resource.Place]*past{}} }

// past is a security group as far as calls reported it.
type past struct {
	resource.Origin
	region string
	config Group
	// missingIn and missingOut are rules that are known not to exist, of a group
	// that no call created.
	missingIn, missingOut []Rule
}

// call is a recorded call to EC2.
type call struct{ cloudtrail.Call }

// list are the rules that a call is about.
func (g *past) list(c call) *[]Rule {
	if c.direction() == outboundMark {
		return &g.config.Egress
	}
	return &g.config.Ingress
}

// missing are the rules of the call's direction that are known not to exist.
func (g *past) missing(c call) *[]Rule {
	if c.direction() == outboundMark {
		return &g.missingOut
	}
	return &g.missingIn
}

// add notes a rule of a call as there.
func (g *past) add(c call, r Rule) {
	g.Settle(c.direction() + r.Line())
	*g.missing(c) = slices.DeleteFunc(*g.missing(c), r.SamePermission)
	if list := g.list(c); !slices.ContainsFunc(*list, r.SamePermission) {
		*list = append(*list, r)
	}
}

// remove notes a rule of a call as not there.
func (g *past) remove(c call, r Rule) {
	g.Settle(c.direction() + r.Line())
	*g.list(c) = slices.DeleteFunc(*g.list(c), r.SamePermission)
	if missing := g.missing(c); !g.Created && !slices.ContainsFunc(*missing, r.SamePermission) {
		*missing = append(*missing, r)
	}
}

// Read implements resource.History.
func (h *history) Read(_ context.Context, scope dera.Scope, _ resource.Near) (found []dera.Resource, missing []string) {
	for at, g := range resource.Within(h.groups, scope) {
		switch {
		case g.region != scope.Region:
		case g.Deleted:
			missing = append(missing, at.ID)
		default:
			c := g.config
			c.Ingress, c.Egress, c.Tags = slices.Clone(c.Ingress), slices.Clone(c.Egress), maps.Clone(c.Tags)
			found = append(found, dera.Resource{
				ARN:    dera.NewARN(scope.Partition, "ec2", g.region, c.Owner, "security-group/"+c.ID),
				Region: g.region, ID: c.ID, Name: c.Name, Tags: c.Tags, Config: &c,
			})
		}
	}
	return found, missing
}

// Origin implements resource.History.
func (h *history) Origin(config any) (*resource.Origin, []string) {
	if c, ok := config.(*Group); ok {
		if g := h.groups[resource.Place{Account: c.Owner, ID: c.ID}]; g != nil {
			return &g.Origin, nil
		}
	}
	return nil, nil
}

// groupOf returns the group with the ID, and makes a partly known one of what no
// call reported before.
func (h *history) groupOf(c call, id string) *past {
	at := resource.Place{Account: c.Account, ID: id}
	g := h.groups[at]
	if g == nil || g.Deleted {
		g = &past{Origin: resource.Origin{Since: c.Time}, region: c.Region, config: Group{ID: id, Owner: c.Account, Network: &VPC{InterfacesUnread: true}}}
		h.groups[at] = g
	}
	return g
}

// named returns the group that a call is about: by its ID in the request or in
// the answer, else by its name, as calls in a default VPC may do.
func (h *history) named(c call) *past {
	if id := h.groupID(c); id != "" {
		return h.groupOf(c, id)
	}
	return nil
}

// groupID is the ID of that group, or "".
func (h *history) groupID(c call) string {
	id := c.Parameters.Value("groupId")
	for _, set := range []string{"securityGroupRuleSet", "revokedSecurityGroupRuleSet"} {
		for _, rule := range c.Answer.List(set) {
			if id == "" {
				id = rule.Value("groupId")
			}
		}
	}
	if id == "" {
		id = c.Answer.Value("groupId")
	}
	if id != "" {
		return id
	}
	for at, g := range h.groups {
		if name := c.Parameters.Value("groupName"); at.Account == c.Account && g.region == c.Region && !g.Deleted && name != "" && g.config.Name == name {
			if id != "" {
				return "" // of two VPCs
			}
			id = at.ID
		}
	}
	return id
}

// learn takes from a refused call what it reports of a group that no call created:
// that the rule was there already, or was not there.
func (h *history) learn(c call) {
	rules, _ := c.rules()
	if len(rules) != 1 {
		return
	}
	r, g := rules[0], h.groups[resource.Place{Account: c.Account, ID: h.groupID(c)}]
	switch known := g != nil && (g.Created || g.Deleted); {
	case known:
	case strings.HasPrefix(c.Name, "Authorize") && strings.HasSuffix(c.ErrorCode, duplicate):
		if g = h.named(c); g != nil && !slices.ContainsFunc(*g.missing(c), r.SamePermission) {
			r.ID = h.ruleID()
			g.add(c, r)
		}
	case strings.HasPrefix(c.Name, "Revoke") && strings.HasSuffix(c.ErrorCode, notFound) && g != nil && !slices.ContainsFunc(*g.list(c), r.SamePermission):
		g.remove(c, r)
	}
}

// Apply implements resource.History.
func (h *history) Apply(of cloudtrail.Call) error {
	c := call{of}
	switch {
	case c.Source != ec2:
		return nil
	case c.Failed():
		h.learn(c)
		return nil
	}
	switch c.Name {
	case "CreateSecurityGroup":
		return h.create(c)
	case "CreateTags", "DeleteTags":
		return h.tag(c)
	case "DeleteSecurityGroup", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", "RevokeSecurityGroupIngress",
		"RevokeSecurityGroupEgress", "ModifySecurityGroupRules":
	default:
		return nil
	}
	g := h.named(c)
	if g == nil {
		return c.Lost("it does not say which group it changed")
	}
	switch c.Name {
	case "DeleteSecurityGroup":
		g.Deleted = true
		return nil
	case "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress":
		return h.authorize(c, g)
	case "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress":
		return g.revoke(c)
	}
	return g.modify(c)
}

// create begins a group that is wholly known: it allows nothing and
// everything out (EC2 user guide, "Security groups").
func (h *history) create(c call) error {
	id := c.Answer.Value("groupId")
	if id == "" {
		return c.Lost("the answer does not say the new group's ID")
	}
	g := h.groupOf(c, id)
	g.Created, g.region = true, c.Region
	g.config.Name, g.config.Description = c.Parameters.Value("groupName"), c.Parameters.Value("groupDescription", "description")
	g.config.VPC = c.Parameters.Value("vpcId")
	g.config.Egress = []Rule{{ID: h.ruleID(), Protocol: "-1", From: -1, To: -1, CIDR: netip.PrefixFrom(netip.IPv4Unspecified(), 0)}}
	g.config.Ingress, g.config.Tags = nil, map[string]string{}
	if c.Parameters.Value("groupName") == "" {
		g.Doubt("", "the event that created it does not say its name and tags")
		return c.Lost("it does not say the new group's name and tags")
	}
	for _, spec := range c.Parameters.List("tagSpecificationSet") {
		for _, t := range append(spec.List("tags"), spec.List("tag")...) {
			g.config.Tags[t.Value("key")] = t.Value("value")
		}
	}
	return nil
}

// ruleID stands for the ID of a rule that no call reports.
func (h *history) ruleID() string {
	h.made++
	return unknownRule + strconv.Itoa(h.made)
}

const unknownRule = "unknown-"
