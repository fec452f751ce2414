package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/detect"
	"dera.example/dera/engine"
)

// crowded is a reader whose turn has not come until a moment.
type crowded struct {
	detect.Reader
	now   func() time.Time
	until time.Time
}

type crowdedError struct{ at time.Time }

func (e crowdedError) Error() string    { return "its turn has not come" }
func (e crowdedError) Later() time.Time { return e.at }

func (c crowded) Read(ctx context.Context, s dera.Scope, full bool) (detect.Page, error) {
	if c.now().Before(c.until) {
		return detect.Page{}, fmt.Errorf("read: %w", crowdedError{c.until})
	}
	return c.Reader.Read(ctx, s, full)
}

// TestReadWhoseTurnComesLater: a look that was not made says nothing of its place, and is made when its turn comes;
// that of a sweep too, which does not begin again.
func TestReadWhoseTurnComesLater(t *testing.T) {
	t.Parallel()
	var began time.Time
	w := newWorldWith(t, func(w *world) {
		w.mode = dera.Observe
		w.config = func(c *engine.Config) {
			began = w.clock.Now()
			c.Reader = crowded{c.Reader, w.clock.Now, began.Add(time.Hour)}
		}
	})
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	w.ingest(w.event(id))
	for range 10 {
		w.drain()
		w.clock.Advance(time.Minute)
	}
	if list := w.findings(id); len(list) != 0 {
		t.Errorf("got %v before the look", list)
	}
	places, err := w.store.Places(t.Context())
	if err != nil || len(places) != 0 {
		t.Errorf("got the places %v, %v, want none: nothing was asked", places, err)
	}
	jobs, err := w.store.Jobs(t.Context())
	if err != nil || len(jobs) != 1 || !jobs[0].RunAt.Equal(began.Add(time.Hour)) {
		t.Errorf("got the jobs %+v, %v, want the look, in an hour", jobs, err)
	}
	w.clock.Advance(time.Hour)
	w.drain()
	if f := w.findings(id)[sshKey]; f.State != dera.FindingOpen {
		t.Errorf("after its turn: got %q, want open", f.State)
	}
}
