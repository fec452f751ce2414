package control

import (
	"dera.example/dera"
	"dera.example/dera/resource"
)

// FactSpec is a control that tells a person what is so and has no plan: nothing is
// changed.
type FactSpec[T any] struct {
	// Meta is the control's; empty Type and Reads are filled in. A control whose findings
	// start at review says ByHand.
	Meta Meta
	// Key is that of the one finding that a resource can have.
	Key string
	// Applies says why the control is not about a resource, or nothing; nil where it is
	// about all.
	Applies func(c *T, s Settings) (why string)
	// Fails says what is wrong, in sentences for the owner, or nothing. known is false
	// where what was read does not tell.
	Fails func(c *T, s Settings) (why string, known bool)
}

// OnFact makes a control of its specification.
func OnFact[T any](t resource.Type, spec FactSpec[T]) Control {
	m, start := spec.Meta, dera.Alert
	if m.Type = t.Name; len(m.Reads) == 0 {
		m.Reads = t.Reads()
	}
	if m.ByHand {
		start = dera.Review
	}
	return Define(Spec[*T]{
		Meta: m,
		Check: func(c *T, s Settings) Result {
			if spec.Applies != nil && spec.Applies(c, s) != "" {
				return Result{Outcome: NotApplicable}
			}
			switch why, known := spec.Fails(c, s); {
			case why != "":
				return Result{Outcome: Fail, Whole: true, Failures: []Failure{{Key: spec.Key, Start: start, Severity: m.Severity, Title: m.Title, Why: why}}}
			case !known:
				return Result{Outcome: UnknownResult, Why: "what was read does not tell"}
			}
			return Result{Outcome: Pass}
		},
	})
}
