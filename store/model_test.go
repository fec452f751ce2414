package store_test

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dera.example/dera"
	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
)

// TestModel holds jobs and leases against a model in memory, over random
// histories with workers that are late, crash and come back.
func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		clock := storetest.NewClock()
		dir := t.TempDir()
		s, err := store.Open(t.Context(), store.Config{URL: "sqlite:" + dir + "/dera.db", Sealer: storetest.Vault(t, 1), Now: clock.Now})
		if err != nil {
			r.Fatal(err)
		}
		defer s.Close()
		m := &model{TB: t, store: s, clock: clock, jobs: map[string]*modelJob{}, leases: map[string]*dera.Lease{}}
		r.Repeat(map[string]func(*rapid.T){
			"ask": m.ask, "claim": m.claim, "done": m.done, "retry": m.retry, "unclaim": m.unclaim, "cancel": m.cancel, "advance": m.advance,
			"lease": m.lease, "release": m.release, "fence": m.fence, "": m.check,
		})
		m.drain(r)
	})
}

// TestClaimIsNotAnOlderOne ends one claim twice, while a younger one of the same
// key, of the same count and until the same instant, was asked for once more.
func TestClaimIsNotAnOlderOne(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock()
	s, err := store.Open(t.Context(), store.Config{URL: "sqlite:" + t.TempDir() + "/dera.db", Sealer: storetest.Vault(t, 1), Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ask := func() {
		if err := s.Commit(t.Context(), store.Batch{Jobs: []dera.Job{{Kind: "look", Key: "a", RunAt: clock.Now()}}}); err != nil {
			t.Fatal(err)
		}
	}
	claim := func() dera.Job {
		got, err := s.Claim(t.Context(), "worker", 1, time.Minute)
		if err != nil || len(got) != 1 {
			t.Fatalf("claim: got %v, %v, want one", got, err)
		}
		return got[0]
	}
	done := func(j dera.Job) {
		if err := s.Commit(t.Context(), store.Batch{Done: []dera.Job{j}}); err != nil {
			t.Fatal(err)
		}
	}
	ask()
	first := claim()
	done(first)
	ask()
	second := claim()
	done(first)
	if err := s.Retry(t.Context(), first, clock.Now()); err != nil {
		t.Fatal(err)
	}
	if left, err := s.Jobs(t.Context()); err != nil || len(left) != 1 || left[0].Claim != second.Claim {
		t.Fatalf("jobs after an older claim was ended twice: got %v, %v, want %v", left, err, second)
	}
	done(second)
	if left, err := s.Jobs(t.Context()); err != nil || len(left) != 0 {
		t.Fatalf("jobs at the end: got %v, %v, want none", left, err)
	}
}

// TestClaimOfAProcessOfBefore: a process that opened the database before claims had
// numbers goes on working beside this one. An older claim of ours ends none of its.
func TestClaimOfAProcessOfBefore(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock()
	path := t.TempDir() + "/dera.db"
	s, err := store.Open(t.Context(), store.Config{URL: "sqlite:" + path, Sealer: storetest.Vault(t, 1), Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Commit(t.Context(), store.Batch{Jobs: []dera.Job{{Kind: "look", Key: "a", RunAt: clock.Now()}}}); err != nil {
		t.Fatal(err)
	}
	ours, err := s.Claim(t.Context(), "ours", 1, time.Second)
	if err != nil || len(ours) != 1 {
		t.Fatalf("claim: got %v, %v, want one", ours, err)
	}
	clock.Advance(2 * time.Second)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `UPDATE jobs SET leased_until = $1, owner = 'before', attempts = attempts + 1`, clock.Now().Add(time.Hour).UnixMicro()); err != nil {
		t.Fatal(err)
	}
	before, err := s.Jobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Commit(t.Context(), store.Batch{Done: ours}), s.Retry(t.Context(), ours[0], clock.Now())); err != nil {
		t.Fatal(err)
	}
	after, err := s.Jobs(t.Context())
	if diff := gocmp.Diff(before, after); err != nil || diff != "" {
		t.Errorf("%v, after an older claim was ended: got (+) and want (-):\n%s", err, diff)
	}
}

// modelJob is a job as the documentation of package dera and package store has
// it, said in the words of a claim rather than of columns.
type modelJob struct {
	dera.Job
	claimed bool
	again   *time.Time // asked for since the claim, the earliest time
}

type model struct {
	testing.TB
	store   *store.Store
	clock   *storetest.Clock
	jobs    map[string]*modelJob
	claims  []dera.Job // all that were ever made, also lost ones
	saw     []int      // what had been asked for when each was made
	leases  map[string]*dera.Lease
	holders []dera.Lease
	// asked counts the asks of a key over all its lives; served is how many of
	// them a finished run saw.
	asked, served map[string]int
}

func (m *model) commit(r *rapid.T, b store.Batch) {
	if err := m.store.Commit(m.Context(), b); err != nil {
		r.Fatalf("commit: %v", err)
	}
}

func drawKey(r *rapid.T) string { return rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "key") }

func (m *model) ask(r *rapid.T) {
	key := drawKey(r)
	j := dera.Job{
		Kind: "look", Key: key, Priority: rapid.IntRange(0, 2).Draw(r, "priority"),
		RunAt:   m.clock.Now().Add(time.Duration(rapid.IntRange(-1, 3).Draw(r, "seconds")) * time.Second),
		Payload: fmt.Append(nil, rapid.IntRange(0, 9).Draw(r, "payload")),
	}
	m.commit(r, store.Batch{Jobs: []dera.Job{j}})
	if m.asked == nil {
		m.asked, m.served = map[string]int{}, map[string]int{}
	}
	m.asked[key]++
	old, there := m.jobs[key]
	if !there {
		j.Seq = 1
		m.jobs[key] = &modelJob{Job: j}
		return
	}
	old.Seq++
	old.Payload = j.Payload
	old.Priority = min(old.Priority, j.Priority)
	switch {
	case !old.claimed && j.RunAt.Before(old.RunAt):
		old.RunAt = j.RunAt
	case old.claimed && (old.again == nil || j.RunAt.Before(*old.again)):
		old.again = &j.RunAt
	}
}

func (m *model) claim(r *rapid.T) {
	n := rapid.IntRange(0, 3).Draw(r, "n")
	ttl := time.Duration(rapid.IntRange(1, 3).Draw(r, "ttl")) * time.Second
	got, err := m.store.Claim(m.Context(), "worker", n, ttl)
	if err != nil {
		r.Fatalf("claim: %v", err)
	}
	now := m.clock.Now()
	var want []dera.Job
	for _, j := range m.sorted(func(a, b dera.Job) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), a.RunAt.Compare(b.RunAt), cmp.Compare(a.Key, b.Key))
	}) {
		if len(want) < n && !j.RunAt.After(now) && !(j.claimed && j.LeasedUntil.After(now)) {
			j.claimed, j.again, j.LeasedUntil, j.Claim = true, nil, now.Add(ttl), 0
			j.Attempts++
			if len(want) < len(got) {
				j.Claim = got[len(want)].Claim // any that is not 0 and no other claim's
				if j.Claim == 0 || slices.ContainsFunc(m.claims, func(c dera.Job) bool { return c.Key == j.Key && c.Claim == j.Claim }) {
					r.Fatalf("claim of %s: the number %d is no new one", j.Key, j.Claim)
				}
			}
			want = append(want, j.Job)
			m.saw = append(m.saw, m.asked[j.Key])
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		r.Fatalf("claim: got (+) and want (-):\n%s", diff)
	}
	m.claims = append(m.claims, got...)
}

// pick draws a claim that was made at any time.
func (m *model) pick(r *rapid.T) (c dera.Job, saw int, j *modelJob) {
	if len(m.claims) == 0 {
		r.Skip("nothing was claimed")
	}
	i := rapid.IntRange(max(0, len(m.claims)-4), len(m.claims)-1).Draw(r, "claim")
	c, j = m.claims[i], m.jobs[m.claims[i].Key]
	if j != nil && j.Claim != c.Claim {
		j = nil // it is lost
	}
	return c, m.saw[i], j
}

func (m *model) done(r *rapid.T) {
	c, saw, j := m.pick(r)
	m.commit(r, store.Batch{Done: []dera.Job{c}})
	m.finish(c, saw, j)
}

func (m *model) finish(c dera.Job, saw int, j *modelJob) {
	m.served[c.Key] = max(m.served[c.Key], saw)
	switch {
	case j == nil:
	case j.Seq == c.Seq:
		delete(m.jobs, c.Key)
	default:
		j.giveBack(j.RunAt)
		j.Attempts = 0
	}
}

// giveBack ends the claim; the job runs at the time or when it was asked for.
func (j *modelJob) giveBack(at time.Time) {
	if j.again != nil {
		at = *j.again
	}
	j.RunAt, j.again, j.claimed, j.LeasedUntil, j.Claim = at, nil, false, time.Time{}, 0
}

func (m *model) retry(r *rapid.T) {
	c, _, j := m.pick(r)
	at := m.clock.Now().Add(time.Duration(rapid.IntRange(0, 5).Draw(r, "seconds")) * time.Second)
	if err := m.store.Retry(m.Context(), c, at); err != nil {
		r.Fatalf("retry: %v", err)
	}
	if j == nil {
		return
	}
	if j.again != nil && j.again.After(at) {
		j.again = nil
	}
	j.giveBack(at)
}

func (m *model) unclaim(r *rapid.T) {
	c, _, j := m.pick(r)
	if err := m.store.Unclaim(m.Context(), []dera.Job{c}); err != nil {
		r.Fatalf("unclaim: %v", err)
	}
	if j == nil {
		return
	}
	if j.again != nil && j.again.After(j.RunAt) {
		j.again = nil
	}
	j.giveBack(j.RunAt)
	j.Attempts--
}

func (m *model) cancel(r *rapid.T) {
	key, seq := drawKey(r), rapid.Int64Range(1, 3).Draw(r, "seq")
	m.commit(r, store.Batch{Done: []dera.Job{{Kind: "look", Key: key, Seq: seq}}})
	if j := m.jobs[key]; j != nil && j.Seq == seq {
		delete(m.jobs, key)
		m.served[key] = m.asked[key] // someone took it away on purpose
	}
}

func (m *model) advance(r *rapid.T) {
	m.clock.Advance(time.Duration(rapid.IntRange(1, 4).Draw(r, "half seconds")) * 500 * time.Millisecond)
}

func (m *model) sorted(less func(a, b dera.Job) int) []*modelJob {
	var out []*modelJob
	for _, j := range m.jobs {
		out = append(out, j)
	}
	slices.SortFunc(out, func(a, b *modelJob) int { return less(a.Job, b.Job) })
	return out
}

// check compares all jobs after each step.
func (m *model) check(r *rapid.T) {
	var want []dera.Job
	for _, j := range m.sorted(func(a, b dera.Job) int {
		return cmp.Or(a.RunAt.Compare(b.RunAt), cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.Key, b.Key))
	}) {
		want = append(want, j.Job)
	}
	got, err := m.store.Jobs(m.Context())
	if err != nil {
		r.Fatalf("jobs: %v", err)
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		r.Fatalf("jobs: got (+) and want (-):\n%s", diff)
	}
}

// drain lets every worker die and runs what is left: then every ask was seen by
// a run that began after it (I3).
func (m *model) drain(r *rapid.T) {
	for range 20 {
		m.clock.Advance(time.Minute)
		got, err := m.store.Claim(m.Context(), "last", 10, time.Second)
		if err != nil {
			r.Fatalf("claim: %v", err)
		}
		for _, c := range got {
			m.commit(r, store.Batch{Done: []dera.Job{c}})
			m.served[c.Key] = m.asked[c.Key]
		}
	}
	if left, err := m.store.Jobs(m.Context()); err != nil || len(left) > 0 {
		r.Fatalf("jobs after all ran: got %v, %v, want none", left, err)
	}
	for key, n := range m.asked {
		if m.served[key] != n {
			r.Fatalf("job %s: a finished run saw %d asks, want %d", key, m.served[key], n)
		}
	}
}

func (m *model) lease(r *rapid.T) {
	resource, owner := drawKey(r), rapid.SampledFrom([]string{"x", "y"}).Draw(r, "owner")
	ttl := time.Duration(rapid.IntRange(1, 3).Draw(r, "ttl")) * time.Second
	got, err := m.store.Lease(m.Context(), resource, owner, ttl)
	now := m.clock.Now()
	l := m.leases[resource]
	if l == nil {
		l = &dera.Lease{Resource: resource}
		m.leases[resource] = l
	}
	if held := l.Until.After(now); held && l.Owner != owner {
		if !errors.Is(err, store.ErrConflict) {
			r.Fatalf("lease of what is held: got %v, want %v", err, store.ErrConflict)
		}
		return
	} else if !held {
		l.Owner = owner
		l.Token++
	}
	l.Until = now.Add(ttl)
	if diff := gocmp.Diff(*l, got); err != nil || diff != "" {
		r.Fatalf("lease: %v, got (+) and want (-):\n%s", err, diff)
	}
	m.holders = append(m.holders, got)
}

func (m *model) holder(r *rapid.T) dera.Lease {
	if len(m.holders) == 0 {
		r.Skip("nothing was leased")
	}
	return m.holders[rapid.IntRange(max(0, len(m.holders)-4), len(m.holders)-1).Draw(r, "holder")]
}

func (m *model) release(r *rapid.T) {
	h := m.holder(r)
	if err := m.store.Release(m.Context(), h); err != nil {
		r.Fatalf("release: %v", err)
	}
	if l := m.leases[h.Resource]; l.Owner == h.Owner && l.Token == h.Token {
		l.Until = time.Time{}
	}
}

func (m *model) fence(r *rapid.T) {
	h := m.holder(r)
	l := m.leases[h.Resource]
	want := l.Owner == h.Owner && l.Token == h.Token && l.Until.After(m.clock.Now())
	err := m.store.Commit(m.Context(), store.Batch{Fence: &h})
	if want && err != nil || !want && !errors.Is(err, store.ErrFenced) {
		r.Fatalf("commit under %+v: got %v, while %+v holds", h, err, *l)
	}
}
