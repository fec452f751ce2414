package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
)

// byHand is what dera remediate does with one finding.
func (w *world) byHand(f dera.Finding) {
	w.t.Helper()
	ev := w.event(f.Resource.Name())
	ev.Source = "remediate"
	only := func(list []dera.Finding) bool {
		return slices.ContainsFunc(list, func(o dera.Finding) bool { return o.ID == f.ID })
	}
	if err := w.engine.LookFor(w.t.Context(), ev, only); err != nil {
		w.t.Fatal(err)
	}
}

// A no of a person to one finding is kept, whatever else of the resource fails later.
func TestRejectionIsHeldPerFinding(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		first awssim.Rule
		more  []awssim.Rule
		left  []string
	}{
		{name: "another_rule", first: tcp(22, 22, "0.0.0.0/0"), more: []awssim.Rule{tcp(3389, 3389, "0.0.0.0/0")}, left: []string{"tcp 22-22 0.0.0.0/0"}},
		{name: "a_wide_rule", first: tcp(22, 22, "0.0.0.0/0"), more: []awssim.Rule{tcp(3389, 3390, "0.0.0.0/0")}, left: []string{"tcp 22-22 0.0.0.0/0", "tcp 3390-3390 0.0.0.0/0"}},
		{name: "from_further_away", first: tcp(22, 22, "0.0.0.0/0"), left: []string{"tcp 22-22 0.0.0.0/0", "tcp 22-22 ::/0"},
			more: []awssim.Rule{{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "::/0"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
			id := w.group("web", tt.first)
			w.sweep()
			no := w.in(id, dera.Waiting)
			w.reject(no)
			w.quiet()
			w.mode = dera.Enforce
			for _, rule := range tt.more {
				w.authorize(id, rule)
			}
			for range 3 {
				w.clock.Advance(time.Minute)
				w.sweep()
				w.quiet()
			}
			if got := w.sorted(id); !slices.Equal(got, tt.left) {
				t.Errorf("rules: got %q, want %q", got, tt.left)
			}
			f := w.findings(id)[sshKey]
			said := slices.ContainsFunc(f.Reasons, func(r dera.Reason) bool { return strings.Contains(r.Why, "it stays") && r.Ref == no.ID })
			if f.State != dera.FindingOpen || f.Disposition != dera.Review || !said {
				t.Errorf("SSH: got %s %s %v, want open, review, with the person's reason", f.State, f.Disposition, f.Reasons)
			}
			if f := w.findings(id)[rdpKey]; len(tt.more) > 0 && tt.more[0].FromPort == 3389 && f.State != dera.FindingResolved {
				t.Errorf("RDP: got %s, want resolved", f.State)
			}
		})
	}
}

// The last word of a person counts: a yes to as much ends an earlier no.
func TestLaterApprovalEndsRejection(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	w.reject(w.waiting(id))
	w.authorize(id, awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "::/0"})
	w.clock.Advance(time.Minute)
	w.sweep()
	w.approve(w.in(id, dera.Waiting))
	w.quiet()
	wantState(t, w.last(id), dera.Resolved)
	w.mode = dera.Enforce
	w.authorize(id, tcp(22, 22, "0.0.0.0/0"))
	w.clock.Advance(time.Minute)
	w.sweep()
	w.quiet()
	if got := w.ingress(id); len(got) != 0 {
		t.Errorf("rules: got %q, want none", got)
	}
}

// unbegun is a plan that was approved under a stop, which is lifted by now.
func (w *world) unbegun(id string) dera.Remediation {
	w.t.Helper()
	r := w.waiting(id)
	w.stop()
	w.approve(r)
	if _, err := w.engine.Carry(w.t.Context(), r.ID); err == nil {
		w.t.Fatal("got no error under a stop")
	}
	w.resume()
	return w.in(id, dera.Ready)
}

// What is approved and not begun goes on, is taken back, or runs out.
func TestApprovedAndNotBegun(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T) (*world, string, dera.Remediation) {
		w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
		id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
		return w, id, w.unbegun(id)
	}
	t.Run("approved_again", func(t *testing.T) {
		t.Parallel()
		w, id, r := start(t)
		w.approve(r)
		if r, err := w.engine.Carry(t.Context(), r.ID); err != nil || r.State != dera.Resolved {
			t.Errorf("got %s, %v, want resolved", r.State, err)
		}
		if got := w.ingress(id); len(got) != 0 {
			t.Errorf("rules: got %q, want none", got)
		}
	})
	t.Run("another_digest", func(t *testing.T) {
		t.Parallel()
		w, _, r := start(t)
		_, err := w.engine.Decide(t.Context(), r.ID, engine.Answer{Approve: true, Digest: strings.Repeat("0", 64), By: person()})
		if no := (&engine.RefusedError{}); !errors.As(err, &no) {
			t.Errorf("got %v, want a refusal", err)
		}
	})
	t.Run("named_by_its_finding", func(t *testing.T) {
		t.Parallel()
		w, id, r := start(t)
		w.byHand(w.findings(id)[sshKey])
		if f := w.findings(id)[sshKey]; f.WaitsFor != "" || f.Remediation != r.ID {
			t.Errorf("the finding has %q and waits for %q, want %s and nothing", f.Remediation, f.WaitsFor, r.ID)
		}
		wantState(t, w.only(id), dera.Ready)
	})
	t.Run("rejected", func(t *testing.T) {
		t.Parallel()
		w, id, r := start(t)
		w.reject(r)
		w.quiet()
		wantState(t, w.only(id), dera.Rejected)
		if n := len(w.ours("")); n != 0 {
			t.Errorf("writes: got %d, want none", n)
		}
		w.verifyLog()
	})
	t.Run("ran_out", func(t *testing.T) {
		t.Parallel()
		w, id, r := start(t)
		w.clock.Advance(2 * time.Hour)
		if err := w.engine.LookNow(t.Context(), w.event(id), false); err != nil {
			t.Fatal(err)
		}
		if got := states(w.remediations(id)); !slices.Equal(got, []dera.State{dera.Superseded, dera.Waiting}) {
			t.Errorf("got %v, want %s let go and asked again", got, r.ID)
		}
	})
}

// Without dera run, nobody runs the job that ends a wait: whoever looks does.
func TestOverdueWaitEndsAtALook(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
	id := w.wide()
	look := func() {
		t.Helper()
		if err := w.engine.LookNow(t.Context(), w.event(id), false); err != nil {
			t.Fatal(err)
		}
	}
	look()
	first := w.in(id, dera.Waiting)
	w.clock.Advance(80 * time.Hour)
	look()
	wantState(t, w.only(id), dera.Expired)
	w.byHand(w.findings(id)[sshKey])
	if again := w.in(id, dera.Waiting); again.Digest != first.Digest {
		t.Errorf("asked again: got %q, want %q", again.Plan.Diff(), first.Plan.Diff())
	}
	w.clock.Advance(80 * time.Hour)
	late := w.in(id, dera.Waiting)
	_, err := w.engine.Decide(t.Context(), late.ID, engine.Answer{Approve: true, Digest: late.Digest, By: person()})
	if no := (&engine.RefusedError{}); !errors.As(err, &no) {
		t.Errorf("approved too late: got %v, want a refusal", err)
	}
	if got := states(w.remediations(id)); !slices.Equal(got, []dera.State{dera.Expired, dera.Expired}) {
		t.Errorf("after the late approval: got %v, want both expired", got)
	}
	w.drain() // the jobs find nothing to do
	w.verifyLog()
}
