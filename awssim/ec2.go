package awssim

import "strings"

// newEC2 returns the EC2 operations, by name. How each shows its request in CloudTrail stands beside it.
func newEC2() service {
	ops := map[string]operation{
		"DescribeRegions": {run: describeRegions, request: trail("RegionName", "regionSet", "regionName")},
		"DescribeVpcs":    {run: describeVPCs, request: trail("VpcId", "vpcSet", "vpcId")},
		"CreateVpc":       {run: createVPC, request: trail()},

		"DescribeSecurityGroups": {run: describeSecurityGroups, request: trail("GroupId", "securityGroupIdSet", "groupId", "GroupName", "securityGroupSet", "groupName")},
		"CreateSecurityGroup":    {run: createSecurityGroup, request: trail(), resources: onNew("security-group")},
		"DeleteSecurityGroup":    {run: deleteSecurityGroup, request: trail(), resources: onGroup},

		"DescribeSecurityGroupRules":                 {run: describeSecurityGroupRules, wrapped: true},
		"AuthorizeSecurityGroupIngress":              {run: authorizeIngress, request: trail(), resources: onGroup},
		"AuthorizeSecurityGroupEgress":               {run: authorizeEgress, request: trail(), resources: onGroup},
		"RevokeSecurityGroupIngress":                 {run: revokeIngress, request: trail("SecurityGroupRuleId", "securityGroupRuleIds", "securityGroupRuleId"), resources: onGroup},
		"RevokeSecurityGroupEgress":                  {run: revokeEgress, request: trail("SecurityGroupRuleId", "securityGroupRuleIds", "securityGroupRuleId"), resources: onGroup},
		"ModifySecurityGroupRules":                   {run: modifySecurityGroupRules, wrapped: true, resources: onGroup},
		"UpdateSecurityGroupRuleDescriptionsIngress": {run: updateDescriptionsIngress, wrapped: true, resources: onGroup},
		"UpdateSecurityGroupRuleDescriptionsEgress":  {run: updateDescriptionsEgress, wrapped: true, resources: onGroup},

		"CreateTags":   {run: createTags, request: trail("ResourceId", "resourcesSet", "resourceId", "Tag", "tagSet", ""), resources: onResources},
		"DeleteTags":   {run: deleteTags, request: trail("ResourceId", "resourcesSet", "resourceId", "Tag", "tagSet", ""), resources: onResources},
		"DescribeTags": {run: describeTags, request: trail()},

		"DescribeNetworkInterfaces": {run: describeNetworkInterfaces, request: trail("NetworkInterfaceId", "networkInterfaceIdSet", "networkInterfaceId")},

		"CreateManagedPrefixList":     {run: createPrefixList, wrapped: true, resources: onNew("prefix-list")},
		"ModifyManagedPrefixList":     {run: modifyPrefixList, wrapped: true, resources: onPrefixList},
		"DeleteManagedPrefixList":     {run: deletePrefixList, wrapped: true, resources: onPrefixList},
		"DescribeManagedPrefixLists":  {run: describePrefixLists, wrapped: true},
		"GetManagedPrefixListEntries": {run: getPrefixListEntries, wrapped: true},
	}
	for name, op := range ops {
		op.readOnly = strings.HasPrefix(name, "Describe") || strings.HasPrefix(name, "Get")
		if op.wrapped {
			op.request = trailWrapped
		}
		ops[name] = op
	}
	return service{protocol: ec2Protocol{}, operations: ops}
}

// arn returns the ARN of a resource in the call's account and Region.
func (k *call) arn(kind, id string) string {
	return "arn:aws:ec2:" + k.Region + ":" + k.Account + ":" + kind + "/" + id
}

// onNew is the resource of a call that creates one: its identifier does not exist yet.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
func onNew(kind string) func(*call) []string {
	return func(k *call) []string { return []string{k.arn(kind, "*")} }
}

func onGroup(k *call) []string {
	id := k.p.text("GroupId")
	if id == "" {
		id = "*" // by name, in the default VPC
	}
	return []string{k.arn("security-group", id)}
}

func onPrefixList(k *call) []string {
	return []string{k.arn("prefix-list", k.p.text("PrefixListId"))}
}

func onResources(k *call) []string {
	var arns []string
	for _, id := range k.p.texts("ResourceId") {
		arns = append(arns, k.arn(resourceType(id), id))
	}
	return arns
}

// resourceType tells from an identifier which type of resource it names, in the words of tags and ARNs.
func resourceType(id string) string {
	prefix, _, _ := strings.Cut(id, "-")
	switch prefix {
	case "sg":
		return "security-group"
	case "sgr":
		return "security-group-rule"
	case "vpc":
		return "vpc"
	case "eni":
		return "network-interface"
	case "pl":
		return "prefix-list"
	default:
		return ""
	}
}

// done is the answer of a call that only says that it was done.
type done struct{}

func (done) write(e *encoder) { writeReturn(e) }

// writeReturn writes return=true, which the older shape of CloudTrail shows as _return.
func writeReturn(e *encoder) {
	if e.json && !e.wrapped {
		e.flag("_return", true)
		return
	}
	e.flag("return", true)
}
