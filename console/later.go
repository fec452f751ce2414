package console

import (
	"context"
	"sync"
	"time"
)

// patience is how long a person waits for what an order comes to; then the page shows the steps.
const patience = 3 * time.Second

// later holds the orders that go on while nobody waits for them, and what went wrong with those that
// ended so.
type later struct {
	mu      sync.Mutex
	running map[string]bool
	trouble map[string]string
	all     sync.WaitGroup
}

func newLater() *later { return &later{running: map[string]bool{}, trouble: map[string]string{}} }

// do carries out an order about an ID, one at a time, and waits for its end for a moment. Nil is that
// it was carried out, or goes on.
func (l *later) do(id string, order func() error) error {
	l.mu.Lock()
	if l.running[id] {
		l.mu.Unlock()
		return &Refused{Why: "an order about it is being carried out"}
	}
	l.running[id] = true
	delete(l.trouble, id)
	l.mu.Unlock()
	ended := make(chan error, 1)
	l.all.Go(func() {
		err := order()
		l.mu.Lock()
		delete(l.running, id)
		if err != nil && len(l.trouble) < mostEntries {
			l.trouble[id] = err.Error()
		}
		l.mu.Unlock()
		ended <- err
	})
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case err := <-ended:
		return err
	case <-t.C:
		return nil
	}
}

// of is what went wrong with the last order about an ID.
func (l *later) of(id string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.trouble[id]
}

// Wait waits for the orders that go on, until ctx is done.
func (c *Console) Wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() { c.later.all.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
