package engine_test

import (
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/evaluate"
)

// TestObservationBeginsWithTheFirstLook: the first look counts, also one that
// found nothing, and also for the next process; then the control acts.
func TestObservationBeginsWithTheFirstLook(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) {
		w.gate = func(g *evaluate.Gate) {
			g.Finding = append(g.Finding, evaluate.Observation{Ledger: w.store, Now: w.clock.Now})
		}
	})
	w.sweep() // the default group alone
	began := w.clock.Now()
	w.clock.Advance(13 * 24 * time.Hour)
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	w.open("engine-2")
	w.look(id)
	r := w.remediations(id)
	if len(r) != 1 || r[0].State != dera.Waiting || len(w.ours("")) > 0 {
		t.Fatalf("after 13 days: got %d remediations, want one that waits", len(r))
	}
	if at, err := w.store.FirstLook(t.Context(), "ec2-securitygroup-admin-ports-open", account); err != nil || at.After(began) {
		t.Errorf("first look: got %s, %v, want that of the first sweep", at, err)
	}
	w.clock.Advance(24 * time.Hour)
	w.look(id)
	if got := w.ingress(id); len(got) != 0 {
		t.Errorf("after 14 days: got %q, want it fixed", got)
	}
}
