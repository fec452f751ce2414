package securitygroup

import "dera.example/dera/resource"

// The parts of a security group.
const (
	PartPermissions = "permissions"
	PartRules       = "rules"
	PartInterfaces  = "network interfaces"
	PartNetwork     = "network"
	PartInstances   = "instances"
	PartLists       = "prefix lists"
	PartRuleLists   = "prefix lists of its rules"
)

// Parts are what a group's configuration is read in: each by few calls for many
// groups.
func Parts() []resource.Part {
	return []resource.Part{
		{Name: PartPermissions, Action: "ec2:DescribeSecurityGroups", Cheap: true},
		{Name: PartLists, Action: "ec2:GetManagedPrefixListEntries", Cheap: true},
		{Name: PartRules, Action: "ec2:DescribeSecurityGroupRules"},
		{Name: PartInterfaces, Action: "ec2:DescribeNetworkInterfaces", Around: true},
		{Name: PartNetwork, Action: "ec2:DescribeVpcs", Around: true},
		{Name: PartInstances, Action: "ec2:DescribeInstances", Around: true},
		{Name: PartRuleLists, Action: "ec2:GetManagedPrefixListEntries"},
	}
}
