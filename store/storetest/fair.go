package storetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/store"
)

func fairTests() map[string]func(*world) {
	return map[string]func(*world){
		"fair_claim_goes_round_over_accounts":     fairRound,
		"fair_claim_finds_others_in_any_backlog":  fairBacklog,
		"fair_claim_bounds_one_account":           fairBound,
		"fair_claim_takes_all_and_each_job_once":  fairAll,
		"fair_claims_of_many_never_share_a_job":   fairRace,
		"fair_claim_takes_jobs_that_have_no_name": fairOthers,
	}
}

// lookIn is a look at a resource of an account.
func lookIn(account, id string, priority int, at time.Time) dera.Job {
	return dera.Job{Kind: "look", Key: dera.Scope{Partition: "aws", Account: account, Region: "eu-west-1", Type: "t", IDs: []string{id}}.Key(), Priority: priority, RunAt: at}
}

func accountsOf(jobs []dera.Job) (out []string) {
	for _, j := range jobs {
		if part := strings.Split(j.Key, "/"); len(part) > 2 {
			out = append(out, part[1])
		} else {
			out = append(out, j.Key)
		}
	}
	return out
}

func (w *world) fair(n int, f store.Fair) []dera.Job {
	w.Helper()
	return must(w.store.ClaimFair(w.Context(), "us", n, time.Minute, f))(w)
}

// flood has many looks at an account, each older than those of others.
func (w *world) flood(account string, n int) {
	var jobs []dera.Job
	for i := range n {
		jobs = append(jobs, lookIn(account, fmt.Sprintf("r-%d", i), 10, w.clock.Now().Add(-time.Hour)))
	}
	w.ask(jobs...)
}

func fairRound(w *world) {
	w.flood("b", 5)
	w.ask(lookIn("a", "x", 10, w.clock.Now()), lookIn("c", "x", 10, w.clock.Now()), lookIn("c", "urgent", 4, w.clock.Now()))
	for i, want := range []string{"c", "c", "a", "b", "b"} { // the urgent one, then behind b, then round
		after := []string{"", "b", "c", "a", "b"}[i]
		if got := accountsOf(w.fair(1, store.Fair{Most: 2, After: after})); !slices.Equal(got, []string{want}) {
			w.Errorf("claim %d behind %q: got %v, want %s", i, after, got, want)
		}
	}
}

func fairBacklog(w *world) {
	w.flood("m", 300)
	now := w.clock.Now()
	var jobs []dera.Job
	for i := range 60 {
		jobs = append(jobs, lookIn(fmt.Sprintf("%02d", i), "x", 10, now), lookIn(fmt.Sprintf("z%02d", i), "x", 15, now))
	}
	w.ask(jobs...)
	seen, after, claims := map[string]bool{}, "", 0
	for len(seen) < 120 && claims < 149 {
		claims++
		for _, a := range accountsOf(w.fair(4, store.Fair{Most: 2, Busy: map[string]int{"m": 0}, After: after})) {
			after = a
			if a != "m" {
				seen[a] = true
			}
		}
	}
	if len(seen) != 120 || claims > 150 {
		w.Errorf("got the looks of %d other accounts in %d claims, want all 120: no backlog of one starves them", len(seen), claims)
	}
}

func fairBound(w *world) {
	w.flood("b", 100)
	w.ask(lookIn("a", "x", 19, w.clock.Now()))
	w.ask(lookIn("b", "critical", 4, w.clock.Now()))
	if got := accountsOf(w.fair(1, store.Fair{Most: 2, Busy: map[string]int{"b": 1}})); !slices.Equal(got, []string{"b"}) {
		w.Errorf("a critical one below the bound: got %v", got)
	}
	if got := accountsOf(w.fair(1, store.Fair{Most: 2, Busy: map[string]int{"b": 2}})); !slices.Equal(got, []string{"a"}) {
		w.Errorf("at the bound: got %v, want the other account", got)
	}
	if got := accountsOf(w.fair(3, store.Fair{Most: 2, Busy: map[string]int{"b": 2}})); len(got) != 3 {
		w.Errorf("with nobody else: got %v, want three of b: a free worker helps nobody", got)
	}
}

func fairAll(w *world) {
	w.flood("a", 120)
	w.flood("b", 30)
	w.ask(dera.Job{Kind: "remediate", Key: "r-1", RunAt: w.clock.Now()}, lookIn("c", "later", 10, w.at(time.Hour)))
	once, first := map[string]bool{}, true
	for {
		jobs := w.fair(7, store.Fair{Most: 4})
		if first && jobs[0].Kind != "remediate" {
			w.Errorf("got %+v first, want the remediation", jobs[0])
		}
		first = false
		for _, j := range jobs {
			if once[j.Kind+j.Key] {
				w.Errorf("%s was claimed twice", j.Key)
			}
			once[j.Kind+j.Key] = true
		}
		if len(jobs) == 0 {
			break
		}
	}
	if len(once) != 151 {
		w.Errorf("got %d jobs, want all that were due", len(once))
	}
}

func fairRace(w *world) {
	w.flood("a", 40)
	w.flood("b", 40)
	claimed := make(chan dera.Job, 200)
	for i, err := range w.race(16, func(s *store.Store, i int) error {
		jobs, err := s.ClaimFair(w.Context(), fmt.Sprint(i), 5, time.Minute, store.Fair{Most: 3})
		for _, j := range jobs {
			claimed <- j
		}
		return err
	}) {
		if err != nil {
			w.Errorf("claimer %d: %v", i, err)
		}
	}
	close(claimed)
	once := map[string]bool{}
	for j := range claimed {
		if once[j.Key] {
			w.Errorf("%s was claimed twice", j.Key)
		}
		once[j.Key] = true
	}
	if len(once) == 0 {
		w.Error("nobody claimed anything")
	}
}

// fairOthers: keys of any form are no account, and starve nothing.
func fairOthers(w *world) {
	for _, key := range []string{"a", "a/b", "/", "//", "x/" + strings.Repeat("y", 5000) + "/z", "ä/ö/ü"} {
		w.ask(dera.Job{Kind: "look", Key: key, Priority: 10, RunAt: w.clock.Now()})
	}
	if got := w.fair(10, store.Fair{Most: 1}); len(got) != 6 {
		w.Errorf("got %d jobs, want all 6", len(got))
	}
}
