package engine_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/remediate"
)

// diedError is what every call answers once the process is dead.
type diedError struct{}

func (diedError) Error() string { return "the process died" }

// CanceledError keeps the SDK from waiting and trying again.
func (diedError) CanceledError() bool { return true }

// mortal lets the engines of the world die at their k-th step that changes
// something: the database is gone for them from that moment on, and so is the
// network. A transaction that is under way still ends, as in a process that dies
// right after it; around a call they die before its effect and after it.
func (w *world) mortal(k int) (steps func() int) {
	var mu sync.Mutex
	n, dead, mine := 0, false, w.store
	w.step = func(step string) error {
		mu.Lock()
		defer mu.Unlock()
		if step == stepWrite {
			n++
		}
		if n == k && !dead && k > 0 {
			dead = true
			_ = mine.Close()
		}
		if dead {
			return diedError{}
		}
		return nil
	}
	return func() int { mu.Lock(); defer mu.Unlock(); return n }
}

// reborn opens a new engine on what the dead one left.
func (w *world) reborn() {
	w.t.Helper()
	w.step = nil
	_ = w.store.Close()
	w.open("engine-2")
	if err := w.engine.Start(w.t.Context(), "test"); err != nil {
		w.t.Fatal(err)
	}
	w.quiet()
}

// crash is one row of the crash matrix.
type crash struct {
	name  string
	rules []awssim.Rule
	// prepare runs before anything can die, act is what the engine dies in.
	prepare func(w *world, id string)
	act     func(w *world, id string)
	fixed   []string
	// ends are the configurations that may be there in the end.
	ends func(original, fixed []string) [][]string
	// narrowOnly says that at no time may the group be wider than at the start.
	undo bool
}

func crashes() []crash {
	ssh := []awssim.Rule{tcp(22, 22, "0.0.0.0/0"), tcp(22, 22, "10.0.0.0/24")}
	wide := tcp(0, 65535, "0.0.0.0/0")
	wide.Description = "lab"
	split := []awssim.Rule{wide}
	splitFixed := []string{"tcp 0-21 0.0.0.0/0 lab", "tcp 23-3388 0.0.0.0/0 lab", "tcp 3390-65535 0.0.0.0/0 lab"}
	apply := func(w *world, id string) {
		_ = w.engine.Ingest(w.t.Context(), []dera.Event{w.event(id)}, nil, nil)
		_ = w.engine.Drain(w.t.Context())
	}
	fix := func(w *world, id string) { apply(w, id) }
	lie := func(w *world, _ string) {
		w.cloud.Inject(awssim.Fault{Match: awssim.Match{Operation: "RevokeSecurityGroupIngress", Where: fromWide()}, Kind: awssim.LieNoEffect, Times: 1})
	}
	back := func(w *world, id string) {
		_, _ = w.engine.Rollback(w.t.Context(), w.remediations(id)[0].ID, remediate.Request{By: person(), Reason: "test"})
	}
	only := func(_, fixed []string) [][]string { return [][]string{fixed} }
	either := func(original, fixed []string) [][]string { return [][]string{original, fixed} }
	return []crash{
		{name: "apply_of_one_revoke", rules: ssh, act: apply, fixed: []string{"tcp 22-22 10.0.0.0/24"}, ends: only},
		{name: "apply_of_a_split", rules: split, act: apply, fixed: splitFixed, ends: only},
		{name: "undo_of_a_failed_revoke", rules: ssh, prepare: lie, act: apply, fixed: []string{"tcp 22-22 10.0.0.0/24"}, ends: either},
		{name: "undo_of_a_failed_split", rules: split, prepare: lie, act: apply, fixed: splitFixed, ends: either},
		{name: "rollback_of_one_revoke", rules: ssh, prepare: fix, act: back, fixed: []string{"tcp 22-22 10.0.0.0/24"}, ends: either, undo: true},
		{name: "rollback_of_a_split", rules: split, prepare: fix, act: back, fixed: splitFixed, ends: either, undo: true},
	}
}

// fromWide matches the first revoke of the world-open rule by an engine.
func fromWide() func(awssim.Call) bool {
	return func(c awssim.Call) bool { return c.Parameters["SecurityGroupRuleId.1"] != "" }
}

// TestCrashMatrix lets the engine die at each of its steps, before and after
// each commit and each call, and a new one take over (invariants I1, I2, I10).
func TestCrashMatrix(t *testing.T) {
	t.Parallel()
	for _, tt := range crashes() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			steps := tt.run(t, 0)
			stride := 1
			if testing.Short() {
				stride = 5
			}
			for k := 1; k <= steps; k += stride {
				t.Run(fmt.Sprintf("dies_at_step_%03d", k), func(t *testing.T) { tt.run(t, k) })
			}
			t.Logf("%d steps", steps)
		})
	}
}

// run lets the engine die at step k (0 means never) and returns the number of
// steps that there were.
func (tt crash) run(t *testing.T, k int) int {
	w := newWorld(t)
	id := w.group("web", tt.rules...)
	original := w.sorted(id)
	out := w.watch()
	if tt.prepare != nil {
		tt.prepare(w, id)
	}
	steps := w.mortal(k)
	tt.act(w, id)
	n := steps()
	w.clock.Advance(time.Second)
	w.reborn()
	w.sweep()
	w.quiet()
	out.check()
	got := w.sorted(id)
	ends := tt.ends(original, tt.fixed)
	if !slices.ContainsFunc(ends, func(end []string) bool { return slices.Equal(got, end) }) {
		t.Errorf("rules: got %q, want one of %q", got, ends)
	}
	tt.accounted(w, id, slices.Equal(got, tt.fixed))
	return n
}

// accounted checks that the finding says what is there.
func (tt crash) accounted(w *world, id string, fixed bool) {
	w.t.Helper()
	f, ok := w.findings(id)[sshKey]
	want := dera.FindingOpen
	if fixed {
		want = dera.FindingResolved
	}
	if !ok || f.State != want {
		w.t.Errorf("finding: got %q (%v), want %s", f.State, f.Reasons, want)
	}
	if tt.undo && !fixed && f.Disposition == dera.Auto {
		w.t.Errorf("finding after a rollback: got %s, want no more than review", f.Disposition)
	}
}
