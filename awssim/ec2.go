package awssim

import "strings"

// newEC2 returns the EC2 operations, by name. Beside each stands how CloudTrail shows its request, what a caller must be
// allowed it on, and the parameters that it accepts; any other is refused.
func newEC2() service {
	ops := map[string]operation{
		"DescribeRegions": {
			run: describeRegions, request: trail("RegionName", "regionSet", "regionName"),
			accepts: "RegionName Filter AllRegions",
		},
		"DescribeVpcs": {
			run: describeVPCs, request: trail("VpcId", "vpcSet", "vpcId"),
			accepts: "VpcId Filter MaxResults NextToken",
		},
		"DescribeRouteTables": {
			run: describeRouteTables, request: trail(),
			accepts: "Filter MaxResults NextToken",
		},
		"DescribeAddresses": {
			run: describeAddresses, request: trail(),
			accepts: "Filter",
		},
		"DescribeInstances": {
			run: describeInstances, request: trail(),
			accepts: "Filter MaxResults NextToken",
		},
		"CreateVpc": {
			run: createVPC, request: trail(),
			accepts: "CidrBlock TagSpecification",
		},

		"DescribeSecurityGroups": {
			run: describeSecurityGroups, request: trail("GroupId", "securityGroupIdSet", "groupId", "GroupName", "securityGroupSet", "groupName"),
			accepts: "GroupId GroupName Filter MaxResults NextToken",
		},
		"CreateSecurityGroup": {
			run: createSecurityGroup, request: trail(), resources: onNew("security-group"),
			accepts: "GroupName GroupDescription VpcId TagSpecification",
		},
		"DeleteSecurityGroup": {
			run: deleteSecurityGroup, request: trail(), resources: onGroup,
			accepts: "GroupId GroupName",
		},

		"DescribeSecurityGroupRules": {
			run: describeSecurityGroupRules, wrapped: true,
			accepts: "SecurityGroupRuleId Filter MaxResults NextToken",
		},
		"AuthorizeSecurityGroupIngress": {
			run: authorizeIngress, request: trail(), resources: onGroup,
			accepts: "GroupId GroupName IpPermissions IpProtocol FromPort ToPort CidrIp SourceSecurityGroupName TagSpecification",
		},
		"AuthorizeSecurityGroupEgress": {
			run: authorizeEgress, request: trail(), resources: onGroup,
			accepts: "GroupId IpPermissions IpProtocol TagSpecification",
		},
		"RevokeSecurityGroupIngress": {
			run: revokeIngress, request: trail("SecurityGroupRuleId", "securityGroupRuleIds", "securityGroupRuleId"), resources: onGroup,
			accepts: "GroupId GroupName IpPermissions IpProtocol FromPort ToPort CidrIp SourceSecurityGroupName SecurityGroupRuleId",
		},
		"RevokeSecurityGroupEgress": {
			run: revokeEgress, request: trail("SecurityGroupRuleId", "securityGroupRuleIds", "securityGroupRuleId"), resources: onGroup,
			accepts: "GroupId IpPermissions IpProtocol SecurityGroupRuleId",
		},
		"ModifySecurityGroupRules": {
			run: modifySecurityGroupRules, wrapped: true, resources: onGroup,
			accepts: "GroupId SecurityGroupRule",
		},
		"UpdateSecurityGroupRuleDescriptionsIngress": {
			run: updateDescriptionsIngress, wrapped: true, resources: onGroup,
			accepts: "GroupId GroupName IpPermissions SecurityGroupRuleDescription",
		},
		"UpdateSecurityGroupRuleDescriptionsEgress": {
			run: updateDescriptionsEgress, wrapped: true, resources: onGroup,
			accepts: "GroupId GroupName IpPermissions SecurityGroupRuleDescription",
		},

		"CreateTags": {
			run: createTags, request: trail("ResourceId", "resourcesSet", "resourceId", "Tag", "tagSet", ""), resources: onResources,
			accepts: "ResourceId Tag",
		},
		"DeleteTags": {
			run: deleteTags, request: trail("ResourceId", "resourcesSet", "resourceId", "Tag", "tagSet", ""), resources: onResources,
			accepts: "ResourceId Tag",
		},
		"DescribeTags": {
			run: describeTags, request: trail(),
			accepts: "Filter MaxResults NextToken",
		},

		"DescribeNetworkInterfaces": {
			run: describeNetworkInterfaces, request: trail("NetworkInterfaceId", "networkInterfaceIdSet", "networkInterfaceId"),
			accepts: "NetworkInterfaceId Filter MaxResults NextToken",
		},

		"CreateManagedPrefixList": {
			run: createPrefixList, wrapped: true, resources: onNew("prefix-list"),
			accepts: "PrefixListName AddressFamily MaxEntries Entry TagSpecification ClientToken",
		},
		"ModifyManagedPrefixList": {
			run: modifyPrefixList, wrapped: true, resources: onPrefixList,
			accepts: "PrefixListId PrefixListName CurrentVersion MaxEntries AddEntry RemoveEntry",
		},
		"DeleteManagedPrefixList": {
			run: deletePrefixList, wrapped: true, resources: onPrefixList,
			accepts: "PrefixListId",
		},
		"DescribeManagedPrefixLists": {
			run: describePrefixLists, wrapped: true,
			accepts: "PrefixListId Filter MaxResults NextToken",
		},
		"GetManagedPrefixListEntries": {
			run: getPrefixListEntries, wrapped: true,
			accepts: "PrefixListId TargetVersion MaxResults NextToken",
		},
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
