package root

import (
	"cmp"

	"dera.example/dera"
	"dera.example/dera/control"
)

// report is a control that reports what it finds to people, at once.
type report struct {
	meta control.Meta
	key  string
	// when and because are its one row of the disposition table.
	when, because string
	// has is what the control fails, and why says it; nil is unknown.
	has func(u *User) *bool
	why string
	// severity is critical where it is 0, and unknown says what is not known where has is nil.
	severity dera.Severity
	unknown  string
	// applies reports whether there is anything to judge; nil always.
	applies func(u *User) bool
}

func (r report) control() control.Control {
	m := r.meta
	m.Type, m.Severity, m.Complexity, m.Owner, m.ReviewBy, m.Reads = Name, cmp.Or(r.severity, dera.Critical), "medium", "dera maintainers", "2027-11-01", Type().Reads()
	m.Cases = []control.Case{{When: r.when, Disposition: dera.Alert, Because: r.because}}
	return control.Define(control.Spec[*User]{
		Meta: m,
		Check: func(u *User, _ control.Settings) control.Result {
			has := r.has(u)
			switch {
			case has == nil:
				return control.Result{Outcome: control.UnknownResult, Why: cmp.Or(r.unknown, "the account summary does not have it")}
			case r.applies != nil && !r.applies(u):
				return control.Result{Outcome: control.NotApplicable}
			case !*has:
				return control.Result{Outcome: control.Pass}
			}
			return control.Result{Outcome: control.Fail, Whole: true, Failures: []control.Failure{{Key: r.key, Start: dera.Alert, Severity: m.Severity, Title: m.Title, Why: r.why}}}
		},
	})
}
