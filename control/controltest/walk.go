package controltest

import (
	"fmt"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// way is every state that a plan goes through, with the IDs and outputs that
// AWS would have given.
type way struct {
	states  []any // before, after each change
	outputs []map[string]string
}

func (w way) last() any { return w.states[len(w.states)-1] }

// walk carries the plan out step by step. Each change shows in the configuration
// after it and not before, as the engine must be able to tell.
func (l Laws) walk(t TB, r dera.Resource, p dera.Plan) way {
	t.Helper()
	w := way{states: []any{r.Config}}
	for i, c := range p.Changes {
		next, out := l.step(t, w.last(), resource.Of(c), fmt.Sprintf("new%d", i))
		w.states = append(w.states, next)
		w.outputs = append(w.outputs, out)
	}
	whole, err := l.Type.ApplyPlan(r.Config, p)
	if err != nil {
		t.Fatalf("apply plan: %v", err)
	}
	if diff := cmp.Diff(l.canon(t, whole), l.canon(t, w.last())); diff != "" {
		t.Errorf("the plan as a whole and step by step (-whole +steps):\n%s", diff)
	}
	return w
}

// undo takes the plan back in reverse and returns the configuration then.
func (l Laws) undo(t TB, w way, p dera.Plan) any {
	t.Helper()
	now := w.last()
	for i := len(p.Changes) - 1; i >= 0; i-- {
		u := p.Changes[i].Undo
		if u == nil {
			t.Fatalf("change %d has no undo", i)
		}
		op, err := resource.OfUndo(*u, w.outputs[i])
		if err != nil {
			t.Fatalf("undo of change %d: %v", i, err)
		}
		now, _ = l.step(t, now, op, fmt.Sprintf("undo%d", i))
		if got, want := l.canon(t, now), l.canon(t, w.states[i]); got != want {
			t.Errorf("undo of change %d: got %s\nwant %s", i, got, want)
		}
	}
	return now
}

func (l Laws) step(t TB, config any, op resource.Operation, id string) (any, map[string]string) {
	t.Helper()
	k := l.Type
	if done, _, err := k.Effect(config, op); err != nil || done {
		t.Errorf("effect of %s before it is done: got %t, %v, want false", op.Name, done, err)
	}
	next, err := k.Apply(config, op)
	if err != nil {
		t.Fatalf("apply %s: %v", op.Name, err)
	}
	next = l.stamp(next, id)
	done, out, err := k.Effect(next, op)
	if err != nil || !done {
		t.Errorf("effect of %s after it is done: got %t, %v, want true", op.Name, done, err)
	}
	return next, out
}
