package replay

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// Careful returns the controls as they judge what the state holds: a check that
// finds nothing on a partly known resource is unknown, never pass, and so is
// whatever else such a resource may hide. What is found, is found.
func (s *State) Careful(list []control.Control) []control.Control {
	out := make([]control.Control, 0, len(list))
	for _, c := range list {
		out = append(out, s.careful(c))
	}
	return out
}

func (s *State) careful(c control.Control) control.Control {
	of := func(config any) dera.Resource { return dera.Resource{Config: config, Type: c.Type} }
	return control.Define(control.Spec[any]{
		Meta: c.Meta,
		Check: func(config any, settings control.Settings) control.Result {
			r, err := c.Check(of(config), settings)
			if err != nil {
				return control.Result{Outcome: control.UnknownResult, Why: err.Error()}
			}
			if why := s.Partly(of(config)); why != "" {
				r.Outcome, r.Why = control.UnknownResult, why
			}
			return r
		},
		Plan: func(config any, failures []control.Failure, settings control.Settings) ([]dera.Change, *control.Refusal) {
			p, refusal, err := c.Plan(of(config), failures, settings)
			if err != nil {
				return nil, &control.Refusal{Code: "cannot-plan", Why: err.Error()}
			}
			return p.Changes, refusal
		},
		Prove: func(config any, failures []control.Failure, changes []dera.Change, settings control.Settings) (dera.Evidence, error) {
			return c.Prove(of(config), failures, dera.Plan{Changes: changes}, settings)
		},
	})
}
