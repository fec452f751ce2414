package remediate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// closedError means that an undo which nobody ordered would open what is closed now.
type closedError struct{ why string }

func (e closedError) Error() string { return e.why }

// Moved says that nothing was sent.
func (closedError) Moved() bool { return true }

// closed reads whether an automatic undo of change i would give access that is not
// there now, and returns a closedError then: what someone else closed stays closed.
func (t *run) closed(ctx context.Context, i int, op resource.Operation) error {
	if t.rem.Undo == rollbackUndo || t.rem.Plan.Changes[i].Optional {
		return nil
	}
	res, _, ok, err := t.stable(ctx)
	if err != nil || !ok {
		return err
	}
	why, err := t.opens(ctx, res, i, op)
	if err == nil && why != "" {
		err = closedError{fmt.Sprintf("change %d (%s) is not undone: %s", i+1, t.rem.Plan.Changes[i].Operation, why)}
	}
	return err
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
