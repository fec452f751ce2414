package role

import "dera.example/dera/resource"

// The parts of a role.
const (
	PartRole     = "role"
	PartInline   = "inline policies"
	PartAttached = "attached policies"
	PartDocument = "attached policy documents"
	PartActivity = "activity"
)

// PortUsage is the port that PartActivity is read from: an Activity by ARN.
const PortUsage = "usage"

// Parts are what a role is read in. A sweep reads all that IAM has with
// GetAccountAuthorizationDetails.
func Parts() []resource.Part {
	return []resource.Part{
		{Name: PartRole, Action: "iam:GetRole", Also: []string{"iam:GetAccountAuthorizationDetails", "iam:ListRoles"}, Cheap: true},
		{Name: PartInline, Action: "iam:ListRolePolicies", Also: []string{"iam:GetRolePolicy"}, Cheap: true},
		{Name: PartAttached, Action: "iam:ListAttachedRolePolicies", Cheap: true},
		{Name: PartDocument, Action: "iam:GetPolicy", Also: []string{"iam:GetPolicyVersion"}, Cheap: true},
		{Name: PartActivity, Around: true},
	}
}
