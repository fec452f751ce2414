package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
	"dera.example/dera/store/storetest/postgres"
)

// TestGivingBackBlocksNoCommit: jobs that are given back and jobs that are asked for at the same time do not wait for
// each other in a circle, in whatever order they stand; PostgreSQL would break one of the two off.
func TestGivingBackBlocksNoCommit(t *testing.T) {
	t.Parallel()
	server := postgres.Start(t, postgres.Config{})
	clock := storetest.NewClock()
	s := storetest.Open(t, storetest.PostgresAt(server.URL(t)), clock)
	var jobs []dera.Job
	for i := range 200 {
		jobs = append(jobs, dera.Job{Kind: "look", Key: fmt.Sprintf("%02d", i), RunAt: clock.Now()})
	}
	if err := s.Commit(t.Context(), store.Batch{Jobs: jobs}); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		claimed, err := s.Claim(t.Context(), "us", len(jobs), time.Minute)
		if err != nil || len(claimed) != len(jobs) {
			t.Fatalf("claim: got %d jobs, %v", len(claimed), err)
		}
		slices.Reverse(jobs)
		rand.Shuffle(len(claimed), func(i, j int) { claimed[i], claimed[j] = claimed[j], claimed[i] })
		var both sync.WaitGroup
		both.Go(func() {
			if err := s.Unclaim(t.Context(), claimed); err != nil {
				t.Errorf("give back: %v", err)
			}
		})
		both.Go(func() {
			if err := s.Commit(t.Context(), store.Batch{Jobs: jobs}); err != nil {
				t.Errorf("ask: %v", err)
			}
		})
		both.Wait()
		clock.Advance(time.Hour)
	}
}
