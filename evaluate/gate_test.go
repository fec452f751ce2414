package evaluate

import (
	"context"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dera.example/dera"
)

// rail is a guardrail that answers as a test wants.
type rail struct {
	name   string
	answer dera.Reason
	err    error
	panics any
}

func (r rail) Name() string { return r.name }

func (r rail) Check(context.Context, Case) (dera.Reason, error) {
	if r.panics != nil {
		panic(r.panics)
	}
	return r.answer, r.err
}

func TestGateLessens(t *testing.T) {
	t.Parallel()
	answer := func(d dera.Disposition) rail { return rail{name: d.String(), answer: dera.Reason{Disposition: d}} }
	tests := []struct {
		name  string
		start dera.Disposition
		rails []Guardrail
		want  dera.Disposition
		err   bool
	}{
		{name: "no_guardrails", start: dera.Auto, want: dera.Auto},
		{name: "no_start_is_review", start: 0, want: dera.Review},
		{name: "start_out_of_range_is_review", start: 9, want: dera.Review},
		{name: "all_pass", start: dera.Auto, rails: []Guardrail{answer(dera.Auto), answer(dera.Auto)}, want: dera.Auto},
		{name: "one_wants_review", start: dera.Auto, rails: []Guardrail{answer(dera.Auto), answer(dera.Review)}, want: dera.Review},
		{name: "the_lowest_wins", start: dera.Auto, rails: []Guardrail{answer(dera.Exempt), answer(dera.Auto), answer(dera.Review)}, want: dera.Exempt},
		{name: "nobody_raises_alert", start: dera.Alert, rails: []Guardrail{answer(dera.Auto)}, want: dera.Alert},
		{name: "error_is_review", start: dera.Auto, rails: []Guardrail{rail{name: "x", err: errors.New("down")}}, want: dera.Review, err: true},
		{name: "error_does_not_raise_alert", start: dera.Alert, rails: []Guardrail{rail{name: "x", err: errors.New("down")}}, want: dera.Alert, err: true},
		{name: "error_with_an_answer_of_auto", start: dera.Auto, rails: []Guardrail{rail{name: "x", answer: dera.Reason{Disposition: dera.Auto}, err: errors.New("down")}}, want: dera.Review, err: true},
		{name: "panic_is_review", start: dera.Auto, rails: []Guardrail{rail{name: "x", panics: "boom"}}, want: dera.Review, err: true},
		{name: "no_answer_is_review", start: dera.Auto, rails: []Guardrail{rail{name: "x"}}, want: dera.Review, err: true},
		{name: "answer_out_of_range_is_review", start: dera.Auto, rails: []Guardrail{rail{name: "x", answer: dera.Reason{Disposition: -1}}}, want: dera.Review, err: true},
		{name: "missing_guardrail_is_review", start: dera.Auto, rails: []Guardrail{nil}, want: dera.Review, err: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := Gate{Finding: tt.rails}.Decide(t.Context(), Case{Finding: dera.Finding{Start: tt.start}})
			if d.Disposition != tt.want {
				t.Errorf("got %s, want %s", d.Disposition, tt.want)
			}
			if len(d.Reasons) != len(tt.rails)+1 {
				t.Errorf("got %d reasons, want one of the control and one of each guardrail", len(d.Reasons))
			}
			failed := false
			for _, r := range d.Reasons {
				failed = failed || r.Error && strings.Contains(r.Why, "so a person decides")
			}
			if failed != tt.err {
				t.Errorf("a reason that says that a check failed: got %t, want %t", failed, tt.err)
			}
		})
	}
}

func TestPlanGuardrailsWaitForAPlan(t *testing.T) {
	t.Parallel()
	g := Gate{Finding: []Guardrail{rail{name: "finding", answer: dera.Reason{Disposition: dera.Auto}}}, Plan: []Guardrail{rail{name: "plan", answer: dera.Reason{Disposition: dera.Review}}}}
	c := Case{Finding: dera.Finding{Start: dera.Auto}}
	if d := g.Decide(t.Context(), c); d.Disposition != dera.Auto || len(d.Reasons) != 2 {
		t.Errorf("without a plan: got %s with %d reasons, want auto with 2", d.Disposition, len(d.Reasons))
	}
	c.Planned = true
	if d := g.Decide(t.Context(), c); d.Disposition != dera.Review || len(d.Reasons) != 3 {
		t.Errorf("with a plan: got %s with %d reasons, want review with 3", d.Disposition, len(d.Reasons))
	}
}

// TestGateNeverRaises puts random guardrails, failing and breaking ones too, in
// random order: none raises the disposition, and each lowers it as far as it says
// (invariant I5).
func TestGateNeverRaises(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		start := dera.Disposition(rapid.IntRange(-1, 6).Draw(t, "start"))
		n := rapid.IntRange(0, 6).Draw(t, "n")
		lowest := start
		if start < dera.Auto || start > dera.Exempt {
			lowest = dera.Review
		}
		top := lowest
		var rails []Guardrail
		for range n {
			r := rail{name: "r"}
			says := dera.Disposition(rapid.IntRange(-1, 6).Draw(t, "says"))
			switch rapid.IntRange(0, 3).Draw(t, "how") {
			case 0:
				r.err, says = errors.New("down"), dera.Review
				r.answer.Disposition = dera.Disposition(rapid.IntRange(-1, 6).Draw(t, "with"))
			case 1:
				r.panics, says = "boom", dera.Review
			default:
				r.answer.Disposition = says
			}
			if says < dera.Auto || says > dera.Exempt {
				says = dera.Review
			}
			lowest = max(lowest, says)
			rails = append(rails, r)
		}
		k := rapid.IntRange(0, n).Draw(t, "plan guardrails")
		d := Gate{Finding: rails[:k], Plan: rails[k:]}.Decide(context.Background(), Case{Finding: dera.Finding{Start: start}, Planned: true})
		if d.Disposition != lowest || d.Disposition < top {
			t.Errorf("got %s, want %s, and never above %s", d.Disposition, lowest, top)
		}
	})
}
