package user

import (
	"cmp"
	"slices"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/escalation"
)

// Escalation finds users that get all permissions of the account in ways that are not theirs.
func Escalation() control.Control {
	return control.Define(control.Spec[*User]{
		Meta: escalation.Meta(Name, iam.UserKind, iam.ReadsOf(Parts())),
		Check: func(u *User, _ control.Settings) control.Result {
			if !u.Read(PartUser, PartInline, PartAttached, PartDocuments, PartGroups) {
				return control.Result{Outcome: control.UnknownResult, Why: "dera lacks permission to read the policies of the user"}
			}
			return escalation.Check(u.Climbs(), u.Peers, u.Read(PartPeers), "")
		},
		Plan: func(*User, []control.Failure, control.Settings) ([]dera.Change, *control.Refusal) {
			return nil, escalation.ByHand()
		},
	})
}

// Climbs is the user as one that may get more permissions. In which partition it is, and the
// path of a group, the configuration does not say.
func (u *User) Climbs() escalation.Principal {
	g, account := u.granting(), cmp.Or(u.Account, "*")
	p := escalation.Principal{Kind: iam.UserKind, ARN: iam.UserKind.ARN("*", account, u.Path, u.Name), Boundary: g.Boundary}
	attached := slices.Clone(u.Attached)
	for _, group := range u.Groups {
		attached = append(attached, group.Attached...)
		p.Groups = append(p.Groups, string(iam.GroupKind.ARN("*", account, "/", group.Name)), string(iam.GroupKind.ARN("*", account, "/*/", group.Name)))
	}
	if u.Boundary != nil {
		p.Within = u.Boundary.ARN
	}
	p.Has(g.Whole, attached)
	return p
}
