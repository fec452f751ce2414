package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"dera.example/dera"
	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
	"dera.example/dera/store/storetest/postgres"
)

// TestCommitEach: batches that are committed together share transactions, and each has its own result.
func TestCommitEach(t *testing.T) {
	t.Parallel()
	now := storetest.NewClock().Now()
	batch := func(i int) (b store.Batch, want error) {
		id := fmt.Sprint(i)
		b.Records = []dera.AuditRecord{storetest.Record(id, now)}
		b.Counts = map[string]int64{"n": 1}
		switch {
		case i%10 == 3:
			b.Fence, want = &dera.Lease{Resource: "nobody's", Owner: "us", Token: 1}, store.ErrFenced
		case i%10 == 5: // each tenth is about the same remediation: the first makes it, and the others are too late
			b.Remediations = []dera.Remediation{storetest.Remediation("r-same", "sg", now)}
			if i > 5 {
				want = store.ErrConflict
			}
		case i%10 == 7:
			b.Spends, want = []store.Spend{{Remediation: id, Account: "1", Control: "c", At: now, Limit: -1}}, store.ErrBudget
		}
		return b, want
	}
	each := func(t *testing.T, s *store.Store) {
		list, want, through := make([]store.Batch, 100), make([]error, 100), 0
		for i := range list {
			if list[i], want[i] = batch(i); want[i] == nil {
				through++
			}
		}
		got := s.CommitEach(t.Context(), list)
		for i := range list {
			if !errors.Is(got[i], want[i]) {
				t.Errorf("batch %d: got %v, want %v", i, got[i], want[i])
			}
		}
		if n := counter(t, s, "n"); n != int64(through) {
			t.Errorf("%d went through, want %d", n, through)
		}
		over, cancel := context.WithCancel(t.Context())
		cancel()
		for i, err := range s.CommitEach(over, list[:3]) {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("batch %d when all is over: got %v, want %v", i, err, context.Canceled)
			}
		}
		if n := counter(t, s, "n"); n != int64(through) {
			t.Errorf("%d went through after all was over, want %d", n, through)
		}
		if got := s.CommitEach(t.Context(), nil); len(got) != 0 {
			t.Errorf("of nothing: got %v, want nothing", got)
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		each(t, storetest.Open(t, storetest.SQLite(t), storetest.NewClock()))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		p := storetest.Through(t, postgres.Start(t, postgres.Config{}).URL(t), 0)
		s := storetest.Open(t, storetest.PostgresAt(p.URL), storetest.NewClock())
		before := p.Trips()
		each(t, s)
		// Ten of them are about the same remediation: none of those shares a transaction with another.
		if trips := p.Trips() - before; trips > 120 {
			t.Errorf("got %d round trips, want at most 120", trips)
		}
	})
}

func counter(t *testing.T, s *store.Store, name string) int64 {
	t.Helper()
	all, err := s.Counters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all[name]
}
