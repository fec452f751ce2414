package remediate

import (
	"slices"
	"testing"
	"time"

	"dera.example/dera"
)

func allStates() []dera.State {
	return []dera.State{
		dera.Waiting, dera.Ready, dera.Applying, dera.Verifying, dera.Undoing, dera.Observed, dera.Planned, dera.Resolved, dera.Collateral,
		dera.Failed, dera.RolledBack, dera.UndoFailed, dera.Rejected, dera.Expired, dera.Superseded,
	}
}

// Every pair of states is either in the table or an error, and the table is
// complete.
func TestMoves(t *testing.T) {
	t.Parallel()
	table := moves()
	if len(table) != len(allStates()) {
		t.Errorf("the table has %d states, want %d", len(table), len(allStates()))
	}
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for _, from := range allStates() {
		allowed, ok := table[from]
		if !ok {
			t.Errorf("state %s is not in the table", from)
		}
		if !from.Final() && len(allowed) == 0 {
			t.Errorf("state %s is not final and leads nowhere (I2)", from)
		}
		for _, to := range allStates() {
			before := dera.Remediation{ID: "r-1", State: from, Steps: make([]dera.Step, 1, 4)}
			next, err := Move(before, to, dera.Step{At: at, Why: "x"})
			if slices.Contains(allowed, to) != (err == nil) {
				t.Errorf("%s to %s: got error %v", from, to, err)
			}
			if err != nil && next.State != from {
				t.Errorf("%s to %s: got %s after an error, want no move", from, to, next.State)
			}
			if err == nil && (next.State != to || len(next.Steps) != 2 || next.Steps[1] != (dera.Step{State: to, At: at, Why: "x"}) || len(before.Steps) != 1) {
				t.Errorf("%s to %s: got %+v, want the step noted", from, to, next)
			}
		}
	}
	if _, err := Move(dera.Remediation{State: "odd"}, dera.Ready, dera.Step{}); err == nil {
		t.Error("from an unknown state: got no error")
	}
}

// Only states from which a person or an approval can lead on are left out of
// what writes: nothing moves forward into a write but from ready.
func TestOnlyReadyLeadsToAWrite(t *testing.T) {
	t.Parallel()
	for from, to := range moves() {
		if slices.Contains(to, dera.Applying) && from != dera.Ready {
			t.Errorf("%s leads to applying, want only ready to", from)
		}
		if slices.Contains(to, dera.Ready) && from != dera.Waiting {
			t.Errorf("%s leads to ready, want only waiting to", from)
		}
	}
}

func TestLineDiff(t *testing.T) {
	t.Parallel()
	head := "security-group sg-1 name \"web\" vpc vpc-1\n"
	tests := []struct {
		name      string
		want, got string
		lines     []string
	}{
		{name: "equal", want: head + "tags\n", got: head + "tags\n"},
		{name: "gone_and_new", want: head + "in tcp 22 22 10.0.0.0/8 description \"a\" tags\n", got: head + "in tcp 23 23 10.0.0.0/8 description \"b\" tags\n",
			lines: []string{"added: in tcp 23 23 10.0.0.0/8", "removed: in tcp 22 22 10.0.0.0/8"}},
		{name: "description_is_not_quoted", want: head + "in tcp 22 22 10.0.0.0/8 description \"secret\" tags\n", got: head + "in tcp 22 22 10.0.0.0/8 description \"other\" tags\n",
			lines: []string{"changed: in tcp 22 22 10.0.0.0/8 (in what is not shown here)"}},
		{name: "tags_are_not_quoted", want: head + "tags \"k\"=\"secret\"\n", got: head + "tags\n", lines: []string{"changed: tags (in what is not shown here)"}},
		{name: "one_of_two_equal_rules", want: "in tcp 22 22 10.0.0.0/8 description \"a\" tags\nin tcp 22 22 10.0.0.0/8 description \"b\" tags\n",
			got: "in tcp 22 22 10.0.0.0/8 description \"a\" tags\n", lines: []string{"removed: in tcp 22 22 10.0.0.0/8"}},
		{name: "description_in_a_description", want: "in tcp 22 22 10.0.0.0/8 description \"x description y\" tags\n", got: "", lines: []string{"removed: in tcp 22 22 10.0.0.0/8"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := lineDiff(tt.want, tt.got); !slices.Equal(got, tt.lines) {
				t.Errorf("got %q, want %q", got, tt.lines)
			}
		})
	}
}

// An approval waives what it listed, and neither an exemption nor observe mode.
func TestForbidden(t *testing.T) {
	t.Parallel()
	decision := func(mode dera.Mode, reasons ...dera.Reason) dera.Decision {
		return dera.Decision{Mode: mode, Reasons: append([]dera.Reason{{Guardrail: "control", Disposition: dera.Auto}}, reasons...)}
	}
	reason := func(name string, d dera.Disposition) dera.Reason {
		return dera.Reason{Guardrail: name, Disposition: d, Why: "because"}
	}
	approval := func(approved bool, waives ...string) *dera.Approval {
		return &dera.Approval{Approved: approved, Waives: waives}
	}
	tests := []struct {
		name     string
		approval *dera.Approval
		decision dera.Decision
		want     bool
	}{
		{name: "auto", decision: decision(dera.Enforce)},
		{name: "review_without_approval", decision: decision(dera.Enforce, reason("mode", dera.Review)), want: true},
		{name: "review_waived", approval: approval(true, "mode"), decision: decision(dera.ReviewOnly, reason("mode", dera.Review))},
		{name: "another_reason_waived", approval: approval(true, "mode"), decision: decision(dera.ReviewOnly, reason("budget", dera.Review)), want: true},
		{name: "one_of_two_waived", approval: approval(true, "mode"), decision: decision(dera.ReviewOnly, reason("mode", dera.Review), reason("budget", dera.Review)), want: true},
		{name: "not_approved", approval: approval(false, "mode"), decision: decision(dera.ReviewOnly, reason("mode", dera.Review)), want: true},
		{name: "exempt_is_never_waived", approval: approval(true, "exemption"), decision: decision(dera.Enforce, reason("exemption", dera.Exempt)), want: true},
		{name: "alert_is_never_waived", approval: approval(true, "control"), decision: decision(dera.Enforce, reason("control", dera.Alert)), want: true},
		{name: "observe_is_never_waived", approval: approval(true, "mode"), decision: decision(dera.Observe), want: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := &run{rem: dera.Remediation{Approval: tt.approval}}
			if why := r.forbidden(tt.decision); (why != "") != tt.want {
				t.Errorf("got %q, want forbidden: %t", why, tt.want)
			}
		})
	}
}
