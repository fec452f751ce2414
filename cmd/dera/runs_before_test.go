package main

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
	ledger "dera.example/dera/usage"
)

// TestRunsBeforeAreRemembered: what controls did is read once for a sweep, and again for
// what was decided after it was read, after a minute, and for other accounts.
func TestRunsBeforeAreRemembered(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock()
	db := storetest.Open(t, storetest.Database{URL: "sqlite:" + filepath.Join(t.TempDir(), "dera.db")}, clock)
	runs := &runsBefore{store: db, now: clock.Now}
	account := storetest.Remediation("x", "x", clock.Now()).Plan.Account
	made := 0
	add := func() {
		made++
		at := clock.Now().Add(time.Duration(made) * time.Microsecond)
		r := storetest.Remediation("r-"+at.Format("150405.000000"), "sg", at)
		r.State, r.Steps = dera.Resolved, []dera.Step{{State: dera.Resolved, At: at}}
		d := storetest.Denial(r.ID, "e", at)
		b := store.Batch{Remediations: []dera.Remediation{r}}
		b.Use.Denials = append(b.Use.Denials, ledger.Denied{Denial: d, Record: storetest.Record(d.Text(), at)})
		if err := db.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	read := func(since time.Time, accounts ...string) int {
		t.Helper()
		list, err := runs.RunsBefore(t.Context(), "aws", accounts, since)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list {
			if r.Against == "" || r.Done.IsZero() {
				t.Errorf("run: got %+v, want one that was done and denied something", r)
			}
		}
		return len(list)
	}
	add()
	want := func(what string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %d, want %d", what, got, want)
		}
	}
	want("the first read", read(time.Time{}, account), 1)
	add()
	want("in the same sweep", read(time.Time{}, account), 1)
	want("decided before it was read", read(clock.Now().Add(-time.Second), account), 1)
	want("decided since", read(clock.Now(), account), 2)
	want("of another account", read(time.Time{}, "222222222222"), 0)
	add()
	clock.Advance(runsKept)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() { _, _ = runs.RunsBefore(t.Context(), "aws", []string{account}, time.Time{}) })
	}
	group.Wait()
	want("a minute later", read(time.Time{}, account), 3)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	clock.Advance(runsKept)
	if list, err := runs.RunsBefore(t.Context(), "aws", []string{account}, time.Time{}); err == nil {
		t.Errorf("without a database: got %v, want an error", list)
	}
}
