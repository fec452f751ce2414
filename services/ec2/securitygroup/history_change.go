package securitygroup

import (
	"slices"
	"time"

	"dera.example/dera/cloudtrail"
)

// added are the rules that a call added: those of the answer, which have IDs, else
// those of the request.
func (c call) added() []Rule {
	var rules []Rule
	for _, t := range c.Answer.List("securityGroupRuleSet") {
		rules = append(rules, answered(t, c.Account))
	}
	if len(rules) == 0 {
		rules = permissions(c.Parameters, c.Account)
	}
	return rules
}

func (h *history) authorize(c call, g *past) error {
	rules := c.added()
	if len(rules) == 0 {
		g.Doubt("", "an event at "+c.Time.Format(time.RFC3339)+" adds a rule and does not say which")
		return c.Lost("it does not say which rule it added")
	}
	for _, r := range rules {
		if r.ID == "" {
			r.ID = h.ruleID()
		}
		g.add(c, r)
	}
	return nil
}

// removed are the rules that a call removed: by what they permit, which newer
// answers tell, and by their IDs. What the answer says was not there is not among
// them.
func (c call) removed() (rules []Rule, ids []string) {
	for _, t := range c.Answer.List("revokedSecurityGroupRuleSet") {
		rules = append(rules, answered(t, c.Account))
	}
	if len(rules) > 0 {
		return rules, nil
	}
	not := permissions(cloudtrail.Tree{"ipPermissions": c.Answer.Get("unknownIpPermissionSet")}, c.Account)
	rules = slices.DeleteFunc(permissions(c.Parameters, c.Account), func(r Rule) bool { return slices.ContainsFunc(not, r.SamePermission) })
	return rules, c.Parameters.Texts("securityGroupRuleIds", "securityGroupRuleId")
}

// revoke removes rules by their IDs or by what they permit.
func (g *past) revoke(c call) error {
	rules, ids := c.removed()
	if len(ids)+len(rules) == 0 && len(c.Answer.List("unknownIpPermissionSet")) == 0 {
		g.Doubt("", "an event at "+c.Time.Format(time.RFC3339)+" removes a rule and does not say which")
		return c.Lost("it does not say which rule it removed")
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
func (g *past) foreign(c call) {
	if g.Created && c.direction() != outboundMark {
		// No control goes by outboundMark rules, and the first one has no told ID.
		g.Doubt("", "an event at "+c.Time.Format(time.RFC3339)+" removes a rule that no event added")
	}
}

// modified are the rules of a ModifySecurityGroupRules as they are afterwards.
func (c call) modified() []Rule {
	var out []Rule
	for _, t := range c.Parameters.List("SecurityGroupRule") {
		in := t.Object("SecurityGroupRule")
		r := answered(cloudtrail.Tree{
			"ipProtocol": in.Get("IpProtocol"), "fromPort": in.Get("FromPort"), "toPort": in.Get("ToPort"), "cidrIpv4": in.Get("CidrIpv4"),
			"cidrIpv6": in.Get("CidrIpv6"), "prefixListId": in.Get("PrefixListId"), "description": in.Get("Description"),
			"referencedGroupInfo": map[string]any{"groupId": in.Get("ReferencedGroupId")},
		}, c.Account)
		r.ID = t.Value("SecurityGroupRuleId")
		out = append(out, r)
	}
	return out
}

// modify replaces rules by their IDs. One that no event added can be a rule of
// either direction: it is not judged.
func (g *past) modify(c call) error {
	rules := c.modified()
	if len(rules) == 0 {
		g.Doubt("", "an event at "+c.Time.Format(time.RFC3339)+" changes a rule and does not say which")
		return c.Lost("it does not say which rule it changed")
	}
	var err error
	for _, r := range rules {
		old := g.ruleOf(r.ID)
		if old == nil || r.ID == "" {
			g.Doubt("", "an event at "+c.Time.Format(time.RFC3339)+" changes a rule that no event added")
			err = c.Lost("it changes a rule that no event added")
			continue
		}
		g.Settle(inboundMark + old.Line())
		g.Settle(inboundMark + r.Line())
		if !g.Created && slices.ContainsFunc(g.config.Ingress, func(o Rule) bool { return o.ID == r.ID }) {
			g.missingIn = append(slices.DeleteFunc(g.missingIn, r.SamePermission), *old)
		}
		r.Tags = old.Tags
		*old = r
	}
	return err
}

// tag follows the tags of groups; those of rules and of others decide
// nothing here.
func (h *history) tag(c call) error {
	ids, tags := c.Parameters.Texts("resourcesSet", "resourceId"), c.Parameters.List("tagSet")
	if len(ids) == 0 || len(tags) == 0 && c.Name == "CreateTags" {
		return c.Lost("it does not say what it tagged")
	}
	for _, id := range ids {
		if len(id) < 3 || id[:3] != "sg-" {
			continue
		}
		g := h.groupOf(c, id)
		if g.config.Tags == nil || len(tags) == 0 { // DeleteTags without tags deletes all
			g.config.Tags = map[string]string{}
		}
		for _, t := range tags {
			key, value := t.Value("key"), t.Value("value")
			g.Settle("tag " + key)
			if c.Name == "CreateTags" {
				g.config.Tags[key] = value
			} else if t.Get("value") == nil || g.config.Tags[key] == value {
				delete(g.config.Tags, key)
			}
		}
	}
	return nil
}
