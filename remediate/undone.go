package remediate

import (
	"context"
	"fmt"
	"slices"

	"dera.example/dera"
	"dera.example/dera/resource"
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

// idle reports whether a rollback wrote nothing, although something of what dera changed
// is not taken back: between the order and the undo it became someone else's. What is
// back with another description is back.
func (t *run) idle(config any) (bool, error) {
	if t.rem.Undo != rollbackUndo {
		return false, nil
	}
	for i, c := range t.rem.Plan.Changes {
		if in := t.intent(i, true); in != nil && in.State == dera.IntentApplied && !c.Optional {
			return false, nil
		}
	}
	for i, c := range t.rem.Plan.Changes {
		in := t.intent(i, false)
		if in == nil || in.State != dera.IntentApplied || c.Optional || c.Undo == nil || !t.decisive(i) {
			continue
		}
		op, err := resource.OfUndo(*c.Undo, in.Output)
		if err != nil {
			return false, err
		}
		if t.kind.Rebase != nil {
			if op, _, err = t.kind.Rebase(config, op, resource.Of(c)); err != nil {
				return true, nil // theirs stands in the way of it
			}
		}
		if back, _, err := t.kind.Effect(config, op); err != nil || !back {
			return true, err
		}
	}
	return false, nil
}

// giveUp ends a rollback of which nothing was written: the fix is not rolled back.
func (t *run) giveUp(ctx context.Context) error {
	const why = "nothing was rolled back: what dera changed is someone else's by now"
	for _, s := range slices.Backward(t.rem.Steps) {
		if s.State == dera.Undoing {
			continue
		}
		if s.State == dera.UndoFailed { // it stays frozen
			return t.stuck(ctx, &undoError{why})
		}
		break
	}
	t.rem.Undo, t.rem.UndoBy, t.rem.LeftInPlace = "", "", nil
	return t.move(ctx, dera.Collateral, why, Entry{LookAgain: true})
}

// closeGone ends a remediation whose undo failed and whose resource is gone, by order of a
// person: nothing is left to take back, and nothing is written.
func (t *run) closeGone(ctx context.Context, req Request) error {
	why := "closed by order of " + req.By.Name + ": the resource does not exist any more, so that nothing is left to take back"
	if req.Reason != "" {
		why += ": " + req.Reason
	}
	t.rem.Unexpected = []string{"the resource no longer exists"}
	return t.move(ctx, dera.Collateral, why, Entry{Record: dera.AuditRecord{Kind: dera.RecordRollback}, LookAgain: true})
}

// closeMissing ends a rollback whose undo needs something that does not exist any more,
// such as a policy that somebody deleted: no other try can succeed, and the resource must
// not stay frozen for it. Once it is there again, the rollback can be ordered again.
func (t *run) closeMissing(ctx context.Context) error {
	undone := 0
	for i := range t.rem.Plan.Changes {
		if in := t.intent(i, true); in != nil && in.State == dera.IntentApplied {
			undone++
		}
	}
	why := fmt.Sprintf("the rollback by order of %s ended: what it would put back is about something that does not exist any more (%v); %d of %d changes are rolled back",
		t.rem.UndoBy, t.gone, undone, len(t.rem.Plan.Changes))
	t.rem.Unexpected = []string{t.gone.Error()}
	return t.move(ctx, dera.Collateral, why, Entry{Record: dera.AuditRecord{Kind: dera.RecordRollback}, LookAgain: true})
}
