package securitygroup

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dera.example/dera/resource"
)

// declare tells a plan on security groups: one resource a rule,
// aws_vpc_security_group_ingress_rule or AWS::EC2::SecurityGroupIngress.
func declare(g, _ *Group, op resource.Operation, as resource.Format) ([]string, error) {
	sign := "+"
	var rule Rule
	switch op.Name {
	case AuthorizeIngress:
		var in AuthorizeIngressInput
		if err := resource.Decode(op, &in); err != nil {
			return nil, err
		}
		rule = in.Rule
	case RevokeIngress:
		var in RevokeIngressInput
		if err := resource.Decode(op, &in); err != nil {
			return nil, err
		}
		sign, rule = "-", g.Ingress[in.find(g.Ingress)]
	default:
		return nil, fmt.Errorf("operation %s cannot be written as code", op.Name)
	}
	if as.Plain {
		rule.Description, rule.Tags = "", nil
	}
	var lines []string
	switch as.Language {
	case resource.Terraform:
		lines = rule.terraform(g.ID)
	case resource.CloudFormation:
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
		return resource.Identifier(r.ID)
	}
	return resource.Identifier(strings.ReplaceAll(r.Line(), "-1", "all"))
}

// terraform is the rule as of version 5 of Terraform's AWS provider.
func (r Rule) terraform(group string) []string {
	fields := [][2]string{{"security_group_id", resource.HCLText(group)}, {"ip_protocol", resource.HCLText(r.Protocol)}}
	if !r.All() && (r.Ported() || r.From >= 0 || strings.HasPrefix(r.Protocol, "icmp")) {
		fields = append(fields, [2]string{"from_port", strconv.Itoa(int(r.From))}, [2]string{"to_port", strconv.Itoa(int(r.To))})
	}
	switch {
	case r.PrefixList != nil:
		fields = append(fields, [2]string{"prefix_list_id", resource.HCLText(r.PrefixList.ID)})
	case r.Group != nil:
		fields = append(fields, [2]string{"referenced_security_group_id", resource.HCLText(r.Source())})
	case r.CIDR.Addr().Is6():
		fields = append(fields, [2]string{"cidr_ipv6", resource.HCLText(r.CIDR.String())})
	default:
		fields = append(fields, [2]string{"cidr_ipv4", resource.HCLText(r.CIDR.String())})
	}
	if r.Description != "" {
		fields = append(fields, [2]string{"description", resource.HCLText(r.Description)})
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
			out = append(out, fmt.Sprintf("    %s = %s", resource.HCLText(k), resource.HCLText(r.Tags[k])))
		}
		out = append(out, "  }")
	}
	return append(out, "}")
}

// cloudFormation is the rule as a resource of a template. Rules have no tags there.
func (r Rule) cloudFormation(group string) []string {
	out := []string{
		resource.LogicalID(r.codeName()) + ":", "  Type: AWS::EC2::SecurityGroupIngress", "  Properties:",
		"    GroupId: " + resource.YAMLText(group), "    IpProtocol: " + resource.YAMLText(r.Protocol),
	}
	add := func(key, value string) { out = append(out, "    "+key+": "+value) }
	if !r.All() && (r.Ported() || r.From >= 0 || strings.HasPrefix(r.Protocol, "icmp")) {
		add("FromPort", strconv.Itoa(int(r.From)))
		add("ToPort", strconv.Itoa(int(r.To)))
	}
	switch {
	case r.PrefixList != nil:
		add("SourcePrefixListId", resource.YAMLText(r.PrefixList.ID))
	case r.Group != nil:
		add("SourceSecurityGroupId", resource.YAMLText(r.Group.ID))
		if r.Group.Owner != "" {
			add("SourceSecurityGroupOwnerId", resource.YAMLText(r.Group.Owner))
		}
	case r.CIDR.Addr().Is6():
		add("CidrIpv6", resource.YAMLText(r.CIDR.String()))
	default:
		add("CidrIp", resource.YAMLText(r.CIDR.String()))
	}
	if r.Description != "" {
		add("Description", resource.YAMLText(r.Description))
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
