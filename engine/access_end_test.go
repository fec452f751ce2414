package engine_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/store"
)

// TestAccess_not_granted: what is denied, and what nobody answers, gives nothing, is recorded,
// and is not asked again.
func TestAccess_not_granted(t *testing.T) {
	t.Parallel()
	for want, answer := range map[dera.AccessState]func(accessWorld, dera.Access) error{
		dera.AccessDenied:     func(w accessWorld, a dera.Access) error { return w.decide(a, false, "dev/ann") }, // who asked can withdraw it
		dera.AccessUnanswered: func(accessWorld, dera.Access) error { return nil },
	} {
		t.Run(string(want), func(t *testing.T) {
			t.Parallel()
			w := newAccessWorld(t)
			a := w.ask(8 * time.Hour)
			if err := answer(w, a); err != nil {
				t.Fatal(err)
			}
			w.clock.Advance(7 * time.Hour)
			w.look()
			w.clock.Advance(time.Hour)
			if err := w.engine.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.look()
			end, of := w.access(a.ID).End, 0
			for _, state := range []dera.State{dera.Waiting, dera.Ready, dera.Expired, dera.Rejected} {
				list, err := w.store.RemediationsIn(t.Context(), state)
				if err != nil {
					t.Fatal(err)
				}
				of += len(list)
			}
			if open, err := w.store.OpenIn(t.Context(), account, dera.GlobalRegion, a.Type); err != nil || len(open) > 0 || len(w.inline()) != 1 || end == nil || end.State != want || of != 1 {
				t.Errorf("got %+v, %v, %v, end %+v, %d remediations; want nothing open, nothing given, the end %s and one remediation", open, err, w.inline(), end, of, want)
			}
			if err := w.decide(a, true, "ops/bob"); err == nil {
				t.Error("it is granted after all")
			}
			if again := w.ask(time.Hour); w.remediation(again.Grant).State != dera.Waiting {
				t.Errorf("asked again by a person: got %+v, want a plan that waits", again)
			}
		})
	}
}

// TestAccess_for_good: what is given for good does not end.
func TestAccess_for_good(t *testing.T) {
	t.Parallel()
	w := newAccessWorld(t)
	a := w.ask(0)
	w.grant(a)
	for _, text := range w.inline() {
		if strings.Contains(text, "CurrentTime") {
			t.Errorf("it has an end: %s", text)
		}
	}
	w.clock.Advance(400 * 24 * time.Hour)
	if err := errors.Join(w.engine.Drain(t.Context()), w.engine.EndAccesses(t.Context())); err != nil {
		t.Fatal(err)
	}
	w.look()
	if got := w.state(a.ID); got != dera.AccessGranted || len(w.inline()) != 2 {
		t.Errorf("got %s and %v, want it as it was", got, w.inline())
	}
}

// TestAccess_later_change: a later remediation in effect on another part of the principal is
// in the way of a rollback that a person orders, and not of the end.
func TestAccess_later_change(t *testing.T) {
	t.Parallel()
	w := newAccessWorld(t)
	a := w.ask(8 * time.Hour)
	w.grant(a)
	later := w.remediation("r-took")
	later.ID, later.Revision, later.CreatedAt = "r-later", 0, w.clock.Now().Add(time.Hour)
	if err := w.store.Commit(t.Context(), store.Batch{Remediations: []dera.Remediation{later}}); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(8 * time.Hour)
	if err := w.engine.EndAccesses(t.Context()); err != nil || w.state(a.ID) != dera.AccessEnded || len(w.inline()) != 1 {
		t.Errorf("got %v, %s and %v, want it ended", err, w.state(a.ID), w.inline())
	}
}

func (w accessWorld) remediation(id string) dera.Remediation {
	w.t.Helper()
	r, err := w.store.Remediation(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// TestAccess_two_replicas: two processes that end it at the same moment write once.
func TestAccess_two_replicas(t *testing.T) {
	t.Parallel()
	w := newAccessWorld(t)
	a := w.ask(8 * time.Hour)
	w.grant(a)
	w.clock.Advance(8 * time.Hour)
	other := w.newEngine("engine-2", w.openStore(w.clock.Now))
	var both sync.WaitGroup
	for _, e := range []func(context.Context) error{w.engine.EndAccesses, other.EndAccesses} {
		both.Go(func() { _ = e(t.Context()) }) // the slower one may find the lease taken
	}
	both.Wait()
	if err := errors.Join(w.engine.EndAccesses(t.Context()), other.EndAccesses(t.Context())); err != nil {
		t.Fatal(err)
	}
	deletes := 0
	for _, c := range w.calls {
		if c.Operation == "DeleteRolePolicy" {
			deletes++
		}
	}
	if deletes != 1 || w.state(a.ID) != dera.AccessEnded || len(w.inline()) != 1 {
		t.Errorf("got %d deletions, %s and %v, want one", deletes, w.state(a.ID), w.inline())
	}
}

// TestAccess_crash: an engine that dies at any step of the end leaves what the next one ends.
func TestAccess_crash(t *testing.T) {
	t.Parallel()
	const stride = 4
	died := errors.New("died")
	for at := 1; ; at += stride {
		w := newAccessWorld(t)
		a := w.ask(8 * time.Hour)
		w.grant(a)
		w.clock.Advance(8 * time.Hour)
		ctx, kill := context.WithCancel(t.Context())
		steps := 0
		w.step = func(string) error {
			if steps++; steps >= at {
				kill()
				return died
			}
			return nil
		}
		_ = w.engine.EndAccesses(ctx) // as far as it comes
		kill()
		reached := steps >= at
		w.step = nil
		w.clock.Advance(10 * time.Minute) // its lease is over, and nothing that it signed arrives any more
		w.open("engine-2")
		if err := errors.Join(w.engine.Start(t.Context(), "test"), w.engine.Drain(t.Context()), w.engine.EndAccesses(t.Context())); err != nil {
			t.Fatalf("died at step %d: %v", at, err)
		}
		if got := w.inline(); len(got) != 1 || got["own"] != narrowOwn || w.access(a.ID).End == nil || w.state(a.ID) != dera.AccessEnded {
			t.Errorf("died at step %d: got %v, %s", at, got, w.state(a.ID))
		}
		if !reached {
			if at < 20 {
				t.Errorf("the end has only %d steps: the test kills nothing", steps)
			}
			return
		}
	}
}

// TestAccess_several: what two people asked for is answered one by one, and ends one by one.
func TestAccess_several(t *testing.T) {
	t.Parallel()
	w := newAccessWorld(t)
	a, b, c := w.ask(time.Hour), w.askFor("sqs:TagQueue", 2*time.Hour), w.askFor("sqs:TagQueue", 0)
	w.grant(a)
	w.look()
	for _, x := range []dera.Access{b, c} { // its plan was made for the principal as it was
		if now := w.access(x.ID); now.Grant == x.Grant || w.remediation(x.Grant).State != dera.Superseded || w.remediation(now.Grant).Digest != w.remediation(x.Grant).Digest {
			t.Errorf("got %+v, want another remediation with the same plan", now)
		}
	}
	if err := w.decide(w.access(c.ID), false, "ops/bob"); err != nil {
		t.Fatal(err)
	}
	w.grant(w.access(b.ID))
	if got := w.inline(); len(got) != 3 {
		t.Errorf("got %v, want both given", got)
	}
	w.clock.Advance(time.Hour)
	if err := w.engine.EndAccesses(t.Context()); err != nil || w.state(a.ID) != dera.AccessEnded || w.state(b.ID) != dera.AccessGranted || w.state(c.ID) != dera.AccessDenied || len(w.inline()) != 2 {
		t.Errorf("got %v, %s, %s, %s and %v, want the first ended", err, w.state(a.ID), w.state(b.ID), w.state(c.ID), w.inline())
	}
}
