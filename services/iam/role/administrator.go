package role

import (
	"cmp"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
)

// Administrator finds roles that may do everything, or all of a service of AWS.
func Administrator() control.Control {
	return control.Define(control.Spec[*Role]{
		Meta: iam.AdministratorMeta(Name, "role", "Role is an administrator, or may do everything with a service", iam.ReadsOf(Parts())),
		Check: func(r *Role, _ control.Settings) control.Result {
			switch {
			case iam.Linked(r.Path):
				return control.Result{Outcome: control.NotApplicable}
			case !r.Read(PartRole, PartInline, PartAttached, PartDocuments):
				return control.Result{Outcome: control.UnknownResult, Why: "dera lacks permission to read the policies of the role"}
			}
			g := r.Granting(iam.RoleKind)
			g.Made = cmp.Or(iam.MadeByAWS(r.Path, r.Name), madeBy(r.Name))
			return g.Administrator()
		},
		Plan: func(*Role, []control.Failure, control.Settings) ([]dera.Change, *control.Refusal) {
			return nil, iam.AdministratorByHand()
		},
	})
}
