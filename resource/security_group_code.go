package resource

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// declareSecurityGroup is Kind.Declare of security groups: one resource a rule,
// aws_vpc_security_group_ingress_rule or AWS::EC2::SecurityGroupIngress.
func declareSecurityGroup(config any, op Operation, as Format) ([]string, error) {
	g, err := securityGroup(config)
	if err != nil {
		return nil, err
	}
	sign := "+"
	var rule Rule
	switch {
	case op.Name == AuthorizeIngress && op.Version == 1:
		var in AuthorizeIngressInput
		if err := g.input(op, &in, &in.GroupID); err != nil {
			return nil, err
		}
		rule = in.Rule
	case op.Name == RevokeIngress && op.Version == 1:
		var in RevokeIngressInput
		if err := g.input(op, &in, &in.GroupID); err != nil {
			return nil, err
		}
		i := in.find(g.Ingress)
		if i < 0 {
			return nil, fmt.Errorf("revoke rule %q: the group has no such rule", in.RuleID)
		}
		sign, rule = "-", g.Ingress[i]
	default:
		return nil, fmt.Errorf("operation %s version %d is not one that security groups know", op.Name, op.Version)
	}
	if as.Plain {
		rule.Description, rule.Tags = "", nil
	}
	var lines []string
	switch as.Language {
	case Terraform:
		lines = rule.terraform(g.ID)
	case CloudFormation:
		lines = rule.cloudFormation(g.ID)
	default:
		return nil, fmt.Errorf("%q is not a language of infrastructure as code that dera writes", as.Language)
	}
	for i := range lines {
		lines[i] = sign + lines[i]
	}
	return lines, nil
}

// codeName is what the rule is called where nobody knows its name in the code.
func (r Rule) codeName() string {
	if r.ID != "" {
		return identifier(r.ID)
	}
	return identifier(strings.ReplaceAll(r.Line(), "-1", "all"))
}

// terraform is the rule as of version 5 of Terraform's AWS provider.
func (r Rule) terraform(group string) []string {
	fields := [][2]string{{"security_group_id", hclText(group)}, {"ip_protocol", hclText(r.Protocol)}}
	if !r.All() && (r.Ported() || r.From >= 0 || strings.HasPrefix(r.Protocol, "icmp")) {
		fields = append(fields, [2]string{"from_port", strconv.Itoa(int(r.From))}, [2]string{"to_port", strconv.Itoa(int(r.To))})
	}
	switch {
	case r.PrefixList != nil:
		fields = append(fields, [2]string{"prefix_list_id", hclText(r.PrefixList.ID)})
	case r.Group != nil:
		fields = append(fields, [2]string{"referenced_security_group_id", hclText(r.Source())})
	case r.CIDR.Addr().Is6():
		fields = append(fields, [2]string{"cidr_ipv6", hclText(r.CIDR.String())})
	default:
		fields = append(fields, [2]string{"cidr_ipv4", hclText(r.CIDR.String())})
	}
	if r.Description != "" {
		fields = append(fields, [2]string{"description", hclText(r.Description)})
	}
	width := 0
	for _, f := range fields {
		width = max(width, len(f[0]))
	}
	out := []string{fmt.Sprintf("resource \"aws_vpc_security_group_ingress_rule\" %q {", r.codeName())}
	for _, f := range fields {
		out = append(out, fmt.Sprintf("  %-*s = %s", width, f[0], f[1]))
	}
	if len(r.Tags) > 0 {
		out = append(out, "  tags = {")
		for _, k := range sortedTags(r.Tags) {
			out = append(out, fmt.Sprintf("    %s = %s", hclText(k), hclText(r.Tags[k])))
		}
		out = append(out, "  }")
	}
	return append(out, "}")
}

// cloudFormation is the rule as a resource of a template. Rules have no tags there.
func (r Rule) cloudFormation(group string) []string {
	out := []string{
		logical(r.codeName()) + ":", "  Type: AWS::EC2::SecurityGroupIngress", "  Properties:",
		"    GroupId: " + yamlText(group), "    IpProtocol: " + yamlText(r.Protocol),
	}
	add := func(key, value string) { out = append(out, "    "+key+": "+value) }
	if !r.All() && (r.Ported() || r.From >= 0 || strings.HasPrefix(r.Protocol, "icmp")) {
		add("FromPort", strconv.Itoa(int(r.From)))
		add("ToPort", strconv.Itoa(int(r.To)))
	}
	switch {
	case r.PrefixList != nil:
		add("SourcePrefixListId", yamlText(r.PrefixList.ID))
	case r.Group != nil:
		add("SourceSecurityGroupId", yamlText(r.Group.ID))
		if r.Group.Owner != "" {
			add("SourceSecurityGroupOwnerId", yamlText(r.Group.Owner))
		}
	case r.CIDR.Addr().Is6():
		add("CidrIpv6", yamlText(r.CIDR.String()))
	default:
		add("CidrIp", yamlText(r.CIDR.String()))
	}
	if r.Description != "" {
		add("Description", yamlText(r.Description))
	}
	return out
}

func sortedTags(tags map[string]string) []string {
	keys := make([]string, 0, len(tags))
	for k := range tags {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
