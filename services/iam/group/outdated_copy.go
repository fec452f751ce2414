package group

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
)

// OutdatedCopy finds copies of policies of AWS that lack what AWS has added since.
func OutdatedCopy() control.Control {
	return control.Define(control.Spec[*Group]{
		Meta:  iam.OutdatedMeta(iam.GroupKind, Parts()),
		Check: func(g *Group, _ control.Settings) control.Result { return g.OutdatedCopies() },
		Plan: func(g *Group, failures []control.Failure, _ control.Settings) ([]dera.Change, *control.Refusal) {
			return g.UpdateCopies(iam.GroupKind, failures)
		},
		Prove: func(g *Group, failures []control.Failure, changes []dera.Change, _ control.Settings) (dera.Evidence, error) {
			after, err := iam.Applied(Type(), g, changes)
			if err != nil {
				return dera.Evidence{}, err
			}
			return g.ProveCopies(&after.Identity, failures)
		},
	})
}
