package engine_test

import (
	"context"
	"errors"
	"testing"

	"dera.example/dera"
	"dera.example/dera/evaluate"
	"dera.example/dera/store"
)

// TestTwoDecideAtOnce: of two processes that decide on one resource at the same time, the second gets a conflict, and decides again.
func TestTwoDecideAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	w.ingest(w.event(id))
	w.drain()
	list, err := w.store.Remediations(t.Context())
	if err != nil || len(list) == 0 {
		t.Fatalf("got %d remediations, %v", len(list), err)
	}
	r := list[0]
	r.ID, r.Revision, r.State = "r-second", 0, dera.Ready
	for _, known := range []int64{0, int64(len(list)) + 1} {
		if err := w.store.Commit(t.Context(), store.Batch{Remediations: []dera.Remediation{r}, Known: map[string]int64{r.ResourceKey(): known}}); !errors.Is(err, store.ErrConflict) {
			t.Errorf("decided on %d of %d: got %v, want a conflict", known, len(list), err)
		}
	}
	if err := w.store.Commit(t.Context(), store.Batch{Remediations: []dera.Remediation{r}, Known: map[string]int64{r.ResourceKey(): int64(len(list))}}); err != nil {
		t.Errorf("decided on all of them: got %v", err)
	}
}

// meanwhile is a guardrail that allows all, and does something once before.
type meanwhile struct{ do *func() }

// Name implements evaluate.Guardrail.
func (meanwhile) Name() string { return "meanwhile" }

// Check implements evaluate.Guardrail.
func (m meanwhile) Check(context.Context, evaluate.Case) (dera.Reason, error) {
	if do := *m.do; do != nil {
		*m.do = nil
		do()
	}
	return dera.Reason{Guardrail: m.Name(), Disposition: dera.Auto}, nil
}

// TestOneRemediationOfTwoDeciders: a process decides and commits while another one is in the midst of its decision on the
// same resource. There is one remediation of it, and both know it.
func TestOneRemediationOfTwoDeciders(t *testing.T) {
	t.Parallel()
	var do func()
	w := newWorldWith(t, func(w *world) {
		w.gate = func(g *evaluate.Gate) { g.Plan = append(g.Plan, meanwhile{&do}) }
	})
	other := w.newEngine("second", w.store)
	ev := w.event(w.group("web", tcp(22, 22, "0.0.0.0/0")))
	do = func() {
		if err := other.LookNow(t.Context(), ev, true); err != nil {
			t.Errorf("the other: %v", err)
		}
	}
	if err := w.engine.LookNow(t.Context(), ev, true); err != nil {
		t.Fatal(err)
	}
	if do != nil {
		t.Fatal("nobody else decided meanwhile")
	}
	list, err := w.store.Remediations(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatalf("got %d remediations, %v, want one", len(list), err)
	}
}
