package iam

import "strings"

// Fixed reports whether nobody but AWS can change what has the path: roles that are
// linked to a service, and those of Identity Center's permission sets.
//
// Source: IAM user guide, "Using service-linked roles"; IAM Identity Center user
// guide, "Referencing permission sets in resource policies".
func Fixed(path string) bool {
	return Linked(path) || strings.HasPrefix(path, "/aws-reserved/")
}

// Linked reports whether what has the path is a role that is linked to a service, whose
// permissions AWS writes. Those of permission sets people write, in Identity Center.
func Linked(path string) bool { return strings.HasPrefix(path, "/aws-service-role/") }

// MadeByAWS says which service of AWS made a role for itself and would put it back, or
// nothing.
//
// Source: CloudFormation user guide, "Grant self-managed permissions" and "Enable
// trusted access"; Control Tower user guide, "How AWS Control Tower works with
// roles".
func MadeByAWS(path, name string) string {
	switch {
	case strings.HasPrefix(name, "stacksets-exec-"), strings.HasPrefix(name, "AWSCloudFormationStackSet"):
		return "CloudFormation StackSets works by this role"
	case strings.HasPrefix(strings.ToLower(name), "awscontroltower"), strings.HasPrefix(name, "aws-controltower-"), strings.HasPrefix(path, "/aws-controltower/"):
		return "AWS Control Tower works by this role"
	case strings.HasPrefix(name, "AWSReservedSSO_"):
		return "IAM Identity Center keeps this role as its permission set says"
	case strings.HasPrefix(name, "OrganizationAccountAccessRole"):
		return "the organisation's management account enters by this role"
	}
	return ""
}
