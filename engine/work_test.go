package engine_test

import (
	"context"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
)

// Work ends the job in hand before it returns (SIGTERM), takes no new one, and
// leaves no goroutine behind (TestMain looks).
func TestWorkEndsTheJobInHand(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) {
		w.config = func(c *engine.Config) { c.Poll, c.Workers = 5*time.Millisecond, 1 }
	})
	id, next := w.group("lab", wideRule()), w.group("next", wideRule())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w.cloud.Inject(awssim.Fault{Match: byEngine(authorize), Kind: awssim.Hook, Times: 1, Func: cancel})
	w.ingest(w.event(id))
	done := make(chan error, 1)
	go func() { done <- w.engine.Work(ctx) }()
	if err := <-done; err != nil {
		t.Errorf("work: got %v, want nil", err)
	}
	wantState(t, w.remediations(id)[0], dera.Resolved)
	if open, err := w.store.OpenIntents(t.Context()); err != nil || len(open) > 0 {
		t.Errorf("open intents: got %+v (%v), want none", open, err)
	}
	if got := w.ingress(next); len(got) != 1 {
		t.Errorf("the other group: got %q, want it untouched", got)
	}
	jobs, err := w.store.Jobs(t.Context())
	if err != nil || len(jobs) == 0 {
		t.Errorf("jobs: got %+v (%v), want the look that follows, for the next process", jobs, err)
	}
}

// A job that breaks goes back, and is due later.
func TestJobThatBreaksGoesBack(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) {
		w.config = func(c *engine.Config) {
			tell := c.Tell
			c.Tell = func(n engine.News) {
				tell(n)
				if n.What == "page" {
					panic("a sink broke")
				}
			}
		}
	})
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	w.look(id)
	jobs, err := w.store.Jobs(t.Context())
	if err != nil || len(jobs) != 1 || jobs[0].Attempts != 1 || !jobs[0].RunAt.After(w.clock.Now()) {
		t.Errorf("jobs: got %+v (%v), want the look, due later", jobs, err)
	}
}
