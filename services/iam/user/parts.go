package user

import (
	"slices"

	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/escalation"
)

// The parts of a user.
const (
	PartUser      = "user" // with its boundary and tags
	PartInline    = iam.PartInline
	PartAttached  = iam.PartAttached
	PartDocuments = iam.PartDocuments
	PartGroups    = "groups" // with their policies
	PartUse       = iam.PartUse
	PartPeers     = escalation.PartPeers
)

// Parts are what a user is read in. A sweep reads by one walk; a user that an event
// names is read alone, with its groups.
func Parts() []resource.Part {
	return slices.Concat([]resource.Part{
		{Name: PartUser, Action: "iam:GetUser", Also: []string{iam.Walk}, Cheap: true},
		{Name: PartGroups, Action: "iam:ListGroupsForUser", Also: []string{
			"iam:GetGroup", "iam:ListGroupPolicies", "iam:GetGroupPolicy", "iam:ListAttachedGroupPolicies", iam.Walk,
		}, Cheap: true, Around: true},
	}, iam.UserKind.Parts(), []resource.Part{escalation.Part(), iam.Explained(), iam.Accesses()})
}
