package engine_test

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
)

// TestUnsentWriteThatSomebodyElseMakes: the process dies before it knows what
// became of a request, and before another one takes over, someone makes the very same rule. It
// has another description, so it is theirs: the fix fails, and its undo leaves it.
func TestUnsentWriteThatSomebodyElseMakes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("lab", wideRule())
	var dead atomic.Bool
	w.step = func(name string) error {
		if dead.Load() && name == stepCall {
			return errors.New("the process is dead")
		}
		return nil
	}
	w.cloud.Inject(awssim.Fault{Match: byEngine(authorize), Kind: awssim.Hook, Times: 1, After: 1, Func: func() { dead.Store(true) }})
	w.cloud.Inject(awssim.Fault{Match: byEngine(authorize), Kind: awssim.Error5xxBefore, Times: 1, After: 1})
	w.ingest(w.event(id))
	_ = w.engine.Drain(t.Context())
	wantState(t, w.only(id), dera.Applying)
	theirs := tcp(23, 3388, "0.0.0.0/0")
	theirs.Description = "vendor"
	w.authorize(id, theirs)
	dead.Store(false)
	for range 5 {
		w.clock.Advance(10 * time.Minute)
		w.drain()
	}
	if got := w.sorted(id); !slices.Contains(got, "tcp 23-3388 0.0.0.0/0 vendor") {
		t.Errorf("rules: got %q, want the one that someone else made", got)
	}
	wantState(t, w.remediations(id)[0], dera.Failed)
}
