package user

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
)

// OutdatedCopy finds copies of policies of AWS that lack what AWS has added since.
func OutdatedCopy() control.Control {
	return control.Define(control.Spec[*User]{
		Meta:  iam.OutdatedMeta(iam.UserKind, Parts()),
		Check: func(u *User, _ control.Settings) control.Result { return u.OutdatedCopies() },
		Plan: func(u *User, failures []control.Failure, _ control.Settings) ([]dera.Change, *control.Refusal) {
			return u.UpdateCopies(iam.UserKind, failures)
		},
		Prove: func(u *User, failures []control.Failure, changes []dera.Change, _ control.Settings) (dera.Evidence, error) {
			after, err := iam.Applied(Type(), u, changes)
			if err != nil {
				return dera.Evidence{}, err
			}
			return u.ProveCopies(&after.Identity, failures)
		},
	})
}
