package engine_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/evaluate"
	"dera.example/dera/store"
)

const sandbox = "444455556666"

// ranBefore tells from the world's store what controls did.
type ranBefore struct{ w *world }

func (r ranBefore) RunsBefore(ctx context.Context, partition string, accounts []string, _ time.Time) (out []evaluate.RunBefore, err error) {
	list, denials, err := r.w.store.Ran(ctx, partition, accounts, time.Time{})
	for _, x := range list {
		out = append(out, evaluate.RunOf(x, denials))
	}
	return out, err
}

// ranInSandbox is a remediation of the control for admin ports in the sandbox.
func (w *world) ranInSandbox(id string, at time.Time) dera.Remediation {
	w.t.Helper()
	r := dera.Remediation{
		ID: id, Control: "ec2-securitygroup-admin-ports-open", State: dera.Resolved, CreatedAt: at, Severity: dera.High,
		Decision: dera.Decision{Disposition: dera.Auto, Mode: dera.Enforce},
		Steps:    []dera.Step{{State: dera.Ready, At: at}, {State: dera.Applying, At: at}, {State: dera.Verifying, At: at}, {State: dera.Resolved, At: at}},
		Plan:     dera.Plan{Partition: "aws", Account: sandbox, Region: region, Resource: dera.ARN("arn:aws:ec2:" + region + ":" + sandbox + ":security-group/" + id)},
	}
	w.put(r)
	r.Revision++
	return r
}

func (w *world) put(r dera.Remediation) {
	w.t.Helper()
	if err := w.store.Commit(w.t.Context(), store.Batch{Remediations: []dera.Remediation{r}}); err != nil {
		w.t.Fatal(err)
	}
}

// takenBack rolls a remediation in the sandbox back.
func (w *world) takenBack(r dera.Remediation) {
	w.t.Helper()
	r.State = dera.RolledBack
	r.Steps = append(r.Steps, dera.Step{State: dera.Undoing, At: w.clock.Now()}, dera.Step{State: dera.RolledBack, At: w.clock.Now()})
	w.put(r)
}

func newProduction(t *testing.T, mode dera.Mode) *world {
	t.Helper()
	return newWorldWith(t, func(w *world) {
		w.mode = mode
		w.gate = func(g *evaluate.Gate) {
			g.Finding = append(g.Finding, evaluate.NonProductionFirst{
				List:     []evaluate.RunFirst{{Match: evaluate.Where{Account: account}, After: []evaluate.Where{{OU: "sandbox"}}}},
				Accounts: []dera.Account{{ID: account}, {ID: sandbox, OU: "sandbox"}}, Runs: ranBefore{w}, Now: w.clock.Now,
			})
		}
	})
}

// TestNonProductionFirst: production waits until the control ran in the sandbox for 14
// days, then it acts, and after a rollback in the sandbox it waits again.
func TestNonProductionFirst(t *testing.T) {
	t.Parallel()
	w := newProduction(t, dera.Enforce)
	waits := func(id, why string) {
		t.Helper()
		r := w.waiting(id)
		if lowered := r.Decision.Lowered(); len(lowered) != 1 || lowered[0].Guardrail != "non-production-first" || !strings.Contains(lowered[0].Why, why) {
			t.Errorf("what lowered it: got %+v, want non-production-first with %q", lowered, why)
		}
		if n := len(w.ours("")); n > 0 {
			t.Errorf("writes: got %d, want none", n)
		}
	}
	waits(w.group("early", tcp(22, 22, "0.0.0.0/0")), "has fixed nothing in account 444455556666 yet")
	ran := w.ranInSandbox("r-sandbox", w.clock.Now())
	w.clock.Advance(13 * 24 * time.Hour)
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	waits(id, "since 2026-11-23")
	w.clock.Advance(24 * time.Hour)
	w.look(id)
	if got := w.ingress(id); len(got) != 0 {
		t.Errorf("after 14 days: got %q, want it fixed", got)
	}
	w.takenBack(ran)
	next := w.group("next", tcp(22, 22, "0.0.0.0/0"))
	w.look(next)
	wantState(t, w.last(next), dera.Waiting)
	if got := w.ingress(next); len(got) != 1 {
		t.Errorf("after a rollback in the sandbox: got %q, want it left", got)
	}
}

// TestNonProductionFirstAndAPerson: a person may approve what waits for it. What speaks
// against the control only after the approval is not waived.
func TestNonProductionFirstAndAPerson(t *testing.T) {
	t.Parallel()
	t.Run("approved_although_it_never_ran", func(t *testing.T) {
		t.Parallel()
		w := newProduction(t, dera.Enforce)
		id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
		w.approve(w.waiting(id))
		w.drain()
		wantState(t, w.last(id), dera.Resolved)
	})
	t.Run("rolled_back_after_the_approval", func(t *testing.T) {
		t.Parallel()
		w := newProduction(t, dera.ReviewOnly)
		ran := w.ranInSandbox("r-sandbox", w.clock.Now().Add(-20*24*time.Hour))
		id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
		w.approve(w.waiting(id))
		w.takenBack(ran)
		w.drain()
		r := w.remediations(id)[0]
		wantState(t, r, dera.Superseded)
		if why := r.Steps[len(r.Steps)-1].Why; !strings.Contains(why, "non-production-first") || !strings.Contains(why, "r-sandbox") {
			t.Errorf("why: got %q, want the rollback in the sandbox", why)
		}
		if n := len(w.ours("")); n > 0 {
			t.Errorf("writes: got %d, want none", n)
		}
	})
}
