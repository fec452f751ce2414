package engine

import (
	"testing"

	"dera.example/dera"
)

// TestBars: what nothing takes back is in the way of no rollback, once dera is done with it.
func TestBars(t *testing.T) {
	t.Parallel()
	back, none, kept := []dera.Change{{Undo: &dera.Undo{}}}, []dera.Change{{}}, []dera.Change{{Kept: true}, {Undo: &dera.Undo{}}}
	r := dera.Remediation{State: dera.Resolved, Plan: dera.Plan{Control: "a", Keys: []string{"x"}, Changes: back}}
	for name, tt := range map[string]struct {
		state   dera.State
		changes []dera.Change
		control string
		key     string
		want    bool
	}{
		"goes_first":                {dera.Resolved, back, "b", "y", true},
		"waits_for_an_approval":     {dera.Waiting, back, "b", "y", false},
		"was_rolled_back":           {dera.RolledBack, back, "b", "y", false},
		"nothing_takes_it_back":     {dera.Resolved, none, "b", "y", false},
		"leaves_a_snapshot":         {dera.Resolved, kept, "b", "y", true},
		"of_the_same_control":       {dera.Resolved, none, "a", "y", true},
		"of_the_same_part":          {dera.Resolved, none, "b", "x", true},
		"of_others_too":             {dera.Collateral, none, "b", "y", false},
		"is_written_at_the_moment":  {dera.Applying, none, "b", "y", true},
		"is_verified_at_the_moment": {dera.Verifying, none, "b", "y", true},
	} {
		o := dera.Remediation{State: tt.state, Plan: dera.Plan{Control: tt.control, Keys: []string{tt.key}, Changes: tt.changes}}
		if got := bars(o, r); got != tt.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}
