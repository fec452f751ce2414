package role

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
)

// OutdatedCopy finds copies of policies of AWS that lack what AWS has added since.
func OutdatedCopy() control.Control {
	return control.Define(control.Spec[*Role]{
		Meta:  iam.OutdatedMeta(iam.RoleKind, Parts()),
		Check: func(r *Role, _ control.Settings) control.Result { return r.OutdatedCopies() },
		Plan: func(r *Role, failures []control.Failure, _ control.Settings) ([]dera.Change, *control.Refusal) {
			return r.UpdateCopies(iam.RoleKind, failures)
		},
		Prove: func(r *Role, failures []control.Failure, changes []dera.Change, _ control.Settings) (dera.Evidence, error) {
			after, err := iam.Applied(Type(), r, changes)
			if err != nil {
				return dera.Evidence{}, err
			}
			return r.ProveCopies(&after.Identity, failures)
		},
	})
}
