package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
	"dera.example/dera/evaluate"
	"dera.example/dera/remediate"
	"dera.example/dera/store"
)

// watchWriters notes writes to one group that overlap in time.
func (w *world) watchWriters() (overlaps func() []string) {
	var mu sync.Mutex
	now := map[string]int{}
	var bad []string
	for _, op := range []string{authorize, revoke} {
		var current []string
		match := byEngine(op)
		where := match.Where
		match.Where = func(c awssim.Call) bool {
			if !where(c) {
				return false
			}
			mu.Lock()
			defer mu.Unlock()
			id := c.Parameters["GroupId"]
			current = append(current, id)
			if now[id]++; now[id] > 1 {
				bad = append(bad, id)
			}
			return true
		}
		w.cloud.Inject(awssim.Fault{Match: match, Kind: awssim.HookAfter, Func: func() {
			mu.Lock()
			defer mu.Unlock()
			if len(current) > 0 {
				now[current[0]]--
				current = current[1:]
			}
		}})
	}
	return func() []string { mu.Lock(); defer mu.Unlock(); return bad }
}

// Several engines with several workers on one store never write to one resource
// at once, and fix each group once (invariant I9). Run with -race.
func TestReplicasNeverWriteToOneResourceAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) {
		w.config = func(c *engine.Config) {
			c.Settle, c.Validity, c.Poll, c.BudgetPerHour = -1, -1, 5*time.Millisecond, 1000
			c.LeaseTTL = 10 * time.Minute
		}
		w.gate = func(g *evaluate.Gate) { g.Plan = g.Plan[:3] }
	})
	var ids []string
	for i := range 6 {
		ids = append(ids, w.group(fmt.Sprintf("lab-%d", i), wideRule()))
	}
	overlaps := w.watchWriters()
	engines := []*engine.Engine{w.engine, w.newEngine("engine-2", w.openStore(w.clock.Now)), w.newEngine("engine-3", w.openStore(w.clock.Now))}
	ctx, cancel := context.WithCancel(t.Context())
	var all, asking sync.WaitGroup
	for _, e := range engines {
		all.Go(func() {
			if err := e.Work(ctx); err != nil {
				t.Error(err)
			}
		})
		asking.Go(func() {
			for range 3 {
				for _, id := range ids {
					if err := e.Ingest(ctx, []dera.Event{w.event(id)}, nil, nil); err != nil && ctx.Err() == nil {
						t.Error(err)
					}
				}
				if err := e.Sweep(ctx, "sweep"); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	asking.Wait()
	w.await(func() bool {
		w.clock.Advance(200 * time.Millisecond)
		jobs, err := w.store.Jobs(t.Context())
		return err == nil && !slices.ContainsFunc(jobs, func(j dera.Job) bool { return j.Kind != "expire" })
	})
	cancel()
	all.Wait()
	if bad := overlaps(); len(bad) > 0 {
		t.Errorf("I9: two writes at once to %v", bad)
	}
	for _, id := range ids {
		if got := w.sorted(id); !slices.Equal(got, splitRules()) {
			t.Errorf("group %s: got %q, want %q", id, got, splitRules())
		}
	}
	if n := len(w.ours("")); n != 4*len(ids) {
		t.Errorf("writes: got %d, want 4 for each of %d groups", n, len(ids))
	}
}

// await looks until the condition holds; it gives up with the test's deadline.
func (w *world) await(done func() bool) {
	w.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.NewTimer(time.Minute)
	defer late.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-late.C:
			w.t.Fatal("it did not come to pass within a minute")
		}
	}
}

// Two approved plans on one resource: one process runs them one after the other
// although to the store it is one owner (invariant I9).
func TestOneProcessHoldsAResourceOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("lab", wideRule())
	r := w.ready(id)
	var inner error
	w.cloud.Inject(awssim.Fault{Match: byEngine(authorize), Kind: awssim.Hook, Times: 1, Func: func() {
		_, inner = w.engine.Carry(t.Context(), r.ID)
	}})
	if _, err := w.engine.Carry(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(inner, remediate.ErrBusy) {
		t.Errorf("second run in the same process: got %v, want %v", inner, remediate.ErrBusy)
	}
	if n := len(w.ours("")); n != 4 {
		t.Errorf("writes: got %d, want 4", n)
	}
}

// A takeover with an open intent waits until the signature of the dead engine's
// request has run out: it may still arrive.
func TestTakeoverWaitsForTheSignature(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	r := w.ready(id)
	// The engine dies with its intent recorded, its request still on the way.
	dead := false
	mine := w.store
	w.step = func(string) error {
		if dead {
			return diedError{}
		}
		return nil
	}
	w.cloud.Inject(awssim.Fault{Match: byEngine(revoke), Kind: awssim.Error5xxBefore, Times: 1})
	w.cloud.Inject(awssim.Fault{Match: byEngine(revoke), Kind: awssim.Hook, Times: 1, Func: func() { dead = true; _ = mine.Close() }})
	_, _ = w.engine.Carry(t.Context(), r.ID)
	began := w.clock.Now()
	w.step = nil
	w.open("engine-2")
	if _, err := w.engine.Carry(t.Context(), r.ID); !errors.Is(err, remediate.ErrBusy) {
		t.Fatalf("while the dead engine's lease holds: got %v, want %v", err, remediate.ErrBusy)
	}
	w.clock.Advance(61 * time.Second)
	_, err := w.engine.Carry(t.Context(), r.ID)
	var later *remediate.LaterError
	if !errors.As(err, &later) || later.At.Sub(began) < 5*time.Minute {
		t.Fatalf("with an open intent: got %v, want to wait for at least 5 minutes", err)
	}
	if n := w.count(revoke); n != 1 {
		t.Errorf("revokes before the signature ran out: got %d, want the first one only", n)
	}
	// The late request does arrive.
	w.revoke(id, tcp(22, 22, "0.0.0.0/0"))
	w.clock.Advance(later.At.Sub(w.clock.Now()))
	got, err := w.engine.Carry(t.Context(), r.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantState(t, got, dera.Resolved)
	if n := w.count(revoke); n != 1 {
		t.Errorf("revokes: got %d, want the one that arrived late", n)
	}
}

// An engine whose lease was taken over can write nothing more: neither to AWS nor
// to the store.
func TestLostLeaseStopsTheWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("lab", wideRule())
	r := w.ready(id)
	other := w.openStore(w.clock.Now)
	w.cloud.Inject(awssim.Fault{Match: byEngine(authorize), Kind: awssim.HookAfter, Times: 1, Func: func() {
		w.clock.Advance(2 * time.Minute)
		if _, err := other.Lease(t.Context(), r.ResourceKey(), "engine-2", time.Hour); err != nil {
			t.Error(err)
		}
	}})
	_, err := w.engine.Carry(t.Context(), r.ID)
	if !errors.Is(err, store.ErrFenced) {
		t.Errorf("got %v, want %v", err, store.ErrFenced)
	}
	if n := len(w.ours("")); n != 1 {
		t.Errorf("writes: got %d, want the one before the lease was lost", n)
	}
	open, err := w.store.OpenIntents(t.Context())
	if err != nil || len(open) != 1 {
		t.Errorf("open intents: got %+v (%v), want the one for the new holder to settle", open, err)
	}
}

// A look that read before another one committed does not overwrite what is newer.
func TestStaleLookLooksAgain(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
	id := w.group("web", tcp(443, 443, "10.0.0.0/8"))
	second := w.newEngine("engine-2", w.openStore(w.clock.Now))
	// While the first engine holds what it read, the group is opened, and the
	// second engine looks and commits.
	w.look(id)
	w.authorize(id, tcp(3389, 3389, "0.0.0.0/0"))
	w.look(id)
	w.revoke(id, tcp(3389, 3389, "0.0.0.0/0"))
	w.cloud.Inject(awssim.Fault{Match: byEngine("DescribeNetworkInterfaces"), Kind: awssim.HookAfter, Times: 1, Func: func() {
		w.authorize(id, tcp(22, 22, "0.0.0.0/0"))
		w.clock.Advance(time.Second)
		if err := second.LookNow(t.Context(), w.event(id), false); err != nil {
			t.Error(err)
		}
	}})
	if err := w.engine.LookNow(t.Context(), w.event(id), false); err != nil {
		t.Fatal(err)
	}
	if f := w.findings(id)[sshKey]; f.State != dera.FindingOpen {
		t.Errorf("finding: got %q, want open: the look that missed it is older", f.State)
	}
	jobs, err := w.store.Jobs(t.Context())
	if err != nil || !slices.ContainsFunc(jobs, func(j dera.Job) bool { return j.Kind == "look" && strings.Contains(j.Key, id) }) {
		t.Errorf("jobs: got %+v (%v), want another look", jobs, err)
	}
}
