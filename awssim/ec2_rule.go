package awssim

import (
	"slices"
	"strconv"
	"strings"
)

type rulePage struct {
	rules []ruleOf
	token string
}

// ruleOf is a rule as the API shows it: with its group.
type ruleOf struct {
	*Rule
	group *group
	arn   string
}

// maxRulesOfGroup bounds a rule's index in its group, in page tokens.
const maxRulesOfGroup = 1 << 12

func describeSecurityGroupRules(k *call) (any, error) {
	ids := k.p.texts("SecurityGroupRuleId")
	match, err := filters(k.p, "group-id", "security-group-rule-id", "tag:*", "tag-key")
	if err != nil {
		return nil, err
	}
	w, err := readWindow(k)
	if err != nil {
		return nil, err
	}
	var found []ruleOf
	for number, g := range k.state.groups.from(w.start/maxRulesOfGroup, k.view()) {
		for i, r := range g.rules {
			position := number*maxRulesOfGroup + i
			if position < w.start || !wanted(ids, r.ID) || !match.text("group-id", g.id) || !match.text("security-group-rule-id", r.ID) || !match.tags(r.Tags) {
				continue
			}
			if w.size > 0 && len(found) == w.size {
				found, token, err := cut(k, found, strconv.Itoa(position))
				return rulePage{found, token}, err
			}
			found = append(found, k.ruleOf(g, r))
		}
	}
	for _, id := range ids {
		if !slices.ContainsFunc(found, func(r ruleOf) bool { return r.ID == id }) && len(match) == 0 && w.start == 0 {
			return nil, unknownRule(id)
		}
	}
	found, token, err := cut(k, found, "")
	return rulePage{found, token}, err
}

func (k *call) ruleOf(g *group, r *Rule) ruleOf {
	return ruleOf{r, g, k.arn("security-group-rule", r.ID)}
}

func unknownRule(id string) *Error {
	if !strings.HasPrefix(id, "sgr-") {
		return errorf(400, "InvalidSecurityGroupRuleId.Malformed", "The security group rule ID '%s' is malformed", id)
	}
	return errorf(400, "InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%s' does not exist", id)
}

func (a rulePage) write(e *encoder) {
	writeRules(e, a.rules)
	e.optional("nextToken", a.token)
}

func writeRules(e *encoder, rules []ruleOf) {
	e.beginList("securityGroupRuleSet")
	for _, r := range rules {
		e.item()
		r.write(e)
		e.endItem()
	}
	e.endList("securityGroupRuleSet")
}

func (r ruleOf) write(e *encoder) {
	r.writeCore(e)
	e.text("groupOwnerId", r.group.account)
	if r.Group != "" {
		e.begin("referencedGroupInfo")
		e.text("groupId", r.Group)
		e.text("userId", r.GroupOwner)
		e.end("referencedGroupInfo")
	}
	if !e.json {
		e.text("securityGroupRuleArn", r.arn)
	}
	if len(r.Tags) > 0 || !e.json {
		tags(r.Tags).write(e)
	}
}

// writeCore writes what a rule and a revoked rule have in common.
func (r ruleOf) writeCore(e *encoder) {
	e.text("securityGroupRuleId", r.ID)
	e.text("groupId", r.group.id)
	e.flag("isEgress", r.Egress)
	e.text("ipProtocol", r.Protocol)
	e.number("fromPort", r.FromPort)
	e.number("toPort", r.ToPort)
	switch {
	case r.PrefixList != "":
		e.text("prefixListId", r.PrefixList)
	case r.isIPv6():
		e.text("cidrIpv6", r.CIDR)
	case r.CIDR != "":
		e.text("cidrIpv4", r.CIDR)
	}
	e.optional("description", r.Description)
}

func authorizeIngress(k *call) (any, error) { return authorize(k, false) }
func authorizeEgress(k *call) (any, error)  { return authorize(k, true) }

type authorized struct{ rules []ruleOf }

// authorize adds all rules of the request, or none.
func authorize(k *call, egress bool) (any, error) {
	g, err := k.target()
	if err != nil {
		return nil, err
	}
	rules, err := readPermissions(k, g, egress)
	if err != nil {
		return nil, err
	}
	if len(rules) == 0 {
		return nil, missing("ipPermissions")
	}
	tagged, err := tagSpecification(k.p, "security-group-rule")
	if err != nil {
		return nil, err
	}
	changed, answer := g.edit(), authorized{}
	for i, r := range rules {
		switch {
		case slices.ContainsFunc(rules[:i], func(other *Rule) bool { return other.key() == r.key() }):
			return nil, invalid("The same permission must not appear multiple times")
		case g.find(r.key()) >= 0:
			return nil, errorf(400, "InvalidPermission.Duplicate", "the specified rule %q already exists", r.describe())
		}
		r.ID, r.Tags = k.state.ids.resource("sgr"), tagged
		changed.rules = append(changed.rules, r)
		answer.rules = append(answer.rules, k.ruleOf(changed, r))
	}
	if err := k.checkQuota(changed, egress); err != nil {
		return nil, err
	}
	k.state.groups.put(g.id, changed)
	return answer, nil
}

func (a authorized) write(e *encoder) {
	writeReturn(e)
	writeRules(e, a.rules)
}

// describe is a rule as EC2's messages show it.
func (r *Rule) describe() string {
	peer := r.CIDR + r.PrefixList + r.Group
	if !hasPorts(r.Protocol) {
		return "peer: " + peer + ", ALL, ALLOW"
	}
	return "peer: " + peer + ", " + strings.ToUpper(r.Protocol) + ", from port: " + strconv.Itoa(r.FromPort) + ", to port: " + strconv.Itoa(r.ToPort) + ", ALLOW"
}
