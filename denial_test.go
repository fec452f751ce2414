package dera_test

import (
	"testing"
	"time"

	"dera.example/dera"
)

// TestMayDeny: what a rollback left in place may deny on; a copy that was left denies nothing.
func TestMayDeny(t *testing.T) {
	t.Parallel()
	undone := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	r := dera.Remediation{State: dera.RolledBack, Steps: []dera.Step{{State: dera.RolledBack, At: undone}}, Plan: dera.Plan{Changes: []dera.Change{{}, {Optional: true}}}}
	for _, tt := range []struct {
		left  []int
		after bool
	}{{nil, false}, {[]int{1}, false}, {[]int{0}, true}, {[]int{0, 1}, true}} {
		r.LeftInPlace = tt.left
		if !r.MayDeny(undone) || r.MayDeny(undone.Add(time.Hour)) != tt.after || r.InPart() != tt.after {
			t.Errorf("left %v: an hour after the rollback got %v, want %v", tt.left, r.MayDeny(undone.Add(time.Hour)), tt.after)
		}
	}
}
