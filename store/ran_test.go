package store_test

import (
	"fmt"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
)

// TestRanBeyondItsBound: however many remediations of any control were made since, one that
// failed, or of which a rollback found nothing to do, is among what ran.
func TestRanBeyondItsBound(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock()
	s, now := storetest.Open(t, storetest.SQLite(t), clock), clock.Now()
	const day, many = 24 * time.Hour, 5000
	var b store.Batch
	add := func(id string, state dera.State, ago time.Duration) {
		r := storetest.Remediation(id, id, now.Add(-ago))
		r.State = state
		b.Remediations = append(b.Remediations, r)
	}
	add("r-undone", dera.Collateral, 500*day)
	add("r-failed", dera.Failed, 20*day)
	add("r-first", dera.Resolved, 19*day)
	for i := range many {
		add(fmt.Sprintf("r-%d", i), dera.Resolved, day)
	}
	if err := s.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	list, _, err := s.Ran(t.Context(), "aws", []string{b.Remediations[0].Plan.Account}, now.Add(-430*day))
	if err != nil || len(list) != many+2 || list[0].ID != "r-undone" || list[1].ID != "r-failed" {
		t.Errorf("got %d, %v, want r-undone, r-failed and the newest %d", len(list), err, many)
	}
}
