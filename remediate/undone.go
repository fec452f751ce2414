package remediate

import (
	"slices"

	"dera.example/dera"
)

// Undone returns what the undo of a remediation did, as lines of a diff in the order
// in which it was done, and what a partial rollback left, as the lines of the fix.
// A change that someone else took back before is in neither.
func Undone(r dera.Remediation, intents []dera.Intent) (done, left []string) {
	for i := len(r.Plan.Changes) - 1; i >= 0; i-- {
		c := r.Plan.Changes[i]
		if slices.ContainsFunc(intents, func(in dera.Intent) bool { return in.Undo && in.Step == i && in.State == dera.IntentApplied }) {
			done = append(done, diff(c, true)...)
		}
		if slices.Contains(r.LeftInPlace, i) {
			left = append(left, c.Diff...)
		}
	}
	return done, left
}
