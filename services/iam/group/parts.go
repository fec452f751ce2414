package group

import (
	"slices"

	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
)

// The parts of a group.
const (
	PartGroup     = "group"
	PartInline    = iam.PartInline
	PartAttached  = iam.PartAttached
	PartDocuments = iam.PartDocuments
	PartMembers   = "members" // with their other policies
	PartUse       = iam.PartUse
)

// Parts are what a group is read in. A sweep reads by one walk; a group that an event
// names is read alone, with its members.
func Parts() []resource.Part {
	return slices.Concat([]resource.Part{
		{Name: PartGroup, Action: "iam:GetGroup", Also: []string{iam.Walk}, Cheap: true},
		{Name: PartMembers, Action: "iam:GetGroup", Also: []string{
			"iam:GetUser", "iam:ListUserPolicies", "iam:GetUserPolicy", "iam:ListAttachedUserPolicies", "iam:ListGroupsForUser", iam.Walk,
		}, Cheap: true, Around: true},
	}, iam.GroupKind.Parts())
}
