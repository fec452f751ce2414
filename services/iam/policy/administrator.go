package policy

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
)

// Administrator finds policies that allow everything, or all of a service of AWS.
func Administrator() control.Control {
	return control.Define(control.Spec[*Policy]{
		Meta: iam.AdministratorMeta(Name, "policy", "Policy allows everything, or everything with a service", iam.ReadsOf(Parts())),
		Check: func(p *Policy, _ control.Settings) control.Result {
			if !p.Read(PartPolicy) {
				return control.Result{Outcome: control.UnknownResult, Why: "dera lacks permission to read the policy"}
			}
			text := []iam.Text{{Name: "version " + p.Default.ID, Document: p.Default.Document}}
			g := iam.Granting{What: "Policy", Whole: text, Listed: text}
			switch by := p.reserved(); {
			case by != "":
				g.Made = "role " + by + " has it by a permission set of the identity center"
			case !p.Read(PartAttached):
			case len(p.Holders)+p.TooMany == 0 && len(p.BoundaryOf) > 0:
				g.Nobody = "It is a permissions boundary alone, which allows nothing."
			case len(p.Holders)+p.TooMany == 0:
				g.Nobody = "Nobody has the policy."
			}
			return g.Administrator()
		},
		Plan: func(*Policy, []control.Failure, control.Settings) ([]dera.Change, *control.Refusal) {
			return nil, iam.AdministratorByHand()
		},
	})
}
