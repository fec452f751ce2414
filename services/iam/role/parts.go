package role

import (
	"slices"

	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/escalation"
)

// The parts of a role.
const (
	PartRole      = "role" // with its trust policy, boundary, tags and last use
	PartSession   = "longest session"
	PartInline    = iam.PartInline
	PartAttached  = iam.PartAttached
	PartDocuments = iam.PartDocuments
	PartUse       = iam.PartUse
	PartPeers     = escalation.PartPeers
	PartProfiles  = "instance profiles"
	PartClosed    = "own changes of the trust policy"
)

// CallProfiles is the call that tells the instance profiles of one role.
const CallProfiles = "iam:ListInstanceProfilesForRole"

// Parts are what a role is read in. A sweep reads by one walk, which does not say the
// longest session; a role that an event names is read alone.
func Parts() []resource.Part {
	return slices.Concat([]resource.Part{
		{Name: PartRole, Action: "iam:GetRole", Also: []string{iam.Walk}, Cheap: true},
		{Name: PartSession, Action: "iam:ListRoles", Also: []string{"iam:GetRole"}},
		{Name: PartProfiles, Action: CallProfiles, Also: []string{iam.Walk}, Around: true},
	}, iam.RoleKind.Parts(), []resource.Part{escalation.Part(), {Name: PartClosed, Port: resource.PortChanges, Cheap: true, Around: true}, iam.Explained(), iam.Accesses(), control.ThreatPart()})
}
