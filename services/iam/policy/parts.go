package policy

import (
	"cmp"
	"slices"

	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
)

// The parts of a policy.
const (
	PartPolicy   = "policy" // with the version in force
	PartTags     = "tags"
	PartVersions = "other versions"
	PartAttached = "attachments" // also as a permissions boundary
	PartHolders  = "principals"  // their trust, tags and other policies
	PartUse      = "recorded use"
)

// Parts are what a policy is read in. A sweep reads by one walk, which tells all
// of them but the tags; a policy that an event names is read alone, with those that have it.
func Parts() []resource.Part {
	return []resource.Part{
		{Name: PartPolicy, Action: "iam:GetPolicy", Also: []string{"iam:GetPolicyVersion", iam.Walk}, Cheap: true},
		{Name: PartTags, Action: "iam:GetPolicy"},
		{Name: PartVersions, Action: "iam:ListPolicyVersions", Also: []string{"iam:GetPolicyVersion", iam.Walk}, Cheap: true},
		{Name: PartAttached, Action: "iam:ListEntitiesForPolicy", Also: []string{iam.Walk}, Cheap: true, Around: true},
		{Name: PartHolders, Action: iam.Walk, Also: []string{
			"iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies",
			"iam:GetUser", "iam:ListUserPolicies", "iam:GetUserPolicy", "iam:ListAttachedUserPolicies", "iam:ListGroupsForUser",
			"iam:GetGroup", "iam:ListGroupPolicies", "iam:GetGroupPolicy", "iam:ListAttachedGroupPolicies", "iam:GetPolicy", "iam:GetPolicyVersion",
		}, Cheap: true, Around: true},
		{Name: PartUse, Port: resource.PortLedger, Cheap: true, Around: true},
		iam.Reports(), iam.Stages(),
	}
}

// NotRead notes that a part is not known.
func (p *Policy) NotRead(part string) {
	if !slices.Contains(p.Unread, part) {
		p.Unread = append(p.Unread, part)
		slices.Sort(p.Unread)
	}
}

// Sort puts the other versions and the holders in order: that in which IAM lists them
// means nothing.
func (p *Policy) Sort() {
	slices.SortFunc(p.Others, func(a, b Version) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(len(b.ID), len(a.ID)), cmp.Compare(b.ID, a.ID))
	})
	slices.SortFunc(p.Holders, func(a, b iam.Holder) int { return cmp.Or(cmp.Compare(a.ARN, b.ARN), cmp.Compare(a.Via, b.Via)) })
	slices.Sort(p.BoundaryOf)
}
