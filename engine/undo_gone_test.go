package engine_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/remediate"
)

// logged are the records of the log.
func (w *world) logged() (out []dera.AuditRecord) {
	w.t.Helper()
	leaves, err := w.store.Leaves(w.t.Context(), 0, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, leaf := range leaves {
		var r dera.AuditRecord
		if err := json.Unmarshal(leaf, &r); err != nil {
			w.t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// TestFailedUndoOfWhatIsGoneIsClosed: an undo failed, and then the resource was deleted.
// A person's order closes it, with who gave it and why in the record, and writes nothing.
func TestFailedUndoOfWhatIsGoneIsClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	w.look(id)
	fault := w.cloud.Inject(awssim.Fault{Match: byEngine(authorize), Kind: awssim.Denied})
	r, err := w.rollback(w.only(id).ID)
	if err != nil {
		t.Fatal(err)
	}
	wantState(t, r, dera.UndoFailed)
	fault.Remove()
	w.remove(id)
	w.look(id)
	wantState(t, w.only(id), dera.UndoFailed) // a person has to look
	writes, records := len(w.ours("")), len(w.logged())
	if r, err = w.rollback(r.ID); err != nil {
		t.Fatal(err)
	}
	wantState(t, r, dera.Collateral)
	why := r.Steps[len(r.Steps)-1].Why
	for _, want := range []string{"does not exist any more", "user/ann", "it broke the build"} {
		if !strings.Contains(why, want) {
			t.Errorf("why: got %q, want %q in it", why, want)
		}
	}
	if n := len(w.ours("")); n != writes {
		t.Errorf("writes: got %d more, want none", n-writes)
	}
	added := w.logged()[records:]
	if !slices.ContainsFunc(added, func(r dera.AuditRecord) bool {
		return r.Kind == dera.RecordRollback && r.State == dera.Collateral && r.Why == why
	}) {
		t.Errorf("records: got %+v, want one of the order", added)
	}
	var no *remediate.RefusedError
	if _, err = w.rollback(r.ID); !errors.As(err, &no) || !strings.Contains(no.Why, "does not exist") {
		t.Errorf("once more: got %v, want a refusal", err)
	}
	w.quiet()
}
