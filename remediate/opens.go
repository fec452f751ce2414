package remediate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// closedError means that an undo would open what is closed now, and nobody ordered that.
type closedError struct {
	why   string
	since bool // it was closed after the undo was ordered
}

func (e closedError) Error() string { return e.why }

// Moved says that nothing was sent.
func (closedError) Moved() bool { return true }

// closed reads whether an undo of change i would give access that is not there now and that
// nobody ordered, and returns a closedError then: what someone else closed stays closed.
func (t *run) closed(ctx context.Context, i int, op resource.Operation) error {
	if t.rem.Plan.Changes[i].Optional {
		return nil
	}
	if t.rem.Undo == rollbackUndo {
		return t.closedSince(ctx, i, op)
	}
	res, _, ok, err := t.stable(ctx)
	if err != nil || !ok {
		return err
	}
	why, err := t.opens(ctx, res, i, op)
	if err == nil && why != "" {
		err = closedError{why: fmt.Sprintf("change %d (%s) is not undone: %s", i+1, t.rem.Plan.Changes[i].Operation, why)}
	}
	return err
}

// closedSince is closed for an undo that a person ordered: what was there at the order was
// shown, and what someone else removed of dera's additions since was not.
func (t *run) closedSince(ctx context.Context, i int, op resource.Operation) error {
	added := t.additions(i)
	if len(added) == 0 {
		return nil
	}
	why, err := t.finds(ctx, func(config any) string {
		after, err := t.kind.Apply(config, op)
		if err != nil {
			return "" // the service refuses it, or it shows already
		}
		now, errNow := t.kind.Canon(config)
		then, errThen := t.kind.Canon(after)
		if errNow != nil || errThen != nil || !Adds(now, then) {
			return ""
		}
		for _, j := range added {
			c := t.rem.Plan.Changes[j]
			if there, _, err := t.kind.Effect(config, resource.Of(c)); err == nil && !there {
				return fmt.Sprintf("change %d (%s) is not undone: since the order someone else removed change %d (%s), and it would open that again",
					i+1, strings.Join(t.rem.Plan.Changes[i].Diff, "; "), j+1, strings.Join(c.Diff, "; "))
			}
		}
		return ""
	})
	if err == nil && why != "" {
		err = closedError{why: why, since: true}
	}
	return err
}

// additions are the changes before change i that add and take nothing, are in effect and are
// to be taken back after it. After an undo that failed there are none: its end was shown.
func (t *run) additions(i int) (out []int) {
	steps := t.rem.Steps
	if n := len(steps); n > 1 && steps[n-2].State == dera.UndoFailed {
		return nil
	}
	for j, c := range t.rem.Plan.Changes[:i] {
		in, old := t.intent(j, false), t.intent(j, true)
		back := old != nil && old.State == dera.IntentApplied
		if in != nil && in.State == dera.IntentApplied && !back && !c.Optional && !slices.Contains(t.rem.LeftInPlace, j) && j+1 < len(t.rem.Way) && !t.takes(j) {
			out = append(out, j)
		}
	}
	return out
}

// opens says what the operation, an undo of change i, would open in the resource, or
// "". An undo opens where it puts something back although someone else removed what
// dera had put in its place; and, of a change that AWS never answered, where a finding
// exists after it and not before it.
func (t *run) opens(ctx context.Context, res dera.Resource, i int, op resource.Operation) (string, error) {
	after, err := t.kind.Apply(res.Config, op)
	if err != nil {
		return "", nil // the service refuses it, or it shows already
	}
	now, err := t.kind.Canon(res.Config)
	if err != nil {
		return "", err
	}
	then, err := t.kind.Canon(after)
	if err != nil {
		return "", err
	}
	if !Adds(now, then) {
		return "", nil
	}
	for j, c := range t.rem.Plan.Changes[:i] {
		if in := t.intent(j, false); in == nil || in.State != dera.IntentApplied || c.Optional {
			continue
		}
		if done, _, err := t.kind.Effect(res.Config, resource.Of(c)); err != nil || !done {
			return fmt.Sprintf("someone else removed change %d (%s), so it would open what they closed", j+1, strings.Join(c.Diff, "; ")), err
		}
	}
	if in := t.intent(i, false); in != nil && in.State == dera.IntentApplied && !in.Unanswered {
		return "", nil // AWS answered that dera closed it: to undo that is what a plan promises
	}
	before, err := t.cfg.Judge.Gone(ctx, t.rem, res)
	if err != nil {
		return "", err
	}
	res.Config = after
	open, err := t.cfg.Judge.Gone(ctx, t.rem, res)
	open = slices.DeleteFunc(open, func(key string) bool { return slices.Contains(before, key) })
	if err != nil || len(open) == 0 {
		return "", err
	}
	return fmt.Sprintf("it would open %s again", strings.Join(open, ", ")), nil
}
