package role

import (
	"cmp"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/escalation"
)

// Escalation finds roles that get all permissions of the account in ways that are not theirs.
func Escalation() control.Control {
	return control.Define(control.Spec[*Role]{
		Meta: escalation.Meta(Name, iam.RoleKind, iam.ReadsOf(Parts())),
		Check: func(r *Role, _ control.Settings) control.Result {
			switch {
			case iam.Linked(r.Path):
				return control.Result{Outcome: control.NotApplicable}
			case !r.Read(PartRole, PartInline, PartAttached, PartDocuments):
				return control.Result{Outcome: control.UnknownResult, Why: "dera lacks permission to read the policies of the role"}
			}
			return escalation.Check(r.Climbs(), r.Peers, r.Read(PartPeers), cmp.Or(iam.MadeByAWS(r.Path, r.Name), madeBy(r.Name)))
		},
		Plan: func(*Role, []control.Failure, control.Settings) ([]dera.Change, *control.Refusal) {
			return nil, escalation.ByHand()
		},
	})
}

// Climbs is the role as one that may get more permissions. In which partition it is the
// configuration does not say.
func (r *Role) Climbs() escalation.Principal {
	g := r.Granting(iam.RoleKind)
	p := escalation.Principal{Kind: iam.RoleKind, ARN: iam.RoleKind.ARN("*", r.Account, r.Path, r.Name), Boundary: g.Boundary, Trust: r.Trust}
	if r.Boundary != nil {
		p.Within = r.Boundary.ARN
	}
	p.Has(g.Whole, r.Attached)
	return p
}
