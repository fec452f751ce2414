package remediate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// takesTurn returns a LaterError while another remediation of the resource is being carried
// out, whoever holds its lease at the moment: of two that are half-way, each would rely on
// what the other may still take back. It is asked under the lease, so that no two begin.
func (t *run) takesTurn(ctx context.Context) error {
	under, _, err := t.cfg.Journal.Beside(ctx, t.rem)
	if err != nil || len(under) == 0 {
		return err
	}
	now := t.cfg.Now()
	wait := min(max(t.waited()/4, 5*time.Second), time.Minute)
	return &LaterError{At: now.Add(wait), Why: under[0] + " is being carried out on the same resource", Expected: true}
}

// relyError says what relies on what an undo would take away.
type relyError struct {
	why  string
	part bool // of one change alone
}

func (e relyError) Error() string { return e.why }

// Moved says that nothing was sent.
func (relyError) Moved() bool { return true }

// relied reads whether something relies on what the undo of change i would take away, and
// returns a relyError then: a later remediation, or access whose own rule is gone since.
func (t *run) relied(ctx context.Context, i int, op resource.Operation) error {
	if err := t.below(ctx); err != nil || !t.carries(i) {
		return err
	}
	if err := t.allowed(ctx); err != nil { // the reads of many changes take longer than a lease
		return err
	}
	why, err := t.finds(ctx, func(config any) string { return t.relies(config, i, op) })
	if err != nil || why == "" {
		return err
	}
	if exposes, err := t.exposes(ctx, op); err != nil || exposes {
		return err
	}
	return relyError{why, true}
}

// exposes reads whether a finding is resolved by the operation, an undo: what whoever removed
// a public rule closed does not stay open through the remainder of a split.
func (t *run) exposes(ctx context.Context, op resource.Operation) (bool, error) {
	res, _, ok, err := t.stable(ctx)
	if err != nil || !ok {
		return false, err
	}
	now, err := t.cfg.Judge.Open(ctx, t.rem, res)
	if err != nil {
		return false, err
	}
	if res.Config, err = t.kind.Apply(res.Config, op); err != nil {
		return false, nil // it shows already, or is refused: for the write to show
	}
	then, err := t.cfg.Judge.Open(ctx, t.rem, res)
	return slices.ContainsFunc(now, func(id string) bool { return !slices.Contains(then, id) }), err
}

// finds reads what is to be said about the configuration, or "". One read is enough for that
// nothing is; a read that is behind may look like that something is.
func (t *run) finds(ctx context.Context, says func(config any) string) (why string, err error) {
	res, ok, err := t.cfg.Cloud.Read(ctx, t.rem.Plan)
	if err == nil && ok && says(res.Config) == "" {
		return "", nil
	}
	if res, _, ok, err = t.stable(ctx); err != nil || !ok {
		return "", err
	}
	return says(res.Config), nil
}

// below returns a relyError where a later remediation of the resource was begun and is, or
// may be, in effect: its plan was proved on the resource as this one left it. What was given
// for a time that is over is no such thing: AWS has ended it already.
func (t *run) below(ctx context.Context) error {
	if t.rem.Due {
		return nil
	}
	_, later, err := t.cfg.Journal.Beside(ctx, t.rem)
	if err != nil || len(later) == 0 {
		return err
	}
	return relyError{why: "later remediations were proved on the resource as it is with this one: " + strings.Join(later, ", ") + "; roll them back first"}
}

// harmless reads whether the undo of change i would open what is closed, or take away what
// something relies on, and returns an error then that says so.
func (t *run) harmless(ctx context.Context, i int, op resource.Operation) error {
	if err := t.closed(ctx, i, op); err != nil {
		return err
	}
	return t.relied(ctx, i, op)
}

// carries reports whether change i may carry access for a change after it: one that is to
// take something away, and that dera has not put back a moment ago.
func (t *run) carries(i int) bool {
	for j := i + 1; j < len(t.rem.Plan.Changes); j++ {
		old := t.intent(j, true)
		back := old != nil && old.State == dera.IntentApplied && old.DoneAt != nil && t.cfg.Now().Sub(*old.DoneAt) < signWithin
		if t.replaces(j) && !back {
			return true
		}
	}
	return false
}

// replaces reports whether change j takes away what changes before it may stand for, and its
// undo puts that back.
func (t *run) replaces(j int) bool {
	c := t.rem.Plan.Changes[j]
	return !c.Optional && c.Undo != nil && j+1 < len(t.rem.Way) && t.takes(j) && t.decisive(j)
}

// relies says what relies, in a configuration, on what the undo of change i would take away,
// or "". A plan adds before it takes away, and its undo puts back before it takes its
// additions out. Where what a change after i takes away is not there although dera did not
// take it away, or has put it back, someone else removed it, and what i added may be all that
// is left of that access.
func (t *run) relies(config any, i int, op resource.Operation) string {
	after, err := t.kind.Apply(config, op)
	if err != nil {
		return "" // the service refuses it, or it shows already
	}
	now, err := t.kind.Canon(config)
	if err != nil {
		return ""
	}
	then, err := t.kind.Canon(after)
	if err != nil || !Adds(then, now) {
		return ""
	}
	for j := i + 1; j < len(t.rem.Plan.Changes); j++ {
		c := t.rem.Plan.Changes[j]
		if !t.replaces(j) {
			continue
		}
		if t.absent(config, c) {
			return fmt.Sprintf("change %d (%s) shows although dera has not made it or has taken it back, so that access may rely on change %d (%s)",
				j+1, strings.Join(c.Diff, "; "), i+1, strings.Join(t.rem.Plan.Changes[i].Diff, "; "))
		}
	}
	return ""
}

// absent reports whether what a change takes away is not there: the change shows and its undo
// does not. A rule that is back is another one to its service, and back all the same.
func (t *run) absent(config any, c dera.Change) bool {
	gone, _, err := t.kind.Effect(config, resource.Of(c))
	if err != nil || !gone {
		return false
	}
	op, err := resource.OfUndo(*c.Undo, nil)
	if err != nil {
		return true
	}
	back, _, err := t.kind.Effect(config, op)
	return err != nil || !back
}

// undid reports whether an undo of the remediation took something back.
func (t *run) undid() bool {
	for i := range t.rem.Plan.Changes {
		if in := t.intent(i, true); in != nil && in.State == dera.IntentApplied {
			return true
		}
	}
	return false
}

// leave notes what an undo leaves and goes on without: a change that is optional, and one on
// which access may rely. Of a document the rest could rely on it too.
func (t *run) leave(err error, i int) bool {
	var failed *undoError
	switch {
	case !errors.As(err, &failed):
		return false
	case t.rem.Plan.Changes[i].Optional:
		t.rem.Notes = append(t.rem.Notes, failed.Error())
		return true
	case !failed.part || t.kind.Whole():
		return false
	}
	t.stays = append(t.stays, failed.why)
	if t.rem.Undo == rollbackUndo {
		t.rem.LeftInPlace = append(t.rem.LeftInPlace, i)
	}
	return true
}

// keep ends an undo that leaves what something relies on: a person sees what stays, and why.
func (t *run) keep(ctx context.Context, why string) error {
	if t.rem.Undo != rollbackUndo && t.rem.Failure != "" {
		why = t.rem.Failure + "; this stays: " + why
	}
	t.rem.Unexpected = append(t.rem.Unexpected, why)
	return t.giveUp(ctx, why)
}

// asUndo turns what must not be sent into the end of an undo.
func asUndo(err error) (*undoError, bool) {
	var open closedError
	var rely relyError
	switch {
	case errors.As(err, &open):
		return &undoError{why: open.why, kept: open.since}, true
	case errors.As(err, &rely):
		return &undoError{why: rely.why, kept: true, part: rely.part}, true
	}
	return nil, false
}
