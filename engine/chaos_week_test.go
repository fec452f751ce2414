package engine_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"dera.example/dera"
	typed "dera.example/dera/resource/world"
)

// The environment of the weeks: how many, the first of them, and a file to which a failing one is added.
const (
	chaosWeeks  = "DERA_CHAOS_WEEKS"
	chaosWeek   = "DERA_CHAOS_WEEK"
	chaosFailed = "DERA_CHAOS_FAILED"
)

// failedWeeks are weeks that once failed, by what they showed.
func failedWeeks() map[string]uint64 { return map[string]uint64{} }

// means is what a mean week must have at least.
type means struct{ accounts, types, events, fixes, sweeps, faults, kills float64 }

func (m means) String() string {
	return fmt.Sprintf("%.1f accounts, %.1f types, %.1f events, %.1f fixes, %.1f sweeps, %.1f faults, %.1f kills", m.accounts, m.types, m.events, m.fixes, m.sweeps, m.faults, m.kills)
}

func (m *means) add(o means) {
	m.accounts, m.types, m.events, m.fixes = m.accounts+o.accounts, m.types+o.types, m.events+o.events, m.fixes+o.fixes
	m.sweeps, m.faults, m.kills = m.sweeps+o.sweeps, m.faults+o.faults, m.kills+o.kills
}

func (m means) over(n float64) means {
	return means{m.accounts / n, m.types / n, m.events / n, m.fixes / n, m.sweeps / n, m.faults / n, m.kills / n}
}

func (m means) atLeast(o means) bool {
	return m.accounts >= o.accounts && m.types >= o.types && m.events >= o.events && m.fixes >= o.fixes && m.sweeps >= o.sweeps && m.faults >= o.faults && m.kills >= o.kills
}

// leastWeeks is for how many weeks the means have to hold.
const leastWeeks = 20

// TestWeek runs engines for weeks of several accounts by a clock of its own: people change things, events come late, twice or
// never, calls fail, and processes die. What holds for a storm holds at the end of each week.
func TestWeek(t *testing.T) {
	t.Parallel()
	for name, seed := range failedWeeks() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			week(t, seed)
		})
	}
	var mu sync.Mutex
	var sum means
	n := 0
	began := cpuTime(t)
	t.Run("seeds", func(t *testing.T) {
		for seed := range seedsOf(t, chaosWeeks, chaosWeek, 4) {
			t.Run(fmt.Sprintf("seed_%d", seed), func(t *testing.T) {
				t.Parallel()
				got := week(t, uint64(seed))
				mu.Lock()
				defer mu.Unlock()
				n++
				sum.add(got)
			})
		}
	})
	if n == 0 {
		return
	}
	mean := sum.over(float64(n))
	t.Logf("%d weeks, each with %s, and %d ms of CPU", n, mean, (cpuTime(t)-began).Milliseconds()/int64(n))
	if want := (means{3, 5, 30, 10, 28, 3, 1}); n >= leastWeeks && !mean.atLeast(want) {
		t.Errorf("the mean week has %s, want at least %s", mean, want)
	}
}

// cpuTime is the CPU time of this process.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// week runs one week and returns what was in it.
func week(t *testing.T, seed uint64) means {
	t.Helper()
	s := newStormOf(t, seed, weekFaults(rand.New(rand.NewPCG(seed, 1))), &mutant{config: noMutant})
	s.killed = seldom
	s.people.settleWeek()
	m := means{accounts: float64(len(s.people.accounts())), types: float64(len(s.people.types()))}
	s.week(&m)
	for _, b := range s.broken {
		t.Error(b)
	}
	if t.Failed() {
		failed(t, seed)
		if os.Getenv(chaosWeek) != "" {
			s.trace()
		}
		t.Logf("again: make chaos-long WEEK=%d WEEKS=1", seed)
	}
	list, err := s.look.Remediations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		if slices.Contains([]dera.State{dera.Resolved, dera.Collateral, dera.RolledBack}, r.State) {
			m.fixes++
		}
	}
	m.faults, m.kills = float64(s.world.Faults()), float64(s.kills)
	return m
}

// failed adds a seed to the file of those that failed.
func failed(t *testing.T, seed uint64) {
	t.Helper()
	path := os.Getenv(chaosFailed)
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fmt.Fprintln(f, seed)
}

// weekFaults are rarer than those of a storm: there are many more calls.
func weekFaults(random *rand.Rand) typed.Faults {
	f := faults(random)
	for _, p := range []*float64{&f.Throttle, &f.Hang, &f.Expired, &f.Denied, &f.Stale, &f.Absent, &f.LostPage, &f.LostAnswer, &f.NoEffect, &f.Meanwhile} {
		*p /= 10
	}
	return f
}

// seldom is the end of the first process in the course of a week, and of one in three after it.
func seldom(s *storm) int {
	if s.processes > 1 && s.rand.IntN(3) > 0 {
		return 0
	}
	return 1 + s.rand.IntN(600)
}

// chaosAccounts are the accounts of a week.
func chaosAccounts() []string { return []string{account, "222233334444", "333344445555"} }

// settleWeek makes the resources of a week: groups in two accounts, a bucket under the block of the second, and identities in
// the third.
func (p *people) settleWeek() {
	p.few = p.rand.IntN(4) > 0
	first, second, third := chaosAccounts()[0], chaosAccounts()[1], chaosAccounts()[2]
	p.add(newGroupIn(first, 0), groupChaos{}, 1)
	p.add(newGroupIn(second, 1), groupChaos{}, 0)
	p.add(newBucketIn(second, 0), bucketChaos{}, 1)
	p.add(newAccountBlock(second), blockChaos{}, 0)
	p.add(newRoleIn(third, 0), roleChaos{}, 1)
	p.add(newPolicyIn(third, 0, p.rand.IntN(5)), policyChaos{}, 1)
}

// sweepEvery is the time between two sweeps of a week.
const sweepEvery = 6 * time.Hour

// week is seven days, and what comes after.
func (s *storm) week(m *means) {
	s.t.Helper()
	s.watched = true
	for end := s.clock.Now().Add(7 * 24 * time.Hour); s.clock.Now().Before(end) && len(s.broken) == 0; {
		s.revive()
		if s.now.engine.Sweep(s.t.Context(), "sweep") == nil {
			m.sweeps++
		}
		until := s.clock.Now().Add(sweepEvery)
		for range 1 + s.rand.IntN(8)/7 {
			s.live(s.clock.Now().Add(time.Duration(s.rand.Int64N(sweepEvery.Milliseconds()/2)) * time.Millisecond)) // the store knows no shorter times
			s.people.act()
			m.events++
		}
		if s.rand.IntN(10) == 0 {
			s.rollback()
		}
		s.live(until)
		s.known()
	}
	s.rest()
}

// live works until a time, or until the engine is broken.
func (s *storm) live(until time.Time) {
	s.t.Helper()
	for range 400 {
		if len(s.broken) > 0 {
			return
		}
		s.revive()
		s.deliver(s.now)
		s.drain(s.now)
		if s.now.process.Dead() {
			continue
		}
		at := until
		if next, waits := s.world.Next(); waits && next.Before(at) {
			at = next
		}
		next, waits, err := s.due(true)
		if err != nil {
			s.t.Fatal(err)
		}
		if waits && next.Before(at) {
			at = next
		}
		if d := at.Sub(s.clock.Now()); d > 0 {
			s.clock.Advance(d)
		}
		if !s.clock.Now().Before(until) {
			return
		}
	}
	s.fault("the engine does not come to rest in a quarter of a day")
}

// rest is what comes after: nothing goes wrong any more, and what must hold then holds.
func (s *storm) rest() {
	s.t.Helper()
	s.world.Calm()
	s.calm = true
	s.settle()
	if s.world.Lost() == 0 {
		s.found("without a sweep")
	}
	for range 2 {
		if err := s.now.engine.Sweep(s.t.Context(), "sweep"); err != nil {
			s.t.Fatal(err)
		}
		s.settle()
	}
	s.found("after the sweeps")
	s.end()
}

// due is when the next job is, those included by which an approval expires or not.
func (s *storm) due(expiring bool) (at time.Time, waits bool, err error) {
	jobs, err := s.look.Jobs(s.t.Context())
	for _, j := range jobs {
		if (expiring || j.Kind != "expire") && (!waits || due(j).Before(at)) {
			at, waits = due(j), true
		}
	}
	return at, waits, err
}
