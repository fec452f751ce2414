package engine_test

import (
	"errors"
	"testing"

	"dera.example/dera"
	"dera.example/dera/store"
)

// TestTwoDecideAtOnce: of two processes that decide on one resource at the same time, the second is told, and decides again.
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
