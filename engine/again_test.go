package engine_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/engine"
)

// TestAskedForWhileItReturns: a look that is asked for again when the one before has ended it in the database, and has
// not returned yet, is made then, not when its claim runs out.
func TestAskedForWhileItReturns(t *testing.T) {
	t.Parallel()
	told, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w := newWorldWith(t, func(w *world) {
		w.mode = dera.Observe
		w.config = func(c *engine.Config) {
			c.Settle, c.Validity, c.Poll, c.Workers = -1, -1, 5*time.Millisecond, 4
			c.Tell = func(n engine.News) {
				if n.What == "finding" {
					once.Do(func() { close(told); <-goOn })
				}
			}
		}
	})
	id := w.group("lab", wideRule())
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() {
		if err := w.engine.Work(ctx); err != nil {
			t.Error(err)
		}
	})
	ask := func() {
		if err := w.engine.Ingest(t.Context(), []dera.Event{w.event(id)}, nil, nil); err != nil {
			t.Error(err)
		}
	}
	looks := func() (n, tries int) {
		jobs, err := w.store.Jobs(t.Context())
		if err != nil {
			t.Error(err)
		}
		for _, j := range jobs {
			if j.Kind == "look" {
				n, tries = n+1, tries+j.Attempts
			}
		}
		return n, tries
	}
	ask()
	<-told
	ask()
	w.await(func() bool { _, tries := looks(); return tries > 0 }) // it was claimed while the first one had not returned
	close(goOn)
	w.await(func() bool {
		w.clock.Advance(10 * time.Millisecond)
		n, _ := looks()
		return n == 0 || w.clock.Now().Sub(newClock().Now()) > 30*time.Second // a claim lasts for a minute
	})
	if n, _ := looks(); n > 0 {
		t.Errorf("%d looks were not made within half a minute", n)
	}
	cancel()
	all.Wait()
}
