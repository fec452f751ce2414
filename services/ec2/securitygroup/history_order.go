package securitygroup

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"dera.example/dera/cloudtrail"
	"dera.example/dera/resource"
)

// The parts of a group are a rule of a direction by its line, "#ID" for a rule by
// its ID, and "tag KEY".
const (
	inboundMark  = "in "
	outboundMark = "out "
	byID         = "#"
	anyRule      = "?" // with the ID of a rule of which nothing else is known
	ofTag        = "tag "
)

// Turn implements resource.History: a group is created before anything happens to
// it, and deleted last.
func (h *history) Turn(c cloudtrail.Call, _ []cloudtrail.Call) resource.Turn {
	switch {
	case c.Source != ec2:
	case c.Name == "CreateSecurityGroup":
		return resource.TurnFirst
	case c.Name == "DeleteSecurityGroup":
		return resource.TurnLast
	case strings.HasPrefix(c.Name, "Revoke"):
		return resource.TurnEarly
	case strings.HasPrefix(c.Name, "Modify"):
		return resource.TurnLate
	}
	return resource.TurnAny
}

// Touches implements resource.History.
func (h *history) Touches(of cloudtrail.Call) (out []resource.Mark) {
	c := call{of}
	if c.Source != ec2 {
		return nil
	}
	if c.Name == "CreateTags" || c.Name == "DeleteTags" {
		for _, id := range c.Parameters.Texts("resourcesSet", "resourceId") {
			for _, t := range c.Parameters.List("tagSet") {
				out = append(out, resource.Mark{Place: resource.Place{Account: c.Account, ID: id}, Part: ofTag + t.Value("key")})
			}
		}
		return out
	}
	id := h.groupID(c)
	if id == "" {
		return nil
	}
	at := resource.Place{Account: c.Account, ID: id}
	rules, ids := c.rules()
	g := h.groups[at]
	for _, r := range rules {
		out = append(out, resource.Mark{Place: at, Part: c.direction() + r.Line()})
	}
	for _, ruleID := range ids {
		out = append(out, resource.Mark{Place: at, Part: byID + ruleID, Adds: strings.HasPrefix(c.Name, "Authorize")})
		switch known := g.ruleOf(ruleID); {
		case known != nil:
			out = append(out, resource.Mark{Place: at, Part: inboundMark + known.Line()})
		case len(rules) == 0 || strings.HasPrefix(c.Name, "Modify"):
			out = append(out, resource.Mark{Place: at, Part: anyRule + ruleID, Unless: byID + ruleID})
		}
	}
	return out
}

// direction tells inboundMark rules from outboundMark ones.
func (c call) direction() string {
	if strings.HasSuffix(c.Name, "Egress") {
		return outboundMark
	}
	return inboundMark
}

// rules are those that a call names, and IDs of rules.
func (c call) rules() (rules []Rule, ids []string) {
	switch c.Name {
	case "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress":
		rules = c.added()
	case "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress":
		return c.removed()
	case "ModifySecurityGroupRules":
		for _, m := range c.modified() {
			rules, ids = append(rules, m), append(ids, m.ID)
		}
		return rules, ids
	}
	for _, r := range rules {
		if r.ID != "" {
			ids = append(ids, r.ID)
		}
	}
	return rules, ids
}

func (g *past) ruleOf(id string) *Rule {
	if g == nil {
		return nil
	}
	for _, list := range [][]Rule{g.config.Ingress, g.config.Egress} {
		if i := slices.IndexFunc(list, func(r Rule) bool { return r.ID == id }); i >= 0 {
			return &list[i]
		}
	}
	return nil
}

// Doubt implements resource.History. No control goes by outboundMark rules.
func (h *history) Doubt(m resource.Mark, why string) {
	if g := h.groups[m.Place]; g != nil && (m.Part == "" || strings.HasPrefix(m.Part, inboundMark) || strings.HasPrefix(m.Part, ofTag)) {
		g.Origin.Doubt(m.Part, why)
	}
}

// Possible implements resource.History.
func (h *history) Possible(of cloudtrail.Call) bool {
	c := call{of}
	g := h.groups[resource.Place{Account: c.Account, ID: h.groupID(c)}]
	if g == nil || c.Source != ec2 {
		return true
	}
	if g.Deleted {
		return false
	}
	rules, ids := c.rules()
	here := func(r Rule) bool { return slices.ContainsFunc(*g.list(c), r.SamePermission) }
	mayBeHere := func(r Rule) bool {
		return here(r) || !g.Created && !slices.ContainsFunc(*g.missing(c), r.SamePermission)
	}
	switch {
	case strings.HasPrefix(c.Name, "Authorize") && c.Failed(): // one of them was there
		return slices.ContainsFunc(rules, mayBeHere)
	case strings.HasPrefix(c.Name, "Authorize"):
		return !slices.ContainsFunc(rules, here)
	case strings.HasPrefix(c.Name, "Revoke") && c.Failed(): // one of them was not there
		return len(rules) == 0 || slices.ContainsFunc(rules, func(r Rule) bool { return !here(r) })
	case strings.HasPrefix(c.Name, "Revoke"), strings.HasPrefix(c.Name, "Modify"):
		if strings.HasPrefix(c.Name, "Revoke") && slices.ContainsFunc(rules, func(r Rule) bool { return !mayBeHere(r) }) {
			return false
		}
		if strings.HasPrefix(c.Name, "Modify") && g.holds(rules, ids) {
			return false
		}
		return !slices.ContainsFunc(ids, func(id string) bool {
			return g.ruleOf(id) == nil && (h.coming[id] || g.Created && !g.unnamed())
		})
	}
	return true
}

// holds reports whether beside the rules with the IDs the group has one that permits
// what one of them is to permit: AWS refuses to make two of one.
func (g *past) holds(rules []Rule, ids []string) bool {
	for _, list := range [][]Rule{g.config.Ingress, g.config.Egress} {
		for _, r := range rules {
			if slices.ContainsFunc(list, func(o Rule) bool { return o.ID == r.ID }) &&
				slices.ContainsFunc(list, func(o Rule) bool { return r.SamePermission(o) && !slices.Contains(ids, o.ID) }) {
				return true
			}
		}
	}
	return false
}

// unnamed reports whether the group has rules whose IDs no event reported.
func (g *past) unnamed() bool {
	return slices.ContainsFunc(slices.Concat(g.config.Ingress, g.config.Egress), func(r Rule) bool { return strings.HasPrefix(r.ID, unknownRule) })
}

// Copy implements resource.History.
func (h *history) Copy(of []resource.Mark) resource.History {
	out := newHistory()
	out.made, out.coming = h.made, map[string]bool{}
	for _, m := range of {
		if id, ok := strings.CutPrefix(m.Part, byID); ok && m.Adds {
			out.coming[id] = true
		}
		g := h.groups[m.Place]
		if g == nil || out.groups[m.Place] != nil {
			continue
		}
		c := *g
		c.Origin, c.missingIn, c.missingOut = g.Origin.Copy(), slices.Clone(g.missingIn), slices.Clone(g.missingOut)
		c.config.Ingress, c.config.Egress, c.config.Tags = slices.Clone(g.config.Ingress), slices.Clone(g.config.Egress), maps.Clone(g.config.Tags)
		out.groups[m.Place] = &c
	}
	return out
}

// Text implements resource.History.
func (h *history) Text() string {
	var lines []string
	for at, g := range h.groups {
		var rules []string
		for _, r := range g.config.Ingress {
			rules = append(rules, r.Line())
		}
		for _, r := range g.missingIn {
			rules = append(rules, "not "+r.Line())
		}
		slices.Sort(rules)
		lines = append(lines, fmt.Sprint(at, g.Deleted, g.Created, rules, g.config.Tags))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// Exposure implements resource.History.
func (h *history) Exposure() (n int) {
	for _, g := range h.groups {
		if g.Deleted {
			continue
		}
		n += 10_000
		for _, r := range g.config.Ingress {
			n += 33
			if r.CIDR.IsValid() {
				n += 32 - r.CIDR.Bits()*32/r.CIDR.Addr().BitLen()
			}
		}
	}
	return n
}
