package remediate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// verifyCustom waits for the end of a custom fix and looks afresh: its success is not
// believed. The findings must be gone, and nothing may be open that was not before; what
// else it changed is told.
func (t *run) verifyCustom(ctx context.Context) error {
	in, c := t.intent(0, false), t.rem.Plan.Changes[0]
	var doubt string // why the resource may not be as the fix leaves it
	if in.State != dera.IntentApplied {
		doubt = "whether it ran is not known"
	} else if failed, err := t.ended(ctx, *in, resource.Of(c)); errors.Is(err, errStill) {
		doubt = errStill.Error()
	} else if err != nil {
		return err
	} else if failed != "" {
		t.rem.Notes = append(t.rem.Notes, "It ended as "+failed+" ("+ranAs(*in)+").")
	}
	v, err := t.see(ctx)
	if err != nil && ctx.Err() == nil && t.waited() > tryFor+t.limit() {
		t.rem.Unexpected = []string{"what it changed is not known"}
		return t.move(ctx, dera.Collateral, "it ran, and the outcome could not be verified: "+err.Error(), Entry{LookAgain: true})
	}
	if err != nil {
		return err
	}
	if !v.ok {
		t.rem.Unexpected = []string{"the resource no longer exists"}
		return t.move(ctx, dera.Collateral, "the resource does not exist any more", Entry{LookAgain: true})
	}
	before, expect := t.rem.Before(), t.rem.Expect()
	known := len(t.rem.Way) > 1 // what the control's own fix would have led to
	changed := lineDiff(before, v.canon)
	t.rem.Way = []string{before, v.canon}
	if len(v.still) > 0 && doubt == "" {
		why := fmt.Sprintf("%s ended, and %s is still open", t.runs(), strings.Join(v.still, ", "))
		if v.canon == before || c.Undo != nil {
			return t.fail(ctx, why)
		}
		t.rem.Failure, t.rem.Unexpected = why, append(v.opened, changed...)
		return t.move(ctx, dera.Collateral, why+"; what it changed stays, since there is no undo: a person has to look", Entry{LookAgain: true})
	}
	t.rem.Unexpected = v.opened
	switch {
	case known && v.canon != expect:
		t.rem.Unexpected = append(t.rem.Unexpected, lineDiff(expect, v.canon)...)
	case !known:
		for _, line := range changed {
			t.rem.Notes = append(t.rem.Notes, "It changed: "+line+".")
		}
	}
	switch {
	case len(v.still) > 0:
		t.rem.Unexpected = append(t.rem.Unexpected, changed...)
		return t.move(ctx, dera.Collateral, doubt+", and "+strings.Join(v.still, ", ")+" is still open: a person has to look", Entry{LookAgain: true})
	case doubt != "":
		return t.move(ctx, dera.Collateral, "the finding is resolved, but "+doubt+": a person has to look", Entry{LookAgain: true})
	case len(v.opened) > 0:
		return t.move(ctx, dera.Collateral, "the finding is resolved, but more is open than before: a person has to look", Entry{LookAgain: true})
	case len(t.rem.Unexpected) > 0:
		return t.move(ctx, dera.Collateral, "the finding is resolved, but more changed than the control's own fix would change", Entry{LookAgain: true})
	case !known:
		return t.move(ctx, dera.Resolved, "verified by reading: finding resolved, and no other finding is new; what changed is in the notes", Entry{LookAgain: true})
	}
	return t.move(ctx, dera.Resolved, "verified by reading: finding resolved, nothing else changed", Entry{LookAgain: true})
}

// runs names what the plan runs, and limit is how long it may.
func (t *run) runs() string {
	in, err := customOf(resource.Of(t.rem.Plan.Changes[0]))
	if err != nil {
		return t.rem.Plan.Changes[0].Operation
	}
	return in.String()
}

func (t *run) limit() time.Duration {
	in, _ := customOf(resource.Of(t.rem.Plan.Changes[0])) // one that cannot be read was never started
	return time.Duration(in.Seconds) * time.Second
}

// view is what was found by reading once a custom fix had ended.
type view struct {
	canon  string
	ok     bool
	still  []string // of the findings
	opened []string // what is open and was not before, for people
}

// see looks until the findings are gone, as long as reads may be behind.
func (t *run) see(ctx context.Context) (v view, err error) {
	for i := range t.cfg.Patience {
		if i > 0 {
			if err := t.pause(ctx); err != nil {
				return v, err
			}
		}
		var res dera.Resource
		if res, v.canon, v.ok, err = t.stable(ctx); err != nil || !v.ok {
			return v, err
		}
		if v.still, err = t.cfg.Judge.Gone(ctx, t.rem, res); err != nil {
			return v, err
		}
		if v.opened, err = t.cfg.Judge.Opened(ctx, t.rem, res); err != nil {
			return v, err
		}
		if len(v.still) == 0 {
			break
		}
	}
	return v, nil
}

// undoCustom takes a custom fix back by the undo that its plan names.
func (t *run) undoCustom(ctx context.Context) error {
	if err := t.allowed(ctx); err != nil {
		return err
	}
	in, c := t.intent(0, false), t.rem.Plan.Changes[0]
	_, canon, ok, err := t.stable(ctx)
	if err != nil {
		return err
	}
	old := t.intent(0, true)
	begun := old != nil && old.At.After(t.since())
	switch {
	case !ok || in == nil || in.State != dera.IntentApplied && !in.Unanswered || c.Undo == nil, !begun && canon == t.rem.Before():
		return t.undoneCustom(ctx) // nothing ran, or nothing of it is left
	case !begun && t.rem.Undo != rollbackUndo && canon != t.rem.Expect():
		return t.stuck(ctx, &undoError{"someone else changed the resource since, so the undo is not started: " + strings.Join(lineDiff(t.rem.Expect(), canon), "; ")})
	}
	if !begun {
		if err := t.below(ctx); err != nil {
			return t.stuck(ctx, err)
		}
	}
	started, err := t.launch(ctx, true, canon)
	if err != nil {
		return err
	}
	if old = t.intent(0, true); !started && !old.Unanswered {
		return t.stuck(ctx, &undoError{"the undo was not started: " + old.Error})
	}
	failed := ""
	if started {
		op := resource.Operation{Name: c.Undo.Operation, Version: c.Undo.Version, Input: c.Undo.Input}
		if failed, err = t.ended(ctx, *old, op); errors.Is(err, errStill) {
			return t.stuck(ctx, &undoError{"the undo: " + err.Error()})
		} else if err != nil {
			return err
		}
	}
	for range t.cfg.Patience {
		if _, canon, ok, err = t.stable(ctx); err != nil {
			return err
		}
		if !ok || len(t.notBack(canon)) == 0 {
			return t.undoneCustom(ctx)
		}
		if err := t.pause(ctx); err != nil {
			return err
		}
	}
	why := "the undo ended, and the resource is not as before: " + strings.Join(t.notBack(canon), "; ")
	if failed != "" {
		why = "the undo ended as " + failed + "; " + why
	}
	if err := t.close(ctx, *old, false, old.Output, errors.New(why)); err != nil {
		return err
	}
	return t.stuck(ctx, &undoError{why})
}

// notBack are the parts that the fix changed and that are not as they were before it.
func (t *run) notBack(canon string) (out []string) {
	before, now := lineCount(t.rem.Before()), lineCount(canon)
	for _, line := range slices.Sorted(maps.Keys(Parts(t.rem.Way))) {
		switch {
		case now[line] < before[line]:
			out = append(out, "missing: "+bare(line))
		case now[line] > before[line]:
			out = append(out, "still there: "+bare(line))
		}
	}
	return out
}

// undoneCustom ends an undo; what is open that was not before is for a person.
func (t *run) undoneCustom(ctx context.Context) error {
	res, canon, ok, err := t.stable(ctx)
	if err != nil {
		return err
	}
	t.rem.Unexpected = []string{"the resource no longer exists"}
	if ok {
		t.rem.Unexpected = lineDiff(t.rem.Before(), canon)
		opened, err := t.cfg.Judge.Opened(ctx, t.rem, res)
		if err != nil {
			return err
		}
		in := t.intent(0, false)
		if ran := in != nil && (in.State == dera.IntentApplied || in.Unanswered); ran && len(opened) > 0 {
			return t.stuck(ctx, &undoError{"after the undo more is open than before the fix: " + strings.Join(opened, "; ")})
		}
	}
	to, why := dera.Failed, "nothing of it is left: "+t.rem.Failure
	if t.rem.Undo == rollbackUndo {
		to, why = dera.RolledBack, "rolled back: the configuration is the one from before the fix"
	}
	if len(t.rem.Unexpected) > 0 {
		why = "what the fix changed is as before; something else changed as well: " + strings.Join(t.rem.Unexpected, "; ")
		if to == dera.Failed {
			why += " (" + t.rem.Failure + ")"
		}
	}
	return t.move(ctx, to, why, Entry{LookAgain: true})
}

// refuseCustom says why a custom fix is not rolled back by order of a person, or nil.
func (t *run) refuseCustom(ctx context.Context, canon string) error {
	c := t.rem.Plan.Changes[0]
	for _, in := range []*dera.Intent{t.intent(0, false), t.intent(0, true)} { // an undo that failed may run still
		if in == nil || in.Output[outExecution] == "" {
			continue
		}
		made, err := t.cfg.Custom.CustomRun(ctx, t.rem.Plan, in.Output[outExecution])
		if err != nil {
			return fmt.Errorf("look at execution %s: %w", in.Output[outExecution], err)
		}
		if !made.Ended {
			return &RefusedError{Why: "execution " + in.Output[outExecution] + " has not ended; stop it first"}
		}
	}
	if canon == t.rem.Before() {
		return nil // somebody put it back: nothing is started
	}
	if c.Undo == nil {
		return &RefusedError{Why: t.runs() + " has no undo in the configuration", ByHand: lineDiff(canon, t.rem.Before()), ID: t.rem.ID}
	}
	if t.rem.Expect() == t.rem.Before() { // it was not over when it was looked at: all that changed since may be its doing
		t.rem.Way = []string{t.rem.Before(), canon}
	}
	if t.rem.State == dera.UndoFailed {
		return nil // wherever it got to
	}
	after, now, drift := lineCount(t.rem.Expect()), lineCount(canon), []string{}
	for _, line := range slices.Sorted(maps.Keys(Parts(t.rem.Way))) {
		if now[line] != after[line] {
			drift = append(drift, "changed: "+bare(line))
		}
	}
	if len(drift) > 0 {
		return &RefusedError{Why: "someone else changed what the fix changed", Drift: drift, ID: t.rem.ID}
	}
	return nil
}
