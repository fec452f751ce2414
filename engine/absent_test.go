package engine_test

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/control"
	"dera.example/dera/engine"
	"dera.example/dera/remediate"
)

// deselected opens another engine, in which the control of the remediation does not run.
func (w *world) deselected(r dera.Remediation) {
	w.t.Helper()
	w.config = func(c *engine.Config) {
		c.Controls = slices.DeleteFunc(slices.Clone(c.Controls), func(c control.Control) bool { return c.ID == r.Control })
	}
	w.clock.Advance(5 * time.Minute)
	w.open("engine-2")
}

// TestControlOfRemediationDoesNotRun: nobody judges the findings of a control that is
// not switched on any more, so nothing of it counts as fixed, verified or resolved.
func TestControlOfRemediationDoesNotRun(t *testing.T) {
	t.Parallel()
	t.Run("approved", func(t *testing.T) {
		t.Parallel()
		w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
		id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
		r := w.waiting(id)
		w.approve(r)
		w.deselected(r)
		w.drain()
		r = w.last(id)
		wantState(t, r, dera.Superseded)
		if !strings.Contains(lastWhy(r), "is not switched on") || len(w.ours(revoke)) != 0 {
			t.Errorf("got %q and %d writes, want none and that the control does not run", lastWhy(r), len(w.ours(revoke)))
		}
	})
	t.Run("waiting", func(t *testing.T) {
		t.Parallel()
		w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
		id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
		r := w.waiting(id)
		w.deselected(r)
		_, err := w.engine.Decide(t.Context(), r.ID, engine.Answer{Approve: true, Digest: r.Digest, By: person()})
		if no := (&engine.RefusedError{}); !errors.As(err, &no) {
			t.Errorf("got %v, want a refusal", err)
		}
		w.sweep()
		wantState(t, w.last(id), dera.Waiting)
	})
	written := func(t *testing.T) (*world, string) {
		w := newWorld(t)
		id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
		var dead atomic.Bool
		w.step = func(name string) error {
			if dead.Load() && name == stepCall {
				return errors.New("the process is dead")
			}
			return nil
		}
		w.cloud.Inject(awssim.Fault{Match: byEngine(revoke), Kind: awssim.HookAfter, Times: 1, Func: func() { dead.Store(true) }})
		w.ingest(w.event(id))
		_ = w.engine.Drain(t.Context())
		dead.Store(false)
		w.deselected(w.last(id))
		return w, id
	}
	t.Run("written_and_not_verified", func(t *testing.T) {
		t.Parallel()
		w, id := written(t)
		r := w.ends(func() []dera.Remediation { return w.remediations(id) })
		if wantState(t, r, dera.Collateral); !strings.Contains(lastWhy(r), "could not be verified") {
			t.Errorf("got %q, want that it could not be verified", lastWhy(r))
		}
		if r, err := w.engine.Rollback(t.Context(), r.ID, remediate.Request{By: person(), Reason: "it broke"}); err != nil || r.State != dera.RolledBack {
			t.Errorf("rollback: got %s, %v", r.State, err)
		}
	})
}

func lastWhy(r dera.Remediation) string { return r.Steps[len(r.Steps)-1].Why }
