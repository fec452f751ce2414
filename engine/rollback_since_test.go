package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/engine"
	"dera.example/dera/remediate"
)

// recent is what was changed lately, the newest first, and what is planned.
func (w *world) recent(f app.RecentFilter) (undo, waits []string) {
	w.t.Helper()
	size, err := w.store.LogSize(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	list, err := app.RecentChanges(w.t.Context(), w.store, size, f)
	if err != nil || len(list.Left) > 0 {
		w.t.Fatalf("got %+v, %v; want nothing left", list.Left, err)
	}
	for _, r := range list.Undo {
		undo = append(undo, r.Remediation)
	}
	for _, r := range list.Waiting {
		waits = append(waits, r.Remediation+": "+r.Why)
	}
	return undo, waits
}

func (w *world) rollbackAll(ctx context.Context, ids []string) []engine.RolledBack {
	w.t.Helper()
	out, err := w.engine.RollbackAll(ctx, ids, remediate.Request{By: person(), Reason: "it broke the build"}, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// TestRollbackSince: everything that was changed lately goes back, the newest first; what
// someone else changed since is refused and listed, and the rest goes on.
func TestRollbackSince(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := w.group("old", tcp(22, 22, "0.0.0.0/0"))
	w.look(old)
	w.clock.Advance(3 * time.Hour)
	since := w.clock.Now()
	var groups []string
	for _, name := range []string{"one", "two", "three"} {
		w.clock.Advance(time.Minute)
		id := w.group(name, wideRule())
		w.look(id)
		groups = append(groups, id)
	}
	undo, waits := w.recent(app.RecentFilter{Since: since})
	want := []string{w.in(groups[2], dera.Resolved).ID, w.in(groups[1], dera.Resolved).ID, w.in(groups[0], dera.Resolved).ID}
	if strings.Join(undo, " ") != strings.Join(want, " ") || len(waits) != 3 || !strings.Contains(waits[0], "waiting and not begun; refuse it with: dera reject r-") {
		t.Fatalf("got %v and %v, want %v, and the three plans that wait", undo, waits, want)
	}
	for _, f := range []app.RecentFilter{{Since: since, Account: "444455556666"}, {Since: since, Control: "another"}} {
		if undo, _ := w.recent(f); len(undo) > 0 {
			t.Errorf("of %+v: got %v, want none", f, undo)
		}
	}
	// Someone changes what dera left of the second one.
	w.modify(groups[1], 23, "198.51.100.0/24")
	done := w.rollbackAll(t.Context(), undo)
	var refused *remediate.RefusedError
	if len(done) != 3 || !done[0].Done() || !errors.As(done[1].Err, &refused) || done[1].Done() || !done[2].Done() {
		t.Fatalf("got %+v, want the second refused and the others rolled back", done)
	}
	w.in(groups[1], dera.Resolved)
	wantState(t, w.only(old), dera.Resolved)
	if undo, _ := w.recent(app.RecentFilter{Since: since}); strings.Join(undo, " ") != want[1] {
		t.Errorf("again: got %v, want the one that was refused", undo)
	}
	w.verifyLog()
}

// TestRollbackSince_dies: whenever it dies in between, the same again brings everything back,
// and each write is made once.
func TestRollbackSince_dies(t *testing.T) {
	t.Parallel()
	for k := 1; k < 120; k += 17 {
		w := newWorld(t)
		var before, groups []string
		for _, name := range []string{"one", "two", "three"} {
			id := w.group(name, wideRule())
			groups, before = append(groups, id), append(before, w.canon(id))
			w.look(id)
			w.clock.Advance(time.Minute)
		}
		undo, _ := w.recent(app.RecentFilter{})
		steps := w.mortal(k)
		w.rollbackAll(t.Context(), undo)
		if n := steps(); n < k {
			t.Fatalf("got %d steps, so that it does not die at step %d", n, k)
		}
		w.reborn()
		w.clock.Advance(5 * time.Minute)
		again, _ := w.recent(app.RecentFilter{})
		for _, r := range w.rollbackAll(t.Context(), again) {
			if !r.Done() {
				t.Errorf("step %d: %s is %s: %v", k, r.Remediation.ID, r.Remediation.State, r.Err)
			}
		}
		for i, id := range groups {
			w.in(id, dera.RolledBack)
			if got := w.canon(id); got != before[i] {
				t.Errorf("step %d: got %s, want %s", k, got, before[i])
			}
		}
		w.verifyLog()
	}
}
