package app_test

import (
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/evaluate"
)

// TestLeftBy: what waits for a plan is to be decided after it, what the plan keeps
// stays open for a reason that is named, and a plan that is over leaves nothing.
func TestLeftBy(t *testing.T) {
	t.Parallel()
	own := found("f-own", "111122223333", dera.Critical, dera.Review)
	held := found("f-held", "111122223333", dera.Medium, dera.Review)
	held.WaitsFor = "r-1"
	alert := found("f-alert", "111122223333", dera.Low, dera.Alert)
	exempt := found("f-exempt", "111122223333", dera.High, dera.Exempt)
	no := found("f-no", "111122223333", dera.High, dera.Review)
	no.Reasons = append(no.Reasons, dera.Reason{Guardrail: "approval", Disposition: dera.Review, Why: "ann rejected this plan (r-0): the vendor"})
	gone := found("f-gone", "111122223333", dera.High, dera.Review)
	gone.State = dera.FindingResolved
	apart := found("f-apart", "111122223333", dera.High, dera.Review)
	elsewhere := found("f-alert", "444455556666", dera.High, dera.Review)
	own.WaitsFor = "r-1" // as an older version left it
	looked := found("f-looked", "111122223333", dera.High, dera.Auto)
	looked.Reasons = append(looked.Reasons, dera.Reason{Guardrail: "mode", Why: evaluate.Observing})
	all := []dera.Finding{own, looked, alert, exempt, no, gone, apart, elsewhere, held}
	r := made("r-1", dera.Waiting, own)
	r.Leaves = []string{"f-own", "f-alert", "f-exempt", "f-no", "f-gone", "f-looked"}
	want := []string{
		"? auto  title of f-looked (f-looked): stays open: it is observed only",
		"? review  title of f-held (f-held): decided after this plan",
		"? alert  title of f-alert (f-alert): stays open: dera reports it and changes nothing",
		"? exempt  title of f-exempt (f-exempt): stays open: it is exempt",
		"? review  title of f-no (f-no): stays open: ann rejected this plan (r-0): the vendor",
	}
	var got []string
	for _, l := range app.LeftBy(r, all) {
		got = append(got, l.Line())
		if l.Undecided != (l.Finding == "f-held" || l.Finding == "f-looked") {
			t.Errorf("%s: undecided is %t", l.Finding, l.Undecided)
		}
	}
	if a, b := strings.Join(got, "\n"), strings.Join(want, "\n"); a != b {
		t.Errorf("got\n%s\nwant\n%s", a, b)
	}
	for _, s := range []dera.State{dera.Resolved, dera.RolledBack, dera.Rejected, dera.Superseded, dera.Failed} {
		r.State = s
		if n := len(app.LeftBy(r, all)); n > 0 {
			t.Errorf("%s: got %d, want none", s, n)
		}
	}
}

// TestHolds: whatever a finding waits for, there is a sentence, and a command where
// a person has to do something.
func TestHolds(t *testing.T) {
	t.Parallel()
	f := found("f-1", "111122223333", dera.High, dera.Review)
	for state, command := range map[dera.State]string{
		dera.Waiting: "dera show r-1", dera.Expired: "dera remediate f-1", dera.Planned: "dera scan --apply", dera.Observed: "", dera.Ready: "", dera.Applying: "", dera.Undoing: "",
	} {
		why, way := app.Holds(made("r-1", state, f))
		if !strings.Contains(why, "r-1") || (way == nil) != (command == "") || way != nil && way.Command != command {
			t.Errorf("%s: got %q and %+v, want the command %q", state, why, way, command)
		}
	}
}
