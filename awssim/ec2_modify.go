package awssim

// modifySecurityGroupRules replaces what the rules say and keeps their identifiers and tags. The kind of a rule's other
// side cannot change; an omitted description is removed.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySecurityGroupRules.html
func modifySecurityGroupRules(k *call) (any, error) {
	g, err := k.target()
	if err != nil {
		return nil, err
	}
	updates := k.p.list("SecurityGroupRule")
	if len(updates) == 0 {
		return nil, missing("SecurityGroupRule")
	}
	changed := g.edit()
	for _, u := range updates {
		i := changed.findID(u.text("SecurityGroupRuleId"))
		if i < 0 {
			return nil, unknownRule(u.text("SecurityGroupRuleId"))
		}
		old := changed.rules[i]
		rule, err := k.readUpdate(g, u.get("SecurityGroupRule"), old)
		if err != nil {
			return nil, err
		}
		if other := changed.find(rule.key()); other >= 0 && other != i {
			return nil, errorf(400, "InvalidPermission.Duplicate", "the specified rule %q already exists", rule.describe())
		}
		rule.ID, rule.Tags = old.ID, old.Tags
		changed.rules[i] = rule
		if err := k.checkQuota(changed, rule.Egress); err != nil {
			return nil, err
		}
	}
	k.state.groups.put(g.id, changed)
	return done{}, nil
}

// readUpdate reads a SecurityGroupRuleRequest as the one rule of a permission.
func (k *call) readUpdate(home *group, p *parameters, old *Rule) (*Rule, error) {
	if p == nil {
		return nil, missing("SecurityGroupRule")
	}
	kids := map[string]*parameters{}
	for _, name := range []string{"IpProtocol", "FromPort", "ToPort"} {
		if p.has(name) {
			kids[name] = p.get(name)
		}
	}
	for _, s := range [...]struct{ from, list, field string }{
		{"CidrIpv4", "IpRanges", "CidrIp"}, {"CidrIpv6", "Ipv6Ranges", "CidrIpv6"},
		{"PrefixListId", "PrefixListIds", "PrefixListId"}, {"ReferencedGroupId", "Groups", "GroupId"},
	} {
		if p.has(s.from) {
			member := &parameters{kids: map[string]*parameters{s.field: p.get(s.from)}}
			if d := p.get("Description"); d != nil {
				member.kids["Description"] = d
			}
			kids[s.list] = &parameters{kids: map[string]*parameters{"1": member}}
		}
	}
	rules, err := readPermission(k, home, &parameters{kids: kids}, old.Egress)
	if err != nil {
		return nil, err
	}
	if len(rules) != 1 {
		return nil, errorf(400, "InvalidParameterCombination", "Only one of cidrIpv4, cidrIpv6, prefixListId, or referencedGroupId can be specified")
	}
	if r := rules[0]; (r.Group == "") != (old.Group == "") || (r.PrefixList == "") != (old.PrefixList == "") || r.isIPv6() != old.isIPv6() {
		return nil, invalid("The source type of the security group rule '%s' cannot be changed", old.ID)
	}
	return rules[0], nil
}

func updateDescriptionsIngress(k *call) (any, error) { return updateDescriptions(k, false) }
func updateDescriptionsEgress(k *call) (any, error)  { return updateDescriptions(k, true) }

// updateDescriptions replaces the descriptions of rules named by identifier or by their properties; one that is omitted
// is removed.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_UpdateSecurityGroupRuleDescriptionsIngress.html
func updateDescriptions(k *call, egress bool) (any, error) {
	g, err := k.target()
	if err != nil {
		return nil, err
	}
	byID := k.p.list("SecurityGroupRuleDescription")
	rules, err := readPermissions(k, g, egress)
	if err != nil {
		return nil, err
	}
	if len(byID) == 0 && len(rules) == 0 {
		return nil, missing("ipPermissions or securityGroupRuleDescriptions")
	}
	changed := g.edit()
	describe := func(i int, text string) error {
		r := changed.rules[i].clone()
		r.Description = text
		changed.rules[i] = r
		return checkDescription(text)
	}
	for _, d := range byID {
		i := changed.findID(d.text("SecurityGroupRuleId"))
		if i < 0 || changed.rules[i].Egress != egress {
			return nil, unknownRule(d.text("SecurityGroupRuleId"))
		}
		if err := describe(i, d.text("Description")); err != nil {
			return nil, err
		}
	}
	for _, r := range rules {
		i := changed.find(r.key())
		if i < 0 {
			return nil, errorf(400, "InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
		}
		if err := describe(i, r.Description); err != nil {
			return nil, err
		}
	}
	k.state.groups.put(g.id, changed)
	return done{}, nil
}
