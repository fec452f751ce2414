package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
	"dera.example/dera/store/storetest/postgres"
	"dera.example/dera/usage"
)

func oneDenial(at time.Time) usage.Batch {
	d := storetest.Denial("r", "event", at)
	return usage.Batch{Runs: map[int][]byte{0: []byte("run")}, Denials: []usage.Denied{{Denial: d, Record: storetest.Record(d.Text(), at)}}}
}

// TestDenialsHoldNobodyUp: an import whose batch holds a denial and waits for other writers of
// the ledger keeps the loop from nothing.
func TestDenialsHoldNobodyUp(t *testing.T) {
	t.Parallel()
	db, clock := storetest.Postgres(postgres.Start(t, postgres.Config{}))(t), storetest.NewClock()
	s := storetest.Open(t, db, clock)
	r := storetest.Remediation("r", "sg", clock.Now())
	r.State = dera.Resolved
	if err := s.Commit(t.Context(), store.Batch{Remediations: []dera.Remediation{r}}); err != nil {
		t.Fatal(err)
	}
	raw := db.SQL(t)
	tx, err := raw.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "SELECT pg_advisory_xact_lock(7301453803)"); err != nil { // as another writer of the ledger
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.CommitUsage(context.WithoutCancel(t.Context()), oneDenial(clock.Now())) }()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for waiting := 0; waiting == 0; {
		if err := raw.QueryRowContext(ctx, db.Waiting).Scan(&waiting); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Commit(ctx, store.Batch{Records: []dera.AuditRecord{storetest.Record("loop", clock.Now())}}); err != nil {
		t.Errorf("the loop, while an import waits: got %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	list, err := s.DenialsOf(t.Context(), "r")
	runs, err2 := s.UsageRuns(t.Context(), 0)
	if err != nil || err2 != nil || len(list) != 1 || len(runs) != 1 {
		t.Errorf("got %v and %d runs, %v, %v; want one of each", list, len(runs), err, err2)
	}
}

// TestTornRowsAreTold: what cannot be opened or read is told apart from a database that does
// not answer, and a denial comes in the place of one that cannot be read.
func TestTornRowsAreTold(t *testing.T) {
	t.Parallel()
	for name, db := range map[string]storetest.Database{"sqlite": storetest.SQLite(t), "postgres": storetest.Postgres(postgres.Start(t, postgres.Config{}))(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := storetest.NewClock()
			s := storetest.Open(t, db, clock)
			r := storetest.Remediation("r", "sg", clock.Now())
			r.State = dera.Resolved
			if err := s.Commit(t.Context(), store.Batch{Remediations: []dera.Remediation{r}}); err != nil {
				t.Fatal(err)
			}
			if err := s.CommitUsage(t.Context(), oneDenial(clock.Now())); err != nil {
				t.Fatal(err)
			}
			raw := db.SQL(t)
			for _, step := range []string{`UPDATE denials SET body = '{'`} {
				if _, err := raw.ExecContext(t.Context(), step); err != nil {
					t.Fatalf("%s: %v", step, err)
				}
			}
			if _, err := raw.ExecContext(t.Context(), `UPDATE remediations SET body = $1`, []byte("sealed with another key")); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Remediation(t.Context(), "r"); !errors.Is(err, usage.ErrTorn) {
				t.Errorf("remediation: got %v, want ErrTorn", err)
			}
			if _, err := s.DenialsOf(t.Context(), "r"); !errors.Is(err, usage.ErrTorn) {
				t.Errorf("denials: got %v, want ErrTorn", err)
			}
			if err := s.CommitUsage(t.Context(), oneDenial(clock.Now())); err != nil {
				t.Errorf("commit: got %v", err)
			}
			if list, err := s.DenialsOf(t.Context(), "r"); err != nil || len(list) != 1 {
				t.Errorf("denials: got %v, %v; want one", list, err)
			}
		})
	}
}
