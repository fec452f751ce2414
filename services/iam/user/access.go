package user

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
)

// Access finds what was asked to be given back of what dera took from users.
func Access() control.Control {
	prove := func(c *User, failures []control.Failure, changes []dera.Change) (dera.Evidence, error) {
		after, err := iam.Applied(Type(), c, changes)
		if err != nil {
			return dera.Evidence{}, err
		}
		return c.ProveGiven(&after.Identity, failures, c.byGroups())
	}
	return control.Define(control.Spec[*User]{
		Meta:  iam.AccessMeta(iam.UserKind, Parts()),
		Check: func(c *User, _ control.Settings) control.Result { return c.Accesses("user") },
		Plan: func(c *User, failures []control.Failure, _ control.Settings) ([]dera.Change, *control.Refusal) {
			changes, refusal := c.GiveBack(iam.UserKind, failures, c.byGroups())
			if refusal != nil {
				return nil, refusal
			}
			if _, err := prove(c, failures, changes); err != nil { // nobody can approve what is not proved
				return nil, &control.Refusal{Code: "not-proved", Why: err.Error()}
			}
			return changes, nil
		},
		Prove: func(c *User, failures []control.Failure, changes []dera.Change, _ control.Settings) (dera.Evidence, error) {
			return prove(c, failures, changes)
		},
	})
}
