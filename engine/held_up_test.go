package engine_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
	"dera.example/dera/remediate"
)

// TestHeldUp: a stop of one control holds its remediation in the middle, and a plan of another
// control, approved meanwhile, waits for it. It begins nothing, a person hears of it after a
// while, and once the stop is lifted both end.
func TestHeldUp(t *testing.T) {
	t.Parallel()
	w, first, second := twoPlans(t)
	fault := w.cloud.Inject(awssim.Fault{Match: byEngine(revoke), Kind: awssim.Throttle})
	w.approve(first)
	w.drain()
	fault.Remove()
	sw := engine.Switch{Store: w.store, Now: w.clock.Now}
	w.must(sw.Stop(t.Context(), dera.Stop{Control: first.Control, Reason: "test"}, person()))
	w.approve(second)
	w.drain()
	if list := w.standing(); len(list) > 0 {
		t.Fatalf("got %+v at once, want no alarm", list)
	}
	w.clock.Advance(16 * time.Minute)
	w.drain()
	wantState(t, w.byID(first.ID), dera.Applying)
	wantState(t, w.byID(second.ID), dera.Ready)
	alarms := w.standing()
	if len(alarms) != 1 || alarms[0].Severity != max(first.Severity, second.Severity, dera.High) || !strings.Contains(alarms[0].Why, second.ID) || !strings.Contains(alarms[0].Why, "dera is stopped") {
		t.Fatalf("got %+v, want one alarm that names what waits", alarms)
	}
	w.must(sw.Resume(t.Context(), dera.Stop{Control: first.Control}, person()))
	w.quiet()
	wantState(t, w.byID(first.ID), dera.Resolved)
	if list := w.standing(); len(list) > 0 {
		t.Errorf("got %+v in the end, want no alarm", list)
	}
	if r := w.byID(second.ID); !r.State.Final() {
		t.Errorf("the second is %s in the end", r.State)
	}
}

// TestRollbackTakesItsTurn: while one remediation is under way, as an older version left it, a
// rollback of another one of the resource begins nothing and says for which it waits.
func TestRollbackTakesItsTurn(t *testing.T) {
	t.Parallel()
	w, first, second := twoPlans(t)
	w.approve(second)
	w.drain()
	first = w.byID(first.ID)
	first.State, first.Steps = dera.Applying, append(first.Steps, dera.Step{State: dera.Applying, At: w.clock.Now()})
	w.put(first)
	before := len(w.ours(""))
	_, err := w.rollback(second.ID)
	var later *remediate.LaterError
	if !errors.As(err, &later) || !strings.Contains(later.Why, first.ID) || later.At.Sub(w.clock.Now()) > time.Minute {
		t.Errorf("got %v, want that it waits for %s", err, first.ID)
	}
	wantState(t, w.byID(second.ID), dera.Resolved)
	if n := len(w.ours("")); n != before {
		t.Errorf("got %d writes", n-before)
	}
}

// twoPlans is a group with two plans of different controls, both waiting for an approval.
func twoPlans(t *testing.T) (w *world, first, second dera.Remediation) {
	t.Helper()
	modes := map[string]dera.Mode{adminPorts: dera.ReviewOnly, otherPorts: dera.ReviewOnly}
	w = newWorldWith(t, func(w *world) { w.config = byControl(modes) })
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"), tcp(6379, 6379, "0.0.0.0/0"))
	w.look(id)
	list := w.remediations(id)
	if len(list) != 2 {
		t.Fatalf("got %d plans, want two", len(list))
	}
	return w, list[0], list[1]
}

// standing are the alarms that stand.
func (w *world) standing() []dera.Alarm {
	w.t.Helper()
	list, err := w.store.Alarms(w.t.Context())
	w.must(err)
	return list
}

// byID is a remediation as it is now.
func (w *world) byID(id string) dera.Remediation {
	w.t.Helper()
	r, err := w.store.Remediation(w.t.Context(), id)
	w.must(err)
	return r
}
