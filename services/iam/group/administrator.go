package group

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
)

// Administrator finds groups whose members may do everything, or all of a service of AWS.
func Administrator() control.Control {
	return control.Define(control.Spec[*Group]{
		Meta: iam.AdministratorMeta(Name, "group", "Members of the group are administrators, or may do everything with a service", iam.ReadsOf(Parts())),
		Check: func(g *Group, _ control.Settings) control.Result {
			if !g.Read(PartInline, PartAttached, PartDocuments) {
				return control.Result{Outcome: control.UnknownResult, Why: "dera lacks permission to read the policies of the group"}
			}
			grants := g.Granting(iam.GroupKind)
			if g.Read(PartMembers) && len(g.Members) == 0 {
				grants.Nobody = "The group has no members."
			}
			return grants.Administrator()
		},
		Plan: func(*Group, []control.Failure, control.Settings) ([]dera.Change, *control.Refusal) {
			return nil, iam.AdministratorByHand()
		},
	})
}
