package storetest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"dera.example/dera"
	"dera.example/dera/store"
)

func claimTests() map[string]func(*world) {
	return map[string]func(*world){
		"claim_takes_by_priority_then_time":           claimOrder,
		"claim_takes_no_more_than_asked_for":          claimLimit,
		"claim_waits_for_run_at":                      claimRunAt,
		"claimed_job_is_skipped_until_its_claim_ends": claimSkips,
		"claim_writes_nothing_when_nothing_is_due":    claimReads,
		"many_claimers_never_share_a_job":             claimRace,
		"many_claimers_with_short_claims_lose_none":   claimLapse,
	}
}

func keys(jobs []dera.Job) []string {
	var out []string
	for _, j := range jobs {
		out = append(out, j.Kind+" "+j.Key)
	}
	return out
}

func (w *world) checkClaim(owner string, n int, want ...string) {
	w.Helper()
	if got := keys(w.claim(owner, n)); !slices.Equal(got, want) {
		w.Errorf("claim of %d: got %v, want %v", n, got, want)
	}
}

func claimOrder(w *world) {
	now := w.clock.Now()
	w.clock.Advance(time.Hour)
	w.ask(
		dera.Job{Kind: "look", Key: "later", Priority: 10, RunAt: now.Add(time.Second)},
		dera.Job{Kind: "look", Key: "B", Priority: 10, RunAt: now},
		dera.Job{Kind: "look", Key: "a", Priority: 10, RunAt: now},
		dera.Job{Kind: "expire", Key: "z", Priority: 10, RunAt: now},
		dera.Job{Kind: "look", Key: "sweep", Priority: 20, RunAt: now.Add(-time.Hour)},
		dera.Job{Kind: "remediate", Key: "critical", Priority: -1, RunAt: now.Add(time.Minute)},
	)
	w.checkClaim("us", 2, "remediate critical", "expire z")
	w.checkClaim("us", 3, "look B", "look a", "look later")
	w.checkClaim("us", 3, "look sweep")
	w.checkClaim("us", 3)
}

func claimLimit(w *world) {
	for i := range 10 {
		w.ask(look(fmt.Sprint(i), w.clock.Now()))
	}
	for _, n := range []int{-1, 0} {
		w.checkClaim("us", n)
	}
	for _, n := range []int{1, 3, 4} {
		if got := w.claim("us", n); len(got) != n {
			w.Errorf("claim of %d: got %d", n, len(got))
		}
	}
	if got := w.claim("us", 100); len(got) != 2 {
		w.Errorf("claim of the rest: got %d, want 2", len(got))
	}
}

func claimRunAt(w *world) {
	w.ask(look("a", w.at(time.Minute)))
	w.checkClaim("us", 1)
	w.clock.Advance(time.Minute - time.Microsecond)
	w.checkClaim("us", 1)
	w.clock.Advance(time.Microsecond)
	w.checkClaim("us", 1, "look a")
}

func claimSkips(w *world) {
	w.ask(look("a", w.clock.Now()), look("b", w.clock.Now()))
	w.checkClaim("us", 1, "look a")
	w.checkClaim("them", 1, "look b")
	w.checkClaim("them", 1)
	w.clock.Advance(time.Minute - time.Microsecond)
	w.checkClaim("them", 2)
	w.clock.Advance(time.Microsecond)
	j := w.claim("them", 2)
	if len(j) != 2 || j[0].Attempts != 2 || !j[0].LeasedUntil.Equal(w.at(time.Minute)) {
		w.Errorf("claim after the claim's end: got %+v, want two at attempt 2, for a minute", j)
	}
}

// claimReads claims while someone keeps everybody from writing.
func claimReads(w *world) {
	w.ask(look("leased", w.clock.Now()), look("later", w.at(time.Hour)))
	w.checkClaim("us", 1, "look leased")
	release := w.block()
	w.checkClaim("us", 1) // returns, although it could not write
	release()
}

func claimRace(w *world) {
	const jobs, claimers = 60, 8
	var batch []dera.Job
	for i := range jobs {
		batch = append(batch, look(fmt.Sprint(i), w.clock.Now()))
	}
	w.ask(batch...)
	var mu sync.Mutex
	times := map[string]int{}
	for _, err := range w.race(claimers, func(s *store.Store, i int) error {
		for {
			got, err := s.Claim(w.Context(), fmt.Sprint(i), 3, time.Hour)
			if err != nil {
				return err
			}
			mu.Lock()
			for _, j := range got {
				times[j.Key]++
			}
			all := len(times) == jobs
			mu.Unlock()
			if all {
				return nil
			}
			if len(got) > 0 {
				if err := s.Commit(w.Context(), store.Batch{Done: got[:1]}); err != nil {
					return err
				}
			}
		}
	}) {
		if err != nil {
			w.Errorf("claim: %v", err)
		}
	}
	for key, n := range times {
		if n != 1 {
			w.Errorf("job %s: got %d claims, want 1", key, n)
		}
	}
}

// claimLapse has claims that run out all the time and jobs that are asked for
// while they run. Each ask is followed by a run that begins after it.
func claimLapse(w *world) {
	const keysOf, asks, claimers = 5, 40, 6
	var mu sync.Mutex
	asked, seen := map[string]int64{}, map[string]int64{} // how often a key was asked for, and how much of it a finished run saw
	ask := func(s *store.Store, key string) error {
		mu.Lock() // the count is raised before the ask, so a run sees at least what was committed
		defer mu.Unlock()
		asked[key]++
		return s.Commit(w.Context(), store.Batch{Jobs: []dera.Job{look(key, w.clock.Now())}})
	}
	pass := func(s *store.Store, owner string) (int, error) {
		got, err := s.Claim(w.Context(), owner, 2, time.Second)
		for _, j := range got {
			mu.Lock()
			saw := asked[j.Key]
			mu.Unlock()
			w.clock.Advance(400 * time.Millisecond)
			if err := s.Commit(w.Context(), store.Batch{Done: []dera.Job{j}}); err != nil {
				return 0, err
			}
			mu.Lock()
			seen[j.Key] = max(seen[j.Key], saw)
			mu.Unlock()
		}
		return len(got), err
	}
	for _, err := range w.race(claimers, func(s *store.Store, i int) error {
		for n := range asks {
			if err := ask(s, fmt.Sprint((i+n)%keysOf)); err != nil {
				return err
			}
			if _, err := pass(s, fmt.Sprint(i)); err != nil {
				return err
			}
		}
		return nil
	}) {
		if err != nil {
			w.Errorf("run: %v", err)
		}
	}
	for n := 1; n > 0; {
		w.clock.Advance(time.Second)
		var err error
		if n, err = pass(w.store, "last"); err != nil {
			w.Fatal(err)
		}
	}
	w.checkJobs()
	for key, n := range asked {
		if seen[key] != n {
			w.Errorf("key %s: a run saw %d asks, want %d", key, seen[key], n)
		}
	}
}
