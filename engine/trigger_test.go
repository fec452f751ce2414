package engine_test

import (
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/engine"
	"dera.example/dera/evaluate"
)

// frozenFrom is a world in which changes are frozen from a clock on.
func frozenFrom(t *testing.T, clock string, set func(*world)) *world {
	return newWorldWith(t, func(w *world) {
		w.gate = func(g *evaluate.Gate) {
			windows, err := evaluate.NewWindows([]evaluate.Window{{Name: "peak", From: clock, To: "24:00", Zone: "UTC"}}, nil, w.clock.Now)
			if err != nil {
				t.Fatal(err)
			}
			g.Finding = append(g.Finding, windows)
		}
		set(w)
	})
}

// TestEveryTriggerMeetsTheGate: event, sweep, scan and an order by hand all find
// the freeze window (design §6.1.8).
func TestEveryTriggerMeetsTheGate(t *testing.T) {
	t.Parallel()
	for name, trigger := range map[string]func(w *world, id string) error{
		"event": func(w *world, id string) error {
			return w.engine.Ingest(w.t.Context(), []dera.Event{w.event(id)}, nil, nil)
		},
		"sweep": func(w *world, _ string) error { return w.engine.Sweep(w.t.Context(), "sweep") },
		"scan": func(w *world, _ string) error {
			for _, s := range w.engine.Scopes() {
				if s.Type != w.event("").Scope.Type {
					continue
				}
				if err := w.engine.LookNow(w.t.Context(), dera.Event{Source: "scan", Name: "scan", Scope: s, Time: w.clock.Now()}, true); err != nil {
					return err
				}
			}
			return nil
		},
		"order": func(w *world, id string) error {
			ev := w.event(id)
			ev.Source = "remediate"
			return w.engine.LookNow(w.t.Context(), ev, true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := frozenFrom(t, "09:00", func(*world) {})
			id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
			if err := trigger(w, id); err != nil {
				t.Fatal(err)
			}
			w.quiet()
			r := w.remediations(id)
			if len(r) != 1 || r[0].State != dera.Waiting || len(w.ours("")) > 0 {
				t.Errorf("got %d remediations, %d writes, want one that waits and none", len(r), len(w.ours("")))
			}
		})
	}
}

// TestApprovalDoesNotReachIntoAFreeze: a yes waives what was shown with the plan,
// and no freeze that began since.
func TestApprovalDoesNotReachIntoAFreeze(t *testing.T) {
	t.Parallel()
	w := frozenFrom(t, "09:30", func(w *world) { w.mode = dera.ReviewOnly })
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	w.look(id)
	r := w.remediations(id)[0]
	if _, err := w.engine.Decide(t.Context(), r.ID, engine.Answer{Approve: true, Digest: r.Digest, By: dera.Actor{Name: "ann", How: "sts"}}); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(40 * time.Minute)
	w.drain()
	if got := w.remediations(id)[0]; got.State != dera.Superseded || len(w.ours("")) > 0 {
		t.Errorf("got %s and %d writes, want it let go and none", got.State, len(w.ours("")))
	}
}
