package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
)

const (
	authorize = "AuthorizeSecurityGroupIngress"
	revoke    = "RevokeSecurityGroupIngress"
)

// byEngine matches the calls of engines, not those of the people in the test.
func byEngine(operation string) awssim.Match {
	return awssim.Match{Service: "ec2", Operation: operation, Where: func(c awssim.Call) bool { return !c.DryRun && strings.HasSuffix(c.Principal, "user/dera") }}
}

// dryRun matches the dry runs of engines.
func dryRun(operation string) awssim.Match {
	return awssim.Match{Service: "ec2", Operation: operation, Where: func(c awssim.Call) bool { return c.DryRun }}
}

func wideRule() awssim.Rule {
	r := tcp(0, 65535, "0.0.0.0/0")
	r.Description = "lab"
	return r
}

func splitRules() []string {
	return []string{"tcp 0-21 0.0.0.0/0 lab", "tcp 23-3388 0.0.0.0/0 lab", "tcp 3390-65535 0.0.0.0/0 lab"}
}

// TestLyingBackend lets one write of a fix of a split rule (three authorizes, one
// revoke) go wrong in every way.
func TestLyingBackend(t *testing.T) {
	t.Parallel()
	original := []string{"tcp 0-65535 0.0.0.0/0 lab"}
	tests := []struct {
		name      string
		fault     awssim.Fault
		timeout   time.Duration
		state     dera.State // of the first remediation
		rules     []string   // right after it
		authorize int        // calls in all
		revoke    int
		why       string
	}{
		{name: "authorize_says_yes_and_does_nothing", fault: awssim.Fault{Match: byEngine(authorize), Kind: awssim.LieNoEffect, Times: 1, After: 1},
			state: dera.Resolved, rules: splitRules(), authorize: 4, revoke: 1},
		{name: "revoke_says_yes_and_does_nothing", fault: awssim.Fault{Match: byEngine(revoke), Kind: awssim.LieNoEffect, Times: 1},
			state: dera.Resolved, rules: splitRules(), authorize: 3, revoke: 2},
		{name: "server_error_after_an_authorize_took_effect", fault: awssim.Fault{Match: byEngine(authorize), Kind: awssim.Error5xxAfter, Times: 1, After: 1},
			state: dera.Resolved, rules: splitRules(), authorize: 3, revoke: 1},
		{name: "server_error_after_the_revoke_took_effect", fault: awssim.Fault{Match: byEngine(revoke), Kind: awssim.Error5xxAfter, Times: 1},
			state: dera.Resolved, rules: splitRules(), authorize: 3, revoke: 1},
		{name: "server_error_before_an_authorize", fault: awssim.Fault{Match: byEngine(authorize), Kind: awssim.Error5xxBefore, Times: 1},
			state: dera.Resolved, rules: splitRules(), authorize: 4, revoke: 1},
		{name: "server_error_before_the_revoke", fault: awssim.Fault{Match: byEngine(revoke), Kind: awssim.Error5xxBefore, Times: 1},
			state: dera.Resolved, rules: splitRules(), authorize: 3, revoke: 2},
		{name: "another_change_is_in_progress", fault: awssim.Fault{Match: byEngine(revoke), Kind: awssim.Refuse, Code: "ConcurrentModification", Status: 409, Times: 3},
			state: dera.Resolved, rules: splitRules(), authorize: 3, revoke: 4},
		{name: "a_quota_is_used_up", fault: awssim.Fault{Match: byEngine(authorize), Kind: awssim.Refuse, Code: "RulesPerSecurityGroupLimitExceeded", Status: 400, Times: 1, After: 2},
			state: dera.Failed, rules: original, authorize: 3, revoke: 2, why: "RulesPerSecurityGroupLimitExceeded"},
		{name: "the_revoke_is_not_permitted", fault: awssim.Fault{Match: dryRun(revoke), Kind: awssim.Denied, Times: 1},
			state: dera.Failed, rules: original, why: "dera lacks the permission for change 4 (ec2:RevokeSecurityGroupIngress)"},
		{name: "the_authorize_is_not_permitted", fault: awssim.Fault{Match: dryRun(authorize), Kind: awssim.Denied, Times: 1},
			state: dera.Failed, rules: original, why: "dera lacks the permission for change 1 (ec2:AuthorizeSecurityGroupIngress)"},
		{name: "a_dry_run_is_throttled", fault: awssim.Fault{Match: dryRun(revoke), Kind: awssim.Throttle, Times: 2},
			state: dera.Resolved, rules: splitRules(), authorize: 3, revoke: 1},
		{name: "throttled_writes_are_made_later", fault: awssim.Fault{Match: byEngine(revoke), Kind: awssim.Throttle, Times: 2},
			state: dera.Resolved, rules: splitRules(), authorize: 3, revoke: 3},
		{name: "credentials_run_out_in_the_middle", fault: awssim.Fault{Match: byEngine(revoke), Kind: awssim.ExpiredToken, Times: 2},
			state: dera.Resolved, rules: splitRules(), authorize: 3, revoke: 3},
		{name: "denied_write", fault: awssim.Fault{Match: byEngine(revoke), Kind: awssim.Denied, Times: 1},
			state: dera.Failed, rules: original, authorize: 3, revoke: 4, why: "denied"},
		{name: "write_that_hangs", fault: awssim.Fault{Match: byEngine(revoke), Kind: awssim.Hang, Times: 1}, timeout: 300 * time.Millisecond,
			state: dera.Resolved, rules: splitRules(), authorize: 3, revoke: 2},
		{name: "write_that_hangs_after_its_effect", fault: awssim.Fault{Match: byEngine(revoke), Kind: awssim.HangAfter, Times: 1}, timeout: 300 * time.Millisecond,
			state: dera.Resolved, rules: splitRules(), authorize: 3, revoke: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorldWith(t, func(w *world) { w.timeout = tt.timeout })
			id := w.group("lab", wideRule())
			out := w.watch()
			w.cloud.Inject(tt.fault)
			w.ingest(w.event(id))
			w.until(id)
			r := w.remediations(id)[0]
			wantState(t, r, tt.state)
			if !strings.Contains(r.Failure, tt.why) {
				t.Errorf("failure: got %q, want %q in it", r.Failure, tt.why)
			}
			if got := w.sorted(id); !slices.Equal(got, tt.rules) {
				t.Errorf("rules: got %q, want %q", got, tt.rules)
			}
			if got := len(w.ours(authorize)); got != tt.authorize {
				t.Errorf("authorizes: got %d, want %d", got, tt.authorize)
			}
			if got := len(w.ours(revoke)); got != tt.revoke {
				t.Errorf("revokes: got %d, want %d", got, tt.revoke)
			}
			// What failed is made by a later look.
			w.quiet()
			if got := w.sorted(id); !slices.Equal(got, splitRules()) {
				t.Errorf("rules in the end: got %q, want %q", got, splitRules())
			}
			out.check()
		})
	}
}

// until works, and lets time pass, until the group's first remediation ends.
func (w *world) until(id string) {
	w.t.Helper()
	for range 40 {
		w.drain()
		if list := w.remediations(id); len(list) > 0 && list[0].State.Final() {
			return
		}
		w.clock.Advance(5 * time.Second)
	}
	w.t.Fatal("the remediation does not end")
}

func TestNeighbourThatVanishesIsReportedAsCollateral(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("web", tcp(443, 443, "0.0.0.0/0"), tcp(22, 22, "0.0.0.0/0"), tcp(5432, 5432, "10.1.0.0/16"))
	w.cloud.Inject(awssim.Fault{Match: byEngine(revoke), Kind: awssim.LieNeighbour, Times: 1})
	before := w.sorted(id)
	w.look(id)
	w.quiet()
	r := w.only(id)
	wantState(t, r, dera.Collateral)
	var lost []string
	for _, rule := range before {
		if rule != "tcp 22-22 0.0.0.0/0" && !slices.Contains(w.ingress(id), rule) {
			lost = append(lost, rule)
		}
	}
	if len(lost) != 1 || len(r.Unexpected) != 1 || !strings.HasPrefix(r.Unexpected[0], "removed: in tcp ") || !strings.Contains(lost[0], strings.Fields(r.Unexpected[0])[3]) {
		t.Errorf("moved: got %q, want the lost rule %q named", r.Unexpected, lost)
	}
	if f := w.findings(id)[sshKey]; f.State != dera.FindingResolved {
		t.Errorf("finding: got %s, want resolved: the fix is in effect", f.State)
	}
}

// A fix that keeps failing is tried with growing pauses, three times a day, and
// then a person looks. It is no exception by then (AWS Config), and not forgotten
// (Flowpipe).
func TestFailingFixIsTriedThriceThenReviewed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	w.cloud.Inject(awssim.Fault{Match: byEngine(revoke), Kind: awssim.Refuse, Code: "InvalidParameterValue", Status: 400})
	w.look(id)
	if got := len(w.ours(revoke)); got != 1 {
		t.Fatalf("revokes at once: got %d, want 1: the next try has to wait", got)
	}
	began := w.clock.Now()
	w.quiet()
	if got := len(w.ours(revoke)); got != 3 {
		t.Errorf("revokes: got %d, want 3", got)
	}
	if waited := w.clock.Now().Sub(began); waited < 3*time.Minute {
		t.Errorf("three tries took %s, want pauses of at least 1 and 2 minutes", waited)
	}
	if got, want := states(w.remediations(id)), []dera.State{dera.Failed, dera.Failed, dera.Failed, dera.Waiting}; !slices.Equal(got, want) {
		t.Errorf("remediations: got %v, want %v", got, want)
	}
	f := w.findings(id)[sshKey]
	if f.State != dera.FindingOpen || f.Disposition != dera.Review {
		t.Errorf("finding: got %s %s, want open review", f.State, f.Disposition)
	}
}

// A service that answers nothing but errors is asked with growing pauses for an
// hour, and nothing is left half-done when it recovers, however late.
func TestServiceThatIsAwayForLong(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		after time.Duration
		state dera.State
	}{
		{name: "twenty_minutes", after: 20 * time.Minute, state: dera.Resolved},
		{name: "ninety_minutes", after: 90 * time.Minute, state: dera.Failed},
		{name: "three_hours", after: 3 * time.Hour, state: dera.UndoFailed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.group("lab", wideRule())
			out := w.watch()
			began := w.clock.Now()
			w.cloud.Inject(awssim.Fault{Kind: awssim.Error5xxBefore, Match: awssim.Match{Operation: revoke, Where: func(c awssim.Call) bool {
				return !c.DryRun && strings.HasSuffix(c.Principal, "user/dera") && w.clock.Now().Sub(began) < tt.after
			}}})
			w.ingest(w.event(id))
			for range 200 {
				w.drain()
				if list := w.remediations(id); len(list) > 0 && list[0].State.Final() {
					break
				}
				w.clock.Advance(30 * time.Second)
			}
			wantState(t, w.remediations(id)[0], tt.state)
			if tries := len(w.ours(revoke)); tries > 120 {
				t.Errorf("revokes: got %d, want growing pauses", tries)
			}
			if tt.state == dera.UndoFailed {
				w.clock.Advance(tt.after)
				if _, err := w.rollback(w.remediations(id)[0].ID); err != nil {
					t.Fatal(err)
				}
				if got, want := w.sorted(id), []string{"tcp 0-65535 0.0.0.0/0 lab"}; !slices.Equal(got, want) {
					t.Errorf("after the rollback: got %q, want %q", got, want)
				}
				return
			}
			w.quiet()
			if got := w.sorted(id); !slices.Equal(got, splitRules()) {
				t.Errorf("rules in the end: got %q, want %q", got, splitRules())
			}
			out.check()
		})
	}
}

func TestStaleReadsAreNotTakenForFailure(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		faults []awssim.Fault
	}{
		{name: "reads_lag_after_the_write", faults: []awssim.Fault{
			{Match: byEngine("DescribeSecurityGroupRules"), Kind: awssim.StaleRead, Behind: 1, After: 2, Times: 4},
		}},
		{name: "reads_lag_after_a_server_error_that_took_effect", faults: []awssim.Fault{
			{Match: byEngine(revoke), Kind: awssim.Error5xxAfter, Times: 1},
			{Match: byEngine("DescribeSecurityGroupRules"), Kind: awssim.StaleRead, Behind: 1, After: 2, Times: 6},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
			out := w.watch()
			var lag *awssim.Injected
			for _, f := range tt.faults {
				lag = w.cloud.Inject(f)
			}
			w.look(id)
			w.quiet()
			wantState(t, w.only(id), dera.Resolved)
			if n := len(w.ours("")); n != 1 {
				t.Errorf("writes: got %d, want 1", n)
			}
			if lag.Fired() == 0 {
				t.Error("no read was stale, so this shows nothing")
			}
			out.check()
		})
	}
}
