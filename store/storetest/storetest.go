// Package storetest is the suite that the store passes on every database: what
// package store promises, and what the rest of dera relies on.
package storetest

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"dera.example/dera/audit"
	"dera.example/dera/store"
)

// Clock is a clock that stands until it is moved. It is safe for concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock at some whole second.
func NewClock() *Clock { return &Clock{now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)} }

// Now is the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Vault returns a vault with a key that is always the same for a seed.
func Vault(t testing.TB, seed byte) *audit.Vault {
	t.Helper()
	v, err := audit.NewVault(bytes.Repeat([]byte{seed}, audit.VaultKeySize), nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Open opens the store in a database, and closes it by t.Cleanup.
func Open(t testing.TB, db Database, clock *Clock) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{URL: db.URL, Sealer: Vault(t, 1), Now: clock.Now, KeptEvents: keptEvents})
	if err != nil {
		t.Fatalf("open store: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() }) // a test may have closed it
	return s
}

// keptEvents is the bound that the suite runs with.
const keptEvents = 5

// world is what each test has: an empty store on a database of its own.
type world struct {
	*testing.T
	db    Database
	clock *Clock
	store *store.Store
}

// Run runs the suite; fresh makes an empty database.
func Run(t *testing.T, fresh func(t testing.TB) Database) {
	t.Helper()
	for _, tests := range []map[string]func(*world){batchTests(), leaseTests(), jobTests(), claimTests(), stateTests(), logTests(), openTests(), outboxTests(), replicaTests(), fairTests(), retentionTests()} {
		for name, run := range tests {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := &world{T: t, db: fresh(t), clock: NewClock()}
				w.store = Open(t, w.db, w.clock)
				run(w)
			})
		}
	}
}

// handles returns the store and another handle on its database, as another
// process has it.
func (w *world) handles() []*store.Store {
	w.Helper()
	return []*store.Store{w.store, Open(w.T, w.db, w.clock)}
}

// commit commits what must not fail.
func (w *world) commit(b store.Batch) {
	w.Helper()
	if err := w.store.Commit(w.Context(), b); err != nil {
		w.Fatalf("commit: %v", err)
	}
}

// at is a time from the start of the test's clock on.
func (w *world) at(d time.Duration) time.Time { return w.clock.Now().Add(d) }

// race runs f for each handle and each i below n at the same time, and returns
// the errors.
func (w *world) race(n int, f func(s *store.Store, i int) error) []error {
	w.Helper()
	handles := w.handles()
	errs := make([]error, n)
	var group sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		group.Go(func() {
			<-start
			errs[i] = f(handles[i%len(handles)], i)
		})
	}
	close(start)
	group.Wait()
	return errs
}

// must fails the test on an error and returns the value.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
