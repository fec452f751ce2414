package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/control"
	"dera.example/dera/engine"
	"dera.example/dera/remediate"
	"dera.example/dera/store"
)

// keptTo are the rules that keep private access to a port beside one that is closed.
func keptTo(port string) []string {
	return []string{"tcp " + port + " 10.0.0.0/8", "tcp " + port + " 100.64.0.0/10", "tcp " + port + " 172.16.0.0/12", "tcp " + port + " 192.168.0.0/16"}
}

// newKeeping is a world in which private access stays.
func newKeeping(t *testing.T, mode dera.Mode) *world {
	t.Helper()
	return newWorldWith(t, func(w *world) {
		w.mode = mode
		w.config = func(c *engine.Config) { c.Settings = control.Settings{} }
	})
}

// begun is a group whose first remediation has added what keeps private access, and stands
// right before it takes the public rule: its revoke is refused for a passing reason.
func (w *world) begun(hook func(id string)) (string, dera.Remediation, *awssim.Injected) {
	w.t.Helper()
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	fault := w.cloud.Inject(awssim.Fault{Match: byEngine(revoke), Kind: awssim.Throttle})
	w.look(id)
	if hook != nil {
		hook(id)
	}
	r := w.only(id)
	wantState(w.t, r, dera.Applying)
	return id, r, fault
}

// another is a remediation of the same resource, made and resolved later, as it stands in the store.
func (w *world) another(r dera.Remediation) dera.Remediation {
	w.t.Helper()
	r.ID, r.Control, r.Revision, r.CreatedAt, r.State = "r-later", otherPorts, 0, w.clock.Now().Add(time.Second), dera.Resolved
	r.Plan.Keys, r.Findings = []string{"another"}, nil
	r.Steps = []dera.Step{{State: dera.Resolved, At: r.CreatedAt}}
	if err := w.store.Commit(w.t.Context(), store.Batch{Remediations: []dera.Remediation{r}}); err != nil {
		w.t.Fatal(err)
	}
	return r
}

// TestPlanWaitsForAnUndo: a rollback was ordered and has written nothing yet, and a plan that
// was proved on what it is about to take away is approved. It begins nothing meanwhile, and
// is decided again on what the undo left.
func TestPlanWaitsForAnUndo(t *testing.T) {
	t.Parallel()
	w := newKeeping(t, dera.ReviewOnly)
	id := w.group("web", tcp(20, 25, "0.0.0.0/0"))
	w.approve(w.waiting(id))
	w.quiet()
	first := w.in(id, dera.Resolved)
	second := w.in(id, dera.Waiting)
	fault := w.cloud.Inject(awssim.Fault{Match: byEngine(authorize), Kind: awssim.Throttle})
	if r, err := w.rollback(first.ID); err == nil || r.State != dera.Undoing {
		t.Fatalf("got %s, %v", r.State, err)
	}
	wantState(t, w.in(id, dera.Undoing), dera.Undoing)
	before := w.sorted(id)
	w.approve(second)
	r, err := w.newEngine("engine-2", w.openStore(w.clock.Now)).Carry(t.Context(), second.ID)
	var later *remediate.LaterError
	if !errors.As(err, &later) || !strings.Contains(later.Why, first.ID) || r.State != dera.Ready {
		t.Fatalf("got %s, %v, want that it waits for %s", r.State, err, first.ID)
	}
	if got := w.sorted(id); !slices.Equal(got, before) {
		t.Errorf("rules meanwhile: got %q, want %q", got, before)
	}
	fault.Remove()
	w.quiet()
	if got := w.sorted(id); !slices.Equal(got, []string{"tcp 20-25 0.0.0.0/0"}) {
		t.Errorf("rules: got %q, want them as before both", got)
	}
	w.in(id, dera.RolledBack)
	for _, r := range w.remediations(id) {
		if r.ID == second.ID && r.State != dera.Superseded {
			t.Errorf("the second: got %s, want that it is decided again", r.State)
		}
	}
}

// TestUndoUnderALaterRemediation: whatever way it came to be, an undo takes nothing away under
// a later remediation in effect; the one that it is about says which.
func TestUndoUnderALaterRemediation(t *testing.T) {
	t.Parallel()
	t.Run("of_a_fix_that_fails", func(t *testing.T) {
		t.Parallel()
		w := newKeeping(t, dera.Enforce)
		id, r, fault := w.begun(nil)
		w.another(r)
		fault.Remove()
		w.mode = dera.Observe // the gate says no to the rest
		w.ends(func() []dera.Remediation { return w.remediations(id) })
		r = w.remediations(id)[0]
		wantState(t, r, dera.Collateral)
		if !strings.Contains(lastWhy(r), "r-later") || !strings.Contains(lastWhy(r), "mode") || len(r.Unexpected) != 1 {
			t.Errorf("why: got %q, want both reasons", lastWhy(r))
		}
		if got, want := w.sorted(id), append([]string{"tcp 22-22 0.0.0.0/0"}, keptTo("22-22")...); !slices.Equal(got, want) {
			t.Errorf("rules: got %q, want %q", got, want)
		}
		w.verifyLog()
	})
	t.Run("of_a_rollback", func(t *testing.T) {
		t.Parallel()
		w := newKeeping(t, dera.Enforce)
		id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
		w.look(id)
		w.quiet()
		r := w.only(id)
		fault := w.cloud.Inject(awssim.Fault{Match: byEngine(authorize), Kind: awssim.Throttle})
		if _, err := w.rollback(r.ID); err == nil {
			t.Fatal("the rollback wrote something")
		}
		w.another(w.only(id))
		fault.Remove()
		w.quiet()
		r = w.remediations(id)[0]
		wantState(t, r, dera.Collateral)
		if got := w.sorted(id); !slices.Equal(got, keptTo("22-22")) || !strings.Contains(lastWhy(r), "r-later") || r.Undo != "" {
			t.Errorf("got %q, %q, undo %q", got, lastWhy(r), r.Undo)
		}
	})
}

// TestUndoKeepsWhatAccessReliesOn: somebody removes the public rule themselves while dera has
// just added what keeps private access. The fix ends, and what it added is all that is left
// of that access: it stays, until the public rule is back or somebody removes it by hand.
func TestUndoKeepsWhatAccessReliesOn(t *testing.T) {
	t.Parallel()
	w := newKeeping(t, dera.Enforce)
	id, r, fault := w.begun(func(id string) { w.revoke(id, tcp(22, 22, "0.0.0.0/0")) })
	fault.Remove()
	w.quiet()
	r = w.only(id)
	wantState(t, r, dera.Collateral)
	if got := w.sorted(id); !slices.Equal(got, keptTo("22-22")) || !strings.Contains(lastWhy(r), "access may rely on change") {
		t.Errorf("got %q and %q, want that private access stays, with why", got, lastWhy(r))
	}
	if f := w.findings(id)[sshKey]; f.State != dera.FindingResolved {
		t.Errorf("finding: got %s, want it resolved", f.State)
	}
	var no *remediate.RefusedError
	if _, err := w.rollback(r.ID); !errors.As(err, &no) || len(no.Drift) != 4 || len(no.Partial) > 0 || !strings.Contains(err.Error(), "access may rely on what it would take away") {
		t.Fatalf("rollback: got %v, want it refused with all four", err)
	}
	if got := w.sorted(id); !slices.Equal(got, keptTo("22-22")) {
		t.Errorf("after the refusal: got %q", got)
	}
	w.authorize(id, tcp(22, 22, "0.0.0.0/0"))
	got, err := w.rollback(r.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantState(t, got, dera.RolledBack)
	if got := w.sorted(id); !slices.Equal(got, []string{"tcp 22-22 0.0.0.0/0"}) {
		t.Errorf("rules: got %q, want the public one alone", got)
	}
}

// TestRollbackOpensNothingThatIsClosedSince: between the order and the undo somebody removes
// what dera had put in the place of the public rule. The order did not say that, so that the
// public rule does not come back.
func TestRollbackOpensNothingThatIsClosedSince(t *testing.T) {
	t.Parallel()
	w := newKeeping(t, dera.Enforce)
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	w.look(id)
	w.quiet()
	r := w.only(id)
	fault := w.cloud.Inject(awssim.Fault{Match: byEngine(authorize), Kind: awssim.Throttle})
	if _, err := w.rollback(r.ID); err == nil {
		t.Fatal("the rollback wrote something")
	}
	w.revoke(id, tcp(22, 22, "10.0.0.0/8"))
	fault.Remove()
	w.quiet()
	r = w.only(id)
	wantState(t, r, dera.Collateral)
	if got := w.sorted(id); !slices.Equal(got, keptTo("22-22")[1:]) || !strings.Contains(lastWhy(r), "since the order someone else removed") {
		t.Errorf("got %q and %q, want nothing written, with why", got, lastWhy(r))
	}
	// Ordered again, it is shown.
	var no *remediate.RefusedError
	if _, err := w.rollback(r.ID); !errors.As(err, &no) || !strings.Contains(strings.Join(no.Drift, "\n"), "opens again what they removed") {
		t.Errorf("again: got %v, want what it opens shown", err)
	}
}

// TestUndoKeepsNoRemainder: the public rule was wide, and dera has added its remainder too.
// Who removed the rule closed that: the remainder goes, and private access stays.
func TestUndoKeepsNoRemainder(t *testing.T) {
	t.Parallel()
	w := newKeeping(t, dera.Enforce)
	id := w.group("web", tcp(20, 25, "0.0.0.0/0"))
	fault := w.cloud.Inject(awssim.Fault{Match: byEngine(revoke), Kind: awssim.Throttle})
	w.look(id)
	w.revoke(id, tcp(20, 25, "0.0.0.0/0"))
	fault.Remove()
	w.quiet()
	r := w.only(id)
	wantState(t, r, dera.Collateral)
	if got := w.sorted(id); !slices.Equal(got, keptTo("22-22")) {
		t.Errorf("rules: got %q, want private access alone", got)
	}
	if !strings.Contains(lastWhy(r), "this stays") {
		t.Errorf("why: got %q", lastWhy(r))
	}
}

// TestUndoKeepsTheCopyOfAPolicy: the same of a role, of which somebody detaches the policy of
// AWS while dera has just put its copy beside it.
func TestUndoKeepsTheCopyOfAPolicy(t *testing.T) {
	t.Parallel()
	w := newCopying(t)
	fault := w.cloud.Inject(awssim.Fault{Match: awssim.Match{Service: "iam", Operation: "DetachRolePolicy", Where: func(c awssim.Call) bool { return strings.HasSuffix(c.Principal, "user/dera") }}, Kind: awssim.Throttle})
	w.changed()
	wantState(t, w.last(copied), dera.Applying)
	w.must("DetachRolePolicy", map[string]string{"RoleName": copied, "PolicyArn": w.arn})
	fault.Remove()
	w.quiet()
	wantState(t, w.fix(), dera.Collateral)
	w.fixed()
}
