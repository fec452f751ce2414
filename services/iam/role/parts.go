package role

import "dera.example/dera/resource"

// The parts of a role.
const (
	PartRole      = "role" // with its trust policy, boundary, tags and last use
	PartSession   = "longest session"
	PartInline    = "inline policies"
	PartAttached  = "attached policies"
	PartDocuments = "documents of attached policies"
	PartUse       = "recorded use"
)

// Parts are what a role is read in. A sweep reads by one walk, which does not say the
// longest session; a role that an event names is read alone.
func Parts() []resource.Part {
	const walk = "iam:GetAccountAuthorizationDetails"
	return []resource.Part{
		{Name: PartRole, Action: "iam:GetRole", Also: []string{walk}, Cheap: true},
		{Name: PartSession, Action: "iam:ListRoles", Also: []string{"iam:GetRole"}},
		{Name: PartInline, Action: "iam:ListRolePolicies", Also: []string{"iam:GetRolePolicy", walk}, Cheap: true},
		{Name: PartAttached, Action: "iam:ListAttachedRolePolicies", Also: []string{walk}, Cheap: true},
		{Name: PartDocuments, Action: "iam:GetPolicy", Also: []string{"iam:GetPolicyVersion", walk}, Cheap: true, Around: true},
		{Name: PartUse, Port: resource.PortLedger, Around: true, Cheap: true},
	}
}
