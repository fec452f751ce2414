package remediate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// RefusedError says why a rollback is refused; nothing was written.
type RefusedError struct {
	Why   string
	Drift []string // what differs from the state after the fix
	Later []string // remediations of the same resource that must go first
	// Partial is what a partial rollback would do, as lines of a diff; it leaves
	// alone what someone else changed.
	Partial []string
	// ByHand is what it would have put back of documents that someone else changed, as
	// lines of a diff; the documents of before stand in the plan of the remediation ID.
	ByHand []string
	ID     string
	Gone   bool // the resource does not exist any more
}

// Error implements error.
func (e *RefusedError) Error() string {
	s := "rollback refused: " + e.Why
	for _, line := range slices.Concat(e.Drift, e.Later) {
		s += "\n  " + line
	}
	if len(e.Partial) > 0 {
		s += "\nthe rest can be rolled back with --partial:\n  " + strings.Join(e.Partial, "\n  ")
	}
	if len(e.ByHand) > 0 {
		s += "\nby hand, beside what they wrote, it is put back with:\n  " + strings.Join(e.ByHand, "\n  ") +
			"\nthe documents as they were before the fix: dera show " + e.ID + " -o json, in remediation.plan.changes[].before"
	}
	return s
}

// Request is a person's order to roll back.
type Request struct {
	By          dera.Actor
	Reason      string
	DespiteStop bool
	// Partial takes back what nobody else changed since, and leaves the rest.
	Partial bool
	// Due says that it was approved with the plan: what later remediations changed of
	// other parts of the resource is not in its way.
	Due bool
}

// Rollback takes a remediation in effect back: what dera changed, and nothing
// else of the resource. It refuses, with a RefusedError, when someone else
// changed the same parts since or when a later remediation of the same resource
// is still in effect (invariant I7).
func (r *Runner) Rollback(ctx context.Context, id string, req Request) (dera.Remediation, error) {
	return r.hold(ctx, id, func(t *run) error {
		if err := t.order(ctx, req); err != nil {
			return err
		}
		return t.carry(ctx)
	})
}

func (t *run) order(ctx context.Context, req Request) error {
	switch t.rem.State {
	case dera.Undoing:
		return t.despite(ctx, req) // it is under way already
	case dera.Resolved, dera.Collateral, dera.UndoFailed:
	default:
		return &RefusedError{Why: fmt.Sprintf("the remediation is %s, so there is nothing to roll back", t.rem.State)}
	}
	same, above, err := t.cfg.Journal.Later(ctx, t.rem)
	if err != nil {
		return err
	}
	if len(same) > 0 && !req.Due {
		return &RefusedError{Why: "later remediations of the same resource are in effect; roll them back first", Later: same}
	}
	if err := t.takesTurn(ctx); err != nil {
		return err
	}
	res, canon, ok, err := t.stable(ctx)
	if err != nil {
		return err
	}
	if !ok && t.rem.State == dera.UndoFailed {
		return t.closeGone(ctx, req)
	}
	if !ok {
		return &RefusedError{Why: "the resource does not exist any more", Gone: true}
	}
	if t.rem.Plan.Custom() {
		err = t.refuseCustom(ctx, canon)
	} else {
		err = t.partial(res.Config, canon, req.Partial)
	}
	if err != nil {
		return err
	}
	if why := t.impossible(res); why != "" && !t.rem.Plan.Custom() {
		if len(above) > 0 {
			why += "; roll back first what was put since"
		}
		return &RefusedError{Why: why, Later: above}
	}
	t.rem.Undo, t.rem.UndoBy, t.rem.DespiteStop, t.rem.Due = rollbackUndo, req.By.Name, req.DespiteStop, req.Due
	rec := dera.AuditRecord{Kind: dera.RecordRollback}
	if err := t.allowed(ctx); err != nil {
		return err
	}
	return t.move(ctx, dera.Undoing, "rollback asked for by "+req.By.Name+": "+req.Reason, Entry{Record: rec, Resume: true})
}

// impossible says why the service would not take the changes in effect back, or
// "": the undos are made in memory, in the order of the real ones, and lead to
// t.goal. What cannot be made there for want of an output, or since it is gone
// already, is for the real one to show.
func (t *run) impossible(res dera.Resource) string {
	config := res.Config
	for i := len(t.rem.Plan.Changes) - 1; i >= 0; i-- {
		c, in := t.rem.Plan.Changes[i], t.intent(i, false)
		if in == nil || in.State != dera.IntentApplied || slices.Contains(t.rem.LeftInPlace, i) {
			continue
		}
		if c.Undo == nil && c.Kept {
			continue
		}
		if c.Undo == nil {
			return fmt.Sprintf("change %d (%s) has no undo", i+1, c.Operation)
		}
		op, err := resource.OfUndo(*c.Undo, in.Output)
		if err != nil {
			return err.Error()
		}
		if t.kind.Rebase != nil {
			if op, _, err = t.kind.Rebase(config, op, resource.Of(c)); err != nil {
				return err.Error()
			}
		}
		next, err := t.kind.Apply(config, op)
		var no *resource.NotAllowedError
		if errors.As(err, &no) {
			return no.Error()
		}
		if err == nil {
			config = next
		}
	}
	if goal, err := t.kind.Canon(config); err == nil {
		t.goal = goal
	}
	return ""
}

// despite lets an undo that is under way go on although dera is stopped.
func (t *run) despite(ctx context.Context, req Request) error {
	if !req.DespiteStop || t.rem.DespiteStop {
		return nil
	}
	next := t.rem
	next.DespiteStop = true
	rec := t.record(dera.RecordRollback)
	rec.Why = "the undo goes on despite the stop, by order of " + req.By.Name + ": " + req.Reason
	if err := t.cfg.Journal.Write(ctx, Entry{Lease: &t.lease, Remediation: &next, Record: rec}); err != nil {
		return err
	}
	next.Revision++
	t.rem = next
	return nil
}

const rollbackUndo = "rollback"

// undoTries is how often one undo is tried before a person is called.
const undoTries = 3

// undo takes the changes in effect back, in reverse.
func (t *run) undo(ctx context.Context) error {
	if err := t.allowed(ctx); err != nil {
		return err
	}
	if err := t.settleUndos(ctx); err != nil {
		return err
	}
	for i := len(t.rem.Plan.Changes) - 1; i >= 0; i-- {
		c := t.rem.Plan.Changes[i]
		in := t.intent(i, false)
		if in == nil || slices.Contains(t.rem.LeftInPlace, i) {
			continue
		}
		if old := t.intent(i, true); old != nil && old.State == dera.IntentApplied {
			continue // what became of it since is not ours
		}
		if in.State == dera.IntentOpen {
			if err := t.rescue(ctx, *in, resource.Of(c)); err != nil {
				return err
			}
		}
		if in.State != dera.IntentApplied {
			if err := t.restore(ctx, i, c, *in); err != nil {
				return t.stuck(ctx, err)
			}
			continue
		}
		if err := t.takeBack(ctx, i, c, *in); err != nil {
			var failed *undoError
			if errors.As(err, &failed) && c.Optional {
				t.rem.Notes = append(t.rem.Notes, failed.Error())
				continue
			}
			return t.stuck(ctx, err)
		}
	}
	return t.undone(ctx)
}

// settleUndos settles the undos that a crash left open: also one that stops before
// it comes to them leaves none.
func (t *run) settleUndos(ctx context.Context) error {
	for i, c := range t.rem.Plan.Changes {
		in, old := t.intent(i, false), t.intent(i, true)
		if old == nil || old.State != dera.IntentOpen {
			continue
		}
		var out map[string]string
		if in != nil {
			out = in.Output
		}
		op, err := resource.OfUndo(*c.Undo, out)
		if err != nil {
			return err
		}
		if err := t.rescue(ctx, *old, op); err != nil {
			return err
		}
	}
	return nil
}

// stuck ends an undo that cannot go on, and calls a person.
func (t *run) stuck(ctx context.Context, err error) error {
	var failed *undoError
	if !errors.As(err, &failed) {
		return err
	}
	t.rem.Failure = failed.Error()
	if t.gone != nil && t.rem.Undo == rollbackUndo {
		return t.closeMissing(ctx)
	}
	return t.move(ctx, dera.UndoFailed, failed.Error(), Entry{LookAgain: true})
}

// restore takes back a change of which nobody knows whether it took effect: no
// try was answered with a no, and the reads may be behind. Its undo does no harm
// where it did not: a rule that is there is refused as a duplicate. Without it, to
// take back the remainders of a split could cut what a revoke had already closed.
// What shows can be someone else's doing: it stays, but by order of a person, and
// so does the rest, on which access may depend now. A whole document is left: it
// could be someone else's.
func (t *run) restore(ctx context.Context, i int, c dera.Change, in dera.Intent) error {
	if !in.Unanswered || t.kind.Whole() || c.Undo == nil || c.Optional {
		return nil
	}
	op, err := resource.OfUndo(*c.Undo, nil)
	if err != nil {
		return nil // it names what the change gave: nothing is known of that
	}
	ordered := t.rem.Undo == rollbackUndo
	done := true
	if !ordered {
		if done, _, err = t.shows(ctx, resource.Of(c), false); err != nil {
			return err
		}
	}
	if ordered || !done {
		if err := t.below(ctx); err != nil {
			return err
		}
		if done, err = t.step(ctx, i, true, op, c); err != nil || done || ordered {
			return err
		}
	}
	return &undoError{fmt.Sprintf("change %d (%s) shows, and dera cannot tell whether it made it or someone else did, so it is not undone", i+1, c.Operation)}
}

// undoError means that an undo did not take effect however often it was tried.
type undoError struct{ why string }

func (e *undoError) Error() string { return e.why }

func (t *run) takeBack(ctx context.Context, i int, c dera.Change, in dera.Intent) error {
	if c.Undo == nil && c.Kept {
		return nil
	}
	if c.Undo == nil {
		return &undoError{fmt.Sprintf("change %d (%s) has no undo", i+1, c.Operation)}
	}
	op, err := resource.OfUndo(*c.Undo, in.Output)
	if err != nil {
		return &undoError{err.Error()}
	}
	if old := t.intent(i, true); old == nil || t.kind.Whole() {
		// Someone may have taken it back already; then there is nothing to write.
		// A read that is behind does no harm: the write is settled by reading too.
		// A document may have become someone else's since an earlier attempt.
		var there bool
		if op, there, err = t.retarget(ctx, op, resource.Of(c)); err != nil || there {
			return err
		}
	}
	for try := range undoTries {
		if try > 0 { // someone else may have written meanwhile
			var there bool
			if op, there, err = t.retarget(ctx, op, resource.Of(c)); err != nil || there {
				return err
			}
		}
		if err := t.below(ctx); err != nil {
			return err
		}
		if err := t.closed(ctx, i, op); err != nil {
			var no closedError
			if errors.As(err, &no) {
				return &undoError{no.why}
			}
			if t.waited() > tryFor && ctx.Err() == nil && !errors.Is(err, ErrStopped) && !errors.Is(err, ErrUnanchored) { // a person has to look
				return &undoError{fmt.Sprintf("what the undo of change %d (%s) would open is not known: %v", i+1, c.Operation, err)}
			}
			return err
		}
		done, err := t.step(ctx, i, true, op, c)
		if err != nil || done {
			return err
		}
	}
	return &undoError{fmt.Sprintf("the undo of change %d (%s) did not take effect: %s", i+1, c.Operation, t.intent(i, true).Error)}
}

// undone ends an undo by a re-read: the configuration must be the one from
// before, or what differs is named.
func (t *run) undone(ctx context.Context) error {
	goal := t.goal
	if goal == "" {
		goal = t.rem.Before()
	}
	res, canon, ok, err := t.reaches(ctx, goal)
	if err != nil {
		return err
	}
	switch {
	case !ok:
		t.rem.Unexpected = []string{"the resource no longer exists"}
	case canon != t.rem.Before():
		t.rem.Unexpected = lineDiff(t.rem.Before(), canon)
	}
	if ok {
		idle, err := t.idle(res.Config)
		if err != nil {
			return err
		}
		if idle {
			return t.giveUp(ctx)
		}
	}
	to, why := dera.Failed, "everything is taken back: "+t.rem.Failure
	if t.rem.Undo == rollbackUndo {
		to, why = dera.RolledBack, "rolled back: the configuration is the one from before the fix"
	}
	switch {
	case len(t.rem.LeftInPlace) > 0:
		why = "rolled back in part; left as someone else set it: " + strings.Join(t.rem.Unexpected, "; ")
	case len(t.rem.Unexpected) > 0:
		why = "dera's own changes are rolled back; something else changed as well: " + strings.Join(t.rem.Unexpected, "; ")
		if to == dera.Failed {
			why += " (" + t.rem.Failure + ")"
		}
	}
	return t.move(ctx, to, why, Entry{LookAgain: true})
}

func sorted(lines []string) []string {
	slices.Sort(lines)
	return lines
}
