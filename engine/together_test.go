package engine_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/engine"
	"dera.example/dera/evaluate"
)

// during is a guardrail that allows all and does something with each resource that it sees.
type during struct{ do func(dera.Resource) }

// Name implements evaluate.Guardrail.
func (during) Name() string { return "during" }

// Check implements evaluate.Guardrail.
func (d during) Check(_ context.Context, c evaluate.Case) (dera.Reason, error) {
	d.do(c.Resource)
	return dera.Reason{Guardrail: d.Name(), Disposition: dera.Auto}, nil
}

// TestOthersDecideMeanwhile: while the resources of a page are decided on, others of this
// process decide on any other one, however many there are.
func TestOthersDecideMeanwhile(t *testing.T) {
	t.Parallel()
	var do atomic.Pointer[func(dera.Resource)]
	w := newWorldWith(t, func(w *world) {
		w.gate = func(g *evaluate.Gate) {
			g.Plan = append(g.Plan, during{func(r dera.Resource) {
				if f := do.Load(); f != nil {
					(*f)(r)
				}
			}})
		}
	})
	for i := range 60 {
		w.group(fmt.Sprintf("web-%d", i), tcp(22, 22, "0.0.0.0/0"))
	}
	var later []dera.Event
	inside := func(dera.Resource) {
		do.Store(nil)
		for i := range 60 { // they are made after the page was read
			later = append(later, w.event(w.group(fmt.Sprintf("later-%d", i), tcp(22, 22, "0.0.0.0/0"))))
		}
		done := make(chan error, 1)
		go func() {
			for _, ev := range later {
				if err := w.engine.LookNow(t.Context(), ev, true); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(time.Minute):
			t.Error("a look at another resource waits for the page")
		}
	}
	do.Store(&inside)
	w.sweep()
	if len(later) == 0 {
		t.Fatal("nobody decided meanwhile")
	}
}

// TestSlowDecisionsAreFewTogether: where a decision takes long, what was decided of the page is
// committed before the next one, and each in its turn.
func TestSlowDecisionsAreFewTogether(t *testing.T) {
	t.Parallel()
	most, decided := 0, map[string]bool{}
	w := newWorldWith(t, func(w *world) {
		w.config = func(c *engine.Config) { c.BudgetPerHour = 1000 }
		w.gate = func(g *evaluate.Gate) {
			g.Plan = append(g.Plan, during{func(r dera.Resource) {
				if !decided[r.ID] {
					decided[r.ID] = true
					w.clock.Advance(700 * time.Millisecond)
					list, err := w.store.Remediations(t.Context())
					if err != nil {
						t.Error(err)
					}
					most = max(most, len(decided)-len(list))
				}
			}})
		}
	})
	for i := range 12 {
		w.group(fmt.Sprintf("web-%d", i), tcp(22, 22, "0.0.0.0/0"))
	}
	w.sweep()
	if len(decided) < 12 || most > 3 {
		t.Errorf("of %d decided, got %d that were not committed, want at most 3", len(decided), most)
	}
}
