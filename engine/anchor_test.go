package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
	"dera.example/dera/store"
)

// anchor keeps checkpoints in memory, unless something is wrong with it.
type anchor struct {
	mu     sync.Mutex
	sizes  []int64
	puts   int
	fails  error // returned instead of keeping
	after  error // returned although it was kept
	checks error
	begun  chan struct{} // told when a put begins, where set
	hold   chan struct{} // waited for before keeping, where set
}

var _ audit.Anchor = (*anchor)(nil)

func (a *anchor) Name() string { return "memory" }

func (a *anchor) Check(context.Context) (string, bool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return "", false, a.checks
}

func (a *anchor) Keep(_ context.Context, _ audit.Source, c audit.Checkpoint, _ []byte) error {
	a.mu.Lock()
	a.puts++
	begun, hold := a.begun, a.hold
	a.mu.Unlock()
	if hold != nil {
		begun <- struct{}{}
		<-hold
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fails == nil {
		a.sizes = append(a.sizes, c.Size)
	}
	return errors.Join(a.fails, a.after)
}

func (a *anchor) Kept(context.Context, func(audit.Anchored) error) error { return nil }

// has reports whether a record is covered.
func (a *anchor) has(index int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.ContainsFunc(a.sizes, func(size int64) bool { return size > index })
}

func (a *anchor) set(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
}

// logOf signs the log of the world's store.
func (w *world) logOf(s *store.Store) engine.Log {
	w.t.Helper()
	key, err := audit.LoadFileKey(w.dir)
	if err != nil {
		if key, err = audit.NewFileKey(w.dir, "dera/audit", nil); err != nil {
			w.t.Fatal(err)
		}
	}
	return engine.Log{Store: s, Key: key, PublicKey: key.PublicKey(), Now: w.clock.Now}
}

// intentsAnchored returns how many intents of changes there are, and of these those that the anchor has.
func (w *world) intentsAnchored(a *anchor) (intents, has int) {
	w.t.Helper()
	size, err := w.store.LogSize(w.t.Context())
	w.must(err)
	leaves, err := w.store.Leaves(w.t.Context(), 0, size)
	w.must(err)
	for i, leaf := range leaves {
		var r dera.AuditRecord
		w.must(json.Unmarshal(leaf, &r))
		if r.Kind != dera.RecordIntent || r.Undo {
			continue
		}
		intents++
		if a.has(int64(i)) {
			has++
		}
	}
	return intents, has
}

// answer is what a service says no with, as package cloud tells it.
type answer struct{ denied, passing bool }

func (a answer) Error() string {
	return fmt.Sprintf("the bucket denied: %t, passing: %t", a.denied, a.passing)
}
func (a answer) Refused() bool { return true }
func (a answer) Denied() bool  { return a.denied }
func (a answer) Passing() bool { return a.passing }
func (a answer) Moved() bool   { return !a.denied && !a.passing }

// TestWriteWaitsForItsAnchor: the order is intent, signature, anchor, write. Where the anchor fails, also after it took effect, or where it is not known that it keeps anything, nothing is written; the
// same remediation goes on when it works again.
func TestWriteWaitsForItsAnchor(t *testing.T) {
	t.Parallel()
	away := errors.New("the anchor is away")
	for name, tc := range map[string]struct {
		wrong  func(*anchor)
		writes bool
	}{
		"works":                  {func(*anchor) {}, true},
		"fails":                  {func(a *anchor) { a.fails = away }, false},
		"fails_after_its_effect": {func(a *anchor) { a.after = away }, false},
		"would_not_keep":         {func(a *anchor) { a.checks = audit.ErrNotKept }, false},
		// What the anchor's service answers says nothing about the write that waits for it.
		"is_denied": {func(a *anchor) { a.fails = answer{denied: true} }, false},
		"throttles": {func(a *anchor) { a.fails = answer{passing: true} }, false},
		"refuses":   {func(a *anchor) { a.fails = answer{} }, false},
		"is_late":   {func(a *anchor) { a.fails = context.DeadlineExceeded }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := &anchor{}
			tc.wrong(a)
			w := newWorldWith(t, func(w *world) {
				w.config = func(c *engine.Config) { c.Anchor = engine.NewAnchoring(w.logOf(c.Store), 0, a) }
			})
			early := 0
			w.cloud.Inject(awssim.Fault{Match: byEngine(revoke), Kind: awssim.Hook, Func: func() {
				if intents, has := w.intentsAnchored(a); intents == 0 || has != intents {
					early++
				}
			}})
			id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
			w.look(id)
			if got := w.count(revoke) > 0; got != tc.writes {
				t.Fatalf("written: got %t, want %t", got, tc.writes)
			}
			if !tc.writes {
				wantState(t, w.only(id), dera.Applying)
				a.set(func() { a.fails, a.after, a.checks = nil, nil, nil })
				w.clock.Advance(2 * time.Hour) // longer than a write is tried: it waits as for a stop
				if err := w.engine.Drain(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			wantState(t, w.only(id), dera.Resolved)
			if early > 0 {
				t.Errorf("%d writes came before their anchor", early)
			}
			w.verifyLog()
		})
	}
}

// TestUndoGoesOnWithoutItsAnchor: what dera changed is taken back although the anchor is away, with its record; a log that was forked stops also that.
func TestUndoGoesOnWithoutItsAnchor(t *testing.T) {
	t.Parallel()
	a := &anchor{}
	w := newWorldWith(t, func(w *world) {
		w.config = func(c *engine.Config) { c.Anchor = engine.NewAnchoring(w.logOf(c.Store), 0, a) }
	})
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	w.look(id)
	a.set(func() { a.fails = errors.New("away") })
	got, err := w.rollback(w.only(id).ID)
	if err != nil {
		t.Fatal(err)
	}
	wantState(t, got, dera.RolledBack)

	a.set(func() { a.fails = audit.ErrFork })
	other := w.group("db", tcp(22, 22, "0.0.0.0/0"))
	w.look(other)
	if n := len(w.only(other).Steps); n == 0 || w.only(other).State == dera.Resolved {
		t.Errorf("with a forked log: got %s, want nothing written", w.only(other).State)
	}
}

// TestAnchorIsShared: of many who wait, those who come while a round is under way share the next one.
func TestAnchorIsShared(t *testing.T) {
	t.Parallel()
	a := &anchor{begun: make(chan struct{}, 8), hold: make(chan struct{})}
	w := newWorld(t)
	anchoring := engine.NewAnchoring(w.logOf(w.store), 0, a)
	stop := func(i int) {
		w.must((engine.Switch{Store: w.store, Now: w.clock.Now}).Stop(t.Context(), dera.Stop{Account: account, Control: fmt.Sprint("c", i), Reason: "test"}, dera.Actor{Name: "ann", How: "sts"}))
	}
	stop(0)
	const waiters = 20
	ended := make(chan error, waiters+1)
	go func() { ended <- anchoring.Anchor(t.Context()) }()
	<-a.begun // the first round has signed
	for i := range waiters {
		stop(i + 1)
		go func() {
			err := anchoring.Anchor(t.Context())
			if size, sizeErr := w.store.LogSize(t.Context()); sizeErr == nil && err == nil && !a.has(size-1) {
				err = errors.New("it returned before what was committed is anchored")
			}
			ended <- err
		}()
	}
	close(a.hold)
	for range waiters + 1 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if a.puts > 1+2 { // a waiter may begin only when the second round has
		t.Errorf("%d waiters made %d puts, want them to share", waiters, a.puts)
	}
	// Nothing new: nothing is put again before an hour is over.
	puts := a.puts
	w.must(anchoring.Anchor(t.Context()))
	if a.puts != puts {
		t.Errorf("nothing new: got %d puts", a.puts-puts)
	}
	w.clock.Advance(2 * time.Hour)
	w.must(anchoring.Anchor(t.Context()))
	if a.puts != puts+1 {
		t.Errorf("after two hours: got %d puts, want 1", a.puts-puts)
	}
	late, cancel := context.WithCancel(t.Context())
	cancel()
	if err := anchoring.Anchor(late); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
