package storetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/store"
)

func batchTests() map[string]func(*world) {
	return map[string]func(*world){
		"batch_is_all_or_nothing_on_refusal":            batchRefused,
		"batch_is_all_or_nothing_when_a_table_breaks":   batchBroken,
		"batch_is_nothing_when_the_context_is_over":     batchCancelled,
		"batch_is_nothing_when_its_sealer_panics":       batchPanics,
		"whole_batch_is_there_after_its_commit":         batchThere,
		"remediation_changes_from_the_read_revision_on": compareAndSet,
		"one_of_many_writers_of_a_revision_wins":        compareAndSetRace,
		"batches_in_any_order_never_block_each_other":   noDeadlock,
	}
}

// unchanged fails unless what f did left every row as it was.
func (w *world) unchanged(f func()) {
	w.Helper()
	before := Dump(w, w.db)
	f()
	if after := Dump(w, w.db); after != before {
		w.Errorf("rows: got\n%s\nwant\n%s", after, before)
	}
}

// held returns a lease on a resource for an hour.
func (w *world) held(resource string) dera.Lease {
	w.Helper()
	return must(w.store.Lease(w.Context(), resource, "us", time.Hour))(w)
}

func batchRefused(w *world) {
	l := w.held("sg")
	w.commit(full("old", l, w.clock.Now()))
	never := time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) // JSON has no such time
	for _, tt := range []struct {
		name string
		edit func(b *store.Batch)
		want error
	}{
		{"fence_with_another_token", func(b *store.Batch) { b.Fence.Token++ }, store.ErrFenced},
		{"spend_over_its_limit", func(b *store.Batch) { b.Spends = append(b.Spends, spend("more", 2, w.clock.Now())) }, store.ErrBudget},
		{"finding_that_is_no_json", func(b *store.Batch) { b.Findings[0].FirstSeen = never }, nil},
		{"remediation_that_is_no_json", func(b *store.Batch) { b.Remediations[0].CreatedAt = never }, nil},
		{"new_remediation_that_is_there", func(b *store.Batch) { b.Remediations[0].ID = "old" }, store.ErrConflict},
		{"remediation_that_was_changed", func(b *store.Batch) {
			b.Remediations = append(b.Remediations, Remediation("old", "sg-old", w.clock.Now()))
			b.Remediations[1].Revision = 7
		}, store.ErrConflict},
		{"intent_that_is_no_json", func(b *store.Batch) { b.Intents[0].At = never }, nil},
		{"stop_that_is_no_json", func(b *store.Batch) { b.Stops[0].At = never }, nil},
		{"record_that_is_no_json", func(b *store.Batch) { b.Records[1].Time = never }, nil},
		{"record_that_is_too_large", func(b *store.Batch) { b.Records[1].Why = strings.Repeat("x", audit.MaxLeaf) }, nil},
	} {
		w.Run(tt.name, func(t *testing.T) { // not parallel: the tests look at all rows
			w := &world{t, w.db, w.clock, w.store}
			w.unchanged(func() {
				b := full("new", l, w.clock.Now())
				tt.edit(&b)
				err := w.store.Commit(w.Context(), b)
				if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
					w.Errorf("commit: got %v, want error %v", err, tt.want)
				}
			})
		})
	}
}

func batchBroken(w *world) {
	l := w.held("sg")
	w.commit(full("old", l, w.clock.Now()))
	for _, table := range append(batchTables(), "leases") {
		w.Run(table, func(t *testing.T) { // not parallel: the tests take tables away
			w := &world{t, w.db, w.clock, w.store}
			w.unchanged(func() {
				exec(w, w.db, "ALTER TABLE "+table+" RENAME TO gone")
				if err := w.store.Commit(w.Context(), full("new", l, w.clock.Now())); err == nil {
					w.Errorf("commit without the table: got no error")
				}
				exec(w, w.db, "ALTER TABLE gone RENAME TO "+table)
			})
		})
	}
	w.commit(full("new", l, w.clock.Now()))
}

func batchCancelled(w *world) {
	l := w.held("sg")
	ctx, cancel := cancelled(w)
	defer cancel()
	w.unchanged(func() {
		if err := w.store.Commit(ctx, full("new", l, w.clock.Now())); err == nil {
			w.Errorf("commit: got no error, want the context's")
		}
	})
}

// panicking is a sealer with a bug.
type panicking struct{ store.Sealer }

func (p panicking) Seal(context string, plain []byte) ([]byte, error) {
	if strings.HasPrefix(context, "evidence/") {
		panic("bug")
	}
	return p.Sealer.Seal(context, plain)
}

func batchPanics(w *world) {
	s := must(store.Open(w.Context(), store.Config{URL: w.db.URL, Sealer: panicking{Vault(w, 1)}, Now: w.clock.Now}))(w)
	defer s.Close()
	l := w.held("sg")
	w.unchanged(func() {
		defer func() {
			if recover() == nil {
				w.Errorf("commit: got no panic")
			}
		}()
		_ = s.Commit(w.Context(), full("new", l, w.clock.Now()))
	})
	// The transaction is over, so the same handle can go on.
	if err := s.Commit(w.Context(), store.Batch{Counts: map[string]int64{"after": 1}}); err != nil {
		w.Errorf("commit after a panic: got %v", err)
	}
}

func batchThere(w *world) {
	l := w.held("sg")
	w.commit(full("new", l, w.clock.Now()))
	dump := Dump(w, w.db)
	for _, table := range batchTables() {
		if !strings.Contains("\n"+dump, "\n"+table+":") {
			w.Errorf("rows in %s: got none", table)
		}
	}
}

func compareAndSet(w *world) {
	r := Remediation("r", "sg", w.clock.Now())
	w.commit(store.Batch{Remediations: []dera.Remediation{r}})
	for want := int64(1); want <= 3; want++ {
		r = must(w.store.Remediation(w.Context(), "r"))(w)
		if r.Revision != want {
			w.Fatalf("revision: got %d, want %d", r.Revision, want)
		}
		stale := r
		stale.Revision--
		if err := w.store.Commit(w.Context(), store.Batch{Remediations: []dera.Remediation{stale}}); !errors.Is(err, store.ErrConflict) {
			w.Errorf("commit of revision %d: got %v, want %v", stale.Revision, err, store.ErrConflict)
		}
		r.State = dera.Applying
		w.commit(store.Batch{Remediations: []dera.Remediation{r}})
	}
	if got := must(w.store.RemediationsIn(w.Context(), dera.Applying))(w); len(got) != 1 || got[0].Revision != 4 {
		w.Errorf("remediations: got %+v, want one with revision 4", got)
	}
}

func compareAndSetRace(w *world) {
	w.commit(store.Batch{Remediations: []dera.Remediation{Remediation("r", "sg", w.clock.Now())}})
	r := must(w.store.Remediation(w.Context(), "r"))(w)
	won := 0
	for _, err := range w.race(12, func(s *store.Store, _ int) error {
		return s.Commit(w.Context(), store.Batch{Remediations: []dera.Remediation{r}, Records: []dera.AuditRecord{Record("won", w.clock.Now())}})
	}) {
		if err == nil {
			won++
		} else if !errors.Is(err, store.ErrConflict) {
			w.Errorf("commit: got %v, want %v", err, store.ErrConflict)
		}
	}
	if n := must(w.store.LogSize(w.Context()))(w); won != 1 || n != 1 {
		w.Errorf("winners and records: got %d and %d, want 1 and 1", won, n)
	}
}

// noDeadlock writes the same rows in opposite orders at the same time.
func noDeadlock(w *world) {
	for _, err := range w.race(16, func(s *store.Store, i int) error {
		a, b := look("a", w.clock.Now()), look("b", w.clock.Now())
		f, g := Finding("a", dera.High, w.clock.Now()), Finding("b", dera.High, w.clock.Now())
		if i%2 == 0 {
			a, b, f, g = b, a, g, f
		}
		for range 5 {
			batch := store.Batch{
				Jobs: []dera.Job{a, b}, Findings: []dera.Finding{f, g}, Counts: map[string]int64{"x": 1, "y": 1, "z": 1},
				Evidence: map[string][]byte{"p": []byte("p"), "q": []byte("q")},
			}
			if err := s.Commit(w.Context(), batch); err != nil {
				return err
			}
		}
		return nil
	}) {
		if err != nil {
			w.Errorf("commit: %v", err)
		}
	}
	if got := must(w.store.Counters(w.Context()))(w); got["x"] != 80 || got["y"] != 80 || got["z"] != 80 {
		w.Errorf("counters: got %v, want 80 each", got)
	}
}
