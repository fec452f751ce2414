package app_test

import (
	"testing"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/evaluate"
)

// TestWouldGoesByTheDecision: a plan that nobody answered holds back nothing that
// enforce would do; a person's no does.
func TestWouldGoesByTheDecision(t *testing.T) {
	t.Parallel()
	for why, want := range map[string]dera.Disposition{
		evaluate.Unanswered + " (r-1)":             dera.Auto,
		"ann rejected this plan (r-1): it stays":   dera.Review,
		"ann rejected a plan for less of it (r-1)": dera.Review,
	} {
		f := dera.Finding{State: dera.FindingOpen, Disposition: dera.Review, Reasons: []dera.Reason{
			{Guardrail: "control", Disposition: dera.Auto},
			{Guardrail: evaluate.Mode{}.Name(), Disposition: dera.Review, Why: "the mode is review"},
			{Guardrail: "approval", Disposition: dera.Review, Why: why},
		}}
		if got, against, _ := app.Would(f); got != want || (len(against) > 0) != (want == dera.Review) {
			t.Errorf("%s: got %s, against %v, want %s", why, got, against, want)
		}
	}
}
