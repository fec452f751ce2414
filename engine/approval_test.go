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

// waiting returns the remediation of a group whose plan waits for an approval.
func (w *world) waiting(id string) dera.Remediation {
	w.t.Helper()
	w.look(id)
	r := w.last(id)
	wantState(w.t, r, dera.Waiting)
	return r
}

func (w *world) approve(r dera.Remediation) {
	w.t.Helper()
	if _, err := w.engine.Decide(w.t.Context(), r.ID, engine.Answer{Approve: true, Digest: r.Digest, By: person()}); err != nil {
		w.t.Fatal(err)
	}
}

func TestVerdictIsRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		verdict func(r dera.Remediation) engine.Answer
		before  func(w *world, r dera.Remediation)
		why     string
		state   dera.State
	}{
		{name: "wrong_digest", why: "the digest is not that of the plan", state: dera.Waiting,
			verdict: func(r dera.Remediation) engine.Answer {
				return engine.Answer{Approve: true, Digest: strings.Repeat("0", 64), By: person()}
			}},
		{name: "no_digest", why: "the digest is not that of the plan", state: dera.Waiting,
			verdict: func(r dera.Remediation) engine.Answer { return engine.Answer{Approve: true, By: person()} }},
		{name: "eleven_digits", why: "the digest is not that of the plan", state: dera.Waiting,
			verdict: func(r dera.Remediation) engine.Answer {
				return engine.Answer{Approve: true, Digest: r.Digest[:11], By: person()}
			}},
		{name: "twelve_digits_of_another", why: "the digest is not that of the plan", state: dera.Waiting,
			verdict: func(r dera.Remediation) engine.Answer {
				return engine.Answer{Approve: true, Digest: r.Digest[1:13], By: person()}
			}},
		{name: "more_than_the_digest", why: "the digest is not that of the plan", state: dera.Waiting,
			verdict: func(r dera.Remediation) engine.Answer {
				return engine.Answer{Approve: true, Digest: r.Digest + "0", By: person()}
			}},
		{name: "nobody_knows_who", why: "who approves is not established", state: dera.Waiting,
			verdict: func(r dera.Remediation) engine.Answer {
				return engine.Answer{Approve: true, Digest: r.Digest, By: dera.Actor{Name: "ann"}}
			}},
		{name: "too_late", why: "nobody approved it in time", state: dera.Expired, before: func(w *world, _ dera.Remediation) { w.clock.Advance(73 * time.Hour) },
			verdict: func(r dera.Remediation) engine.Answer {
				return engine.Answer{Approve: true, Digest: r.Digest, By: person()}
			}},
		{name: "after_it_expired", why: "it is expired", state: dera.Expired, before: func(w *world, _ dera.Remediation) { w.clock.Advance(73 * time.Hour); w.drain() },
			verdict: func(r dera.Remediation) engine.Answer {
				return engine.Answer{Approve: true, Digest: r.Digest, By: person()}
			}},
		{name: "after_it_was_rejected", why: "it is rejected", state: dera.Rejected,
			before: func(w *world, r dera.Remediation) {
				if _, err := w.engine.Decide(w.t.Context(), r.ID, engine.Answer{Reason: "no", By: person()}); err != nil {
					w.t.Error(err)
				}
			},
			verdict: func(r dera.Remediation) engine.Answer {
				return engine.Answer{Approve: true, Digest: r.Digest, By: person()}
			}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
			id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
			r := w.waiting(id)
			if tt.before != nil {
				tt.before(w, r)
			}
			_, err := w.engine.Decide(t.Context(), r.ID, tt.verdict(r))
			var refused *engine.RefusedError
			if !errors.As(err, &refused) || !strings.Contains(refused.Why, tt.why) {
				t.Errorf("got %v, want a refusal with %q", err, tt.why)
			}
			w.drain()
			wantState(t, w.last(id), tt.state)
			if n := len(w.ours("")); n != 0 {
				t.Errorf("writes: got %d, want none", n)
			}
		})
	}
}

// An approval lets one plan through, for its time, on its resource as it was,
// and waives only what was said when it was given.
func TestApprovalHolds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		set    func(w *world)
		change func(w *world, id string)
		state  dera.State
		why    string
	}{
		{name: "as_it_was", change: func(*world, string) {}, state: dera.Resolved},
		{name: "plan_changed", change: func(w *world, id string) { w.authorize(id, tcp(0, 1000, "0.0.0.0/0")) }, state: dera.Superseded, why: "the resource changed"},
		{name: "approval_ran_out", change: func(w *world, _ string) { w.clock.Advance(61 * time.Minute) }, state: dera.Superseded, why: "the approval ran out"},
		{name: "a_new_reason_is_not_waived", state: dera.Superseded, why: "in-use", set: func(w *world) { w.gate = withNeed(w) },
			change: func(w *world, _ string) { w.needed.Store(true) }},
		{name: "exemption_is_never_waived", set: exempting, state: dera.Superseded, why: "exempt until",
			change: func(w *world, _ string) { w.exempt(w.dir+"/exemptions.yaml", allExempt) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorldWith(t, func(w *world) {
				w.mode = dera.ReviewOnly
				if tt.set != nil {
					tt.set(w)
				}
			})
			id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
			r := w.waiting(id)
			w.approve(r)
			tt.change(w, id)
			w.drain()
			r = w.remediations(id)[0]
			wantState(t, r, tt.state)
			if why := r.Steps[len(r.Steps)-1].Why; !strings.Contains(why, tt.why) {
				t.Errorf("why: got %q, want %q in it", why, tt.why)
			}
			want := 0
			if tt.state == dera.Resolved {
				want = 1
			}
			if n := len(w.ours("")); n != want {
				t.Errorf("writes: got %d, want %d", n, want)
			}
		})
	}
}

// A plan that was turned down is not asked about again until it changes.
func TestRejectedPlanIsNotAskedAgain(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	r := w.waiting(id)
	if _, err := w.engine.Decide(t.Context(), r.ID, engine.Answer{Reason: "we need it", By: person()}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w.clock.Advance(time.Hour)
		w.sweep()
	}
	if got := states(w.remediations(id)); !slices.Equal(got, []dera.State{dera.Rejected}) {
		t.Errorf("remediations: got %v, want the rejected one only", got)
	}
	f := w.findings(id)[sshKey]
	if f.State != dera.FindingOpen || !slices.ContainsFunc(f.Reasons, func(x dera.Reason) bool { return strings.Contains(x.Why, "we need it") }) {
		t.Errorf("finding: got %s %v, want open, with the person's reason", f.State, f.Reasons)
	}
	// Also where the mode lets dera act automatically by now: a person said no.
	w.mode = dera.Enforce
	w.sweep()
	if n := len(w.ours("")); n != 0 {
		t.Errorf("writes after a no: got %d, want none", n)
	}
	w.mode = dera.ReviewOnly
	w.authorize(id, tcp(22, 22, "8.0.0.0/6"))
	w.sweep()
	if got := states(w.remediations(id)); !slices.Equal(got, []dera.State{dera.Rejected}) {
		t.Errorf("remediations after a rule that opens nothing more: got %v, want no new question", got)
	}
	w.authorize(id, awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "::/0"})
	w.sweep()
	if got := states(w.remediations(id)); !slices.Equal(got, []dera.State{dera.Rejected, dera.Waiting}) {
		t.Errorf("remediations after it was opened further: got %v, want a new one that waits", got)
	}
}

// A wait that nobody answered is a no to the question; what the gate lets pass
// automatically later needs no answer (a stop must not switch dera off for good).
func TestExpiredWaitIsNoAndNotForever(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	w.stop()
	r := w.waiting(id)
	w.clock.Advance(80 * time.Hour)
	w.drain()
	wantState(t, w.only(id), dera.Expired)
	w.sweep()
	if got := states(w.remediations(id)); !slices.Equal(got, []dera.State{dera.Expired}) {
		t.Errorf("remediations under the stop: got %v, want no new question", got)
	}
	w.resume()
	w.sweep()
	w.quiet()
	if got := states(w.remediations(id)); !slices.Equal(got, []dera.State{dera.Expired, dera.Resolved}) {
		t.Errorf("remediations after resume: got %v, want %s expired and a new one resolved", got, r.ID)
	}
}

// What waits is asked again when the resource moved beside it, so that the
// approval does not come to nothing.
func TestWaitingPlanFollowsTheResource(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	first := w.waiting(id)
	w.authorize(id, tcp(9000, 9000, "10.0.0.0/8"))
	w.look(id)
	second := w.last(id)
	wantState(t, w.remediations(id)[0], dera.Superseded)
	wantState(t, second, dera.Waiting)
	if first.Digest != second.Digest {
		t.Errorf("digests: got %s and %s, want the same plan", first.Digest, second.Digest)
	}
	w.approve(second)
	w.drain()
	wantState(t, w.last(id), dera.Resolved)
}

// Nothing is written in observe and in review mode, whatever is found (counted
// by operation).
func TestObserveAndReviewWriteNothing(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]dera.Mode{"observe": dera.Observe, "review": dera.ReviewOnly} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorldWith(t, func(w *world) { w.mode = mode })
			ids := []string{
				w.group("ssh", tcp(22, 22, "0.0.0.0/0")), w.group("lab", wideRule()), w.group("db", tcp(8432, 8432, "0.0.0.0/0")),
				w.group("all", awssim.Rule{Protocol: "-1", CIDR: "0.0.0.0/0"}), w.group("six", tcp(3389, 3389, "::/0")),
			}
			for range 3 {
				w.sweep()
				w.ingest(w.event(ids...))
				w.clock.Advance(2 * time.Minute)
				w.drain()
			}
			counts := map[string]int{}
			for _, c := range w.cloud.Calls() {
				if strings.HasSuffix(c.Principal, "user/dera") {
					counts[c.Operation]++
				}
			}
			for op, n := range counts {
				if !strings.HasPrefix(op, "Describe") && !strings.HasPrefix(op, "Get") {
					t.Errorf("%s: got %d calls, want none", op, n)
				}
			}
			want := dera.Observed
			if mode == dera.ReviewOnly {
				want = dera.Waiting
			}
			for _, id := range ids[:2] {
				wantState(t, w.last(id), want)
			}
			w.verifyLog()
		})
	}
}

// An exempt finding is never changed, by whatever it is triggered (Prowler's
// fixer ignores mutes; ASR's custom action and Custodian's Security Hub trigger
// skip the filters).
func TestExemptFindingIsNeverChanged(t *testing.T) {
	t.Parallel()
	triggers := map[string]func(w *world, id string){
		"event": func(w *world, id string) { w.look(id) },
		"sweep": func(w *world, _ string) { w.sweep() },
		"by_hand": func(w *world, id string) {
			ev := w.event(id)
			ev.Source = "remediate"
			if err := w.engine.LookNow(w.t.Context(), ev, true); err != nil {
				w.t.Error(err)
			}
			for _, r := range w.remediations(id) {
				_, _ = w.engine.Carry(w.t.Context(), r.ID)
			}
		},
	}
	for name, trigger := range triggers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorldWith(t, exempting)
			w.exempt(w.dir+"/exemptions.yaml", allExempt)
			id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
			trigger(w, id)
			w.quiet()
			if n := len(w.ours("")); n != 0 {
				t.Errorf("writes: got %d, want none", n)
			}
			f := w.findings(id)[sshKey]
			if f.State != dera.FindingOpen || f.Disposition != dera.Exempt || len(w.remediations(id)) != 0 {
				t.Errorf("finding: got %s %s with %d remediations, want open, exempt, none", f.State, f.Disposition, len(w.remediations(id)))
			}
		})
	}
}
