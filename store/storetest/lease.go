package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/store"
)

func leaseTests() map[string]func(*world) {
	return map[string]func(*world){
		"lease_is_for_one":                             leaseForOne,
		"fence_lets_the_holder_alone_commit":           fence,
		"tokens_only_grow":                             tokens,
		"one_of_many_gets_the_lease":                   leaseRace,
		"takeover_waits_for_a_commit_under_the_lease":  takeover,
		"takeover_waits_for_a_commit_that_is_held_up":  takeoverHeldUp,
		"lease_that_ends_in_the_queue_is_over":         fenceInQueue,
		"leases_and_stops_are_read_while_others_write": readWhileWriting,
	}
}

func cancelled(t testing.TB) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx, cancel
}

func leaseForOne(w *world) {
	ctx := w.Context()
	l := must(w.store.Lease(ctx, "sg", "us", time.Minute))(w)
	if want := w.at(time.Minute); l.Resource != "sg" || l.Owner != "us" || l.Token != 1 || !l.Until.Equal(want) {
		w.Errorf("lease: got %+v, want token 1 until %v", l, want)
	}
	if _, err := w.store.Lease(ctx, "sg", "them", time.Minute); !errors.Is(err, store.ErrConflict) {
		w.Errorf("lease of another owner: got %v, want %v", err, store.ErrConflict)
	}
	if other := must(w.store.Lease(ctx, "other", "them", time.Minute))(w); other.Token != 1 {
		w.Errorf("token of another resource: got %d, want 1", other.Token)
	}
	w.clock.Advance(40 * time.Second)
	if left := must(w.store.CheckLease(ctx, l))(w); left != 20*time.Second {
		w.Errorf("check lease: got %v, want 20s", left)
	}
	renewed := must(w.store.Lease(ctx, "sg", "us", time.Minute))(w)
	if renewed.Token != l.Token || !renewed.Until.Equal(w.at(time.Minute)) {
		w.Errorf("renewed lease: got %+v, want token %d for a minute", renewed, l.Token)
	}
	if left := must(w.store.CheckLease(ctx, l))(w); left != time.Minute {
		w.Errorf("check renewed lease: got %v, want 1m", left)
	}
}

func fence(w *world) {
	for _, tt := range []struct {
		name string
		lose func(w *world, l *dera.Lease)
		ok   bool
	}{
		{"held", func(*world, *dera.Lease) {}, true},
		{"renewed", func(w *world, l *dera.Lease) {
			w.clock.Advance(30 * time.Second)
			must(w.store.Lease(w.Context(), l.Resource, l.Owner, time.Minute))(w)
			w.clock.Advance(40 * time.Second)
		}, true},
		{"nobody_holds_it", func(_ *world, l *dera.Lease) { l.Resource = "another" }, false},
		{"earlier_token", func(_ *world, l *dera.Lease) { l.Token-- }, false},
		{"later_token", func(_ *world, l *dera.Lease) { l.Token++ }, false},
		{"another_owner", func(_ *world, l *dera.Lease) { l.Owner = "them" }, false},
		{"over_at_this_moment", func(w *world, _ *dera.Lease) { w.clock.Advance(time.Minute) }, false},
		{"released", func(w *world, l *dera.Lease) {
			if err := w.store.Release(w.Context(), *l); err != nil {
				w.Fatal(err)
			}
		}, false},
		{"taken_over", func(w *world, _ *dera.Lease) {
			w.clock.Advance(time.Minute)
			must(w.store.Lease(w.Context(), "sg", "them", time.Minute))(w)
		}, false},
		{"taken_back_with_a_new_token", func(w *world, _ *dera.Lease) {
			w.clock.Advance(time.Minute)
			must(w.store.Lease(w.Context(), "sg", "us", time.Minute))(w)
		}, false},
	} {
		w.Run(tt.name, func(t *testing.T) { // not parallel: the clock is shared
			w := &world{t, w.db, w.clock, w.store}
			l := must(w.store.Lease(w.Context(), "sg", "us", time.Minute))(w)
			given := l
			tt.lose(w, &given)
			_, checked := w.store.CheckLease(w.Context(), given)
			renewed := w.store.Renew(w.Context(), given, 2*time.Minute)
			if tt.ok && renewed != nil || !tt.ok && !errors.Is(renewed, store.ErrFenced) {
				w.Errorf("renew: got %v, want it renewed: %t", renewed, tt.ok)
			}
			if left, err := w.store.CheckLease(w.Context(), given); tt.ok && (err != nil || left != 2*time.Minute) {
				w.Errorf("renewed: got %v and %v, want 2m", left, err)
			}
			err := w.store.Commit(w.Context(), store.Batch{Fence: &given, Counts: map[string]int64{tt.name: 1}})
			counted := must(w.store.Counters(w.Context()))(w)[tt.name] == 1
			if tt.ok && (checked != nil || err != nil || !counted) {
				w.Errorf("check and commit: got %v and %v, want both to pass", checked, err)
			}
			if !tt.ok && (!errors.Is(checked, store.ErrFenced) || !errors.Is(err, store.ErrFenced) || counted) {
				w.Errorf("check and commit: got %v and %v, want %v and nothing written", checked, err, store.ErrFenced)
			}
			w.clock.Advance(time.Hour) // whoever has it loses it
		})
	}
}

func tokens(w *world) {
	ctx := w.Context()
	last := int64(0)
	for i, owner := range []string{"a", "b", "a", "a", "b"} {
		l := must(w.store.Lease(ctx, "sg", owner, time.Minute))(w)
		if l.Token <= last {
			w.Errorf("token of holder %d: got %d, want more than %d", i, l.Token, last)
		}
		last = l.Token
		if i%2 == 0 {
			w.clock.Advance(time.Minute)
		} else if err := w.store.Release(ctx, l); err != nil {
			w.Fatal(err)
		}
		// What was lost long ago cannot be released any more.
		if err := w.store.Release(ctx, dera.Lease{Resource: "sg", Owner: owner, Token: 1}); err != nil {
			w.Errorf("release a lost lease: got %v", err)
		}
	}
	l := must(w.store.Lease(ctx, "sg", "c", time.Minute))(w)
	for _, stale := range []dera.Lease{{Resource: "sg", Owner: "b", Token: l.Token}, {Resource: "sg", Owner: "c", Token: l.Token - 1}} {
		if err := w.store.Release(ctx, stale); err != nil {
			w.Errorf("release a lost lease: got %v", err)
		}
	}
	if _, err := w.store.CheckLease(ctx, l); err != nil {
		w.Errorf("check after others released theirs: got %v", err)
	}
}

func leaseRace(w *world) {
	owners := "abcdefghijkl"
	won := 0
	for _, err := range w.race(len(owners), func(s *store.Store, i int) error {
		_, err := s.Lease(w.Context(), "sg", owners[i:i+1], time.Minute)
		return err
	}) {
		if err == nil {
			won++
		} else if !errors.Is(err, store.ErrConflict) {
			w.Errorf("lease: got %v, want %v", err, store.ErrConflict)
		}
	}
	if won != 1 {
		w.Errorf("holders: got %d, want 1", won)
	}
}

// takeover lets the lease run out while a commit under it is under way. Either
// the commit is refused, or the next holder gets the lease after it: the intent
// that it then reads is complete (I9).
func takeover(w *world) {
	handles := w.handles()
	for range 20 {
		l := w.held("sg")
		done := make(chan error, 1)
		go func() {
			done <- handles[0].Commit(w.Context(), store.Batch{Fence: &l, Intents: []dera.Intent{Intent("r", l.Token, w.clock.Now())}})
		}()
		w.clock.Advance(time.Hour)
		next := must(handles[1].Lease(w.Context(), "sg", "them", time.Minute))(w)
		seen := must(handles[1].Intents(w.Context(), "r"))(w)
		err := <-done
		if err != nil && !errors.Is(err, store.ErrFenced) {
			w.Fatalf("commit: got %v, want nil or %v", err, store.ErrFenced)
		}
		if there := len(seen) == 1 && seen[0].Token == l.Token; there != (err == nil) {
			w.Fatalf("the next holder saw the intent: %v, but its commit returned %v", there, err)
		}
		if err := handles[1].Release(w.Context(), next); err != nil {
			w.Fatal(err)
		}
	}
}

// block keeps everybody from writing until release is called.
func (w *world) block() (release func()) {
	w.Helper()
	conn := must(w.db.SQL(w).Conn(w.Context()))(w)
	for _, s := range w.db.Begin {
		if _, err := conn.ExecContext(w.Context(), s); err != nil {
			w.Fatalf("%s: %v", s, err)
		}
	}
	return func() {
		if _, err := conn.ExecContext(w.Context(), "ROLLBACK"); err != nil {
			w.Errorf("end the block: %v", err)
		}
		_ = conn.Close()
	}
}

// await waits until n statements wait for a lock, as far as the database tells,
// or until done.
func (w *world) await(n int, done <-chan struct{}) {
	w.Helper()
	if w.db.Waiting == "" {
		return
	}
	conn := w.db.SQL(w)
	defer conn.Close()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for waiting := 0; waiting < n; {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		if err := conn.QueryRowContext(w.Context(), w.db.Waiting).Scan(&waiting); err != nil {
			w.Fatal(err)
		}
	}
}

// takeoverHeldUp is takeover with a commit that has passed the fence and is then
// held up until after its lease is over.
func takeoverHeldUp(w *world) {
	handles := w.handles()
	l := w.held("sg")
	release := w.block()
	var group sync.WaitGroup
	var committed, leased error
	var seen []dera.Intent
	group.Go(func() {
		committed = handles[0].Commit(w.Context(), store.Batch{
			Fence: &l, Intents: []dera.Intent{Intent("r", l.Token, w.clock.Now())}, Jobs: []dera.Job{look("a", w.clock.Now())},
		})
	})
	w.await(1, nil)
	w.clock.Advance(time.Hour)
	done := make(chan struct{})
	group.Go(func() {
		defer close(done)
		if _, leased = handles[1].Lease(w.Context(), "sg", "them", time.Minute); leased == nil {
			seen, leased = handles[1].Intents(w.Context(), "r")
		}
	})
	w.await(2, done)
	release()
	group.Wait()
	if leased != nil || committed != nil && !errors.Is(committed, store.ErrFenced) {
		w.Fatalf("lease and commit: got %v and %v", leased, committed)
	}
	if there := len(seen) == 1; there != (committed == nil) {
		w.Errorf("the next holder saw the intent: %v, but its commit returned %v", there, committed)
	}
}

// fenceInQueue lets a lease run out while the commit under it waits for that of another process.
func fenceInQueue(w *world) {
	handles := w.handles()
	l := w.held("sg")
	release := w.block()
	var group sync.WaitGroup
	var first, second error
	group.Go(func() { first = w.store.Commit(w.Context(), store.Batch{Jobs: []dera.Job{look("a", w.clock.Now())}}) })
	w.await(1, nil)
	group.Go(func() {
		second = handles[1].Commit(w.Context(), store.Batch{Fence: &l, Jobs: []dera.Job{look("b", w.clock.Now())}})
	})
	w.await(2, nil)
	w.clock.Advance(time.Hour)
	release()
	group.Wait()
	if first != nil || !errors.Is(second, store.ErrFenced) {
		w.Errorf("commits: got %v and %v, want nil and %v", first, second, store.ErrFenced)
	}
}

func readWhileWriting(w *world) {
	l := w.held("sg")
	w.commit(store.Batch{Stops: []dera.Stop{{Reason: "now", By: "alice", At: w.clock.Now()}}})
	release := w.block()
	var waiting []chan error
	for range 10 {
		done := make(chan error, 1)
		waiting = append(waiting, done)
		go func() { done <- w.store.Commit(w.Context(), store.Batch{Jobs: []dera.Job{look("a", w.clock.Now())}}) }()
	}
	if _, err := w.store.CheckLease(w.Context(), l); err != nil {
		w.Errorf("check lease: got %v", err)
	}
	if stops := must(w.store.Stops(w.Context()))(w); len(stops) != 1 {
		w.Errorf("stops: got %v, want one", stops)
	}
	release()
	for _, done := range waiting {
		if err := <-done; err != nil {
			w.Errorf("commit: got %v", err)
		}
	}
}
