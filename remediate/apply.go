package remediate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// begin looks again before anything is written: the findings must still be
// there, the plan must come out the same, and the gate must still let it pass.
func (t *run) begin(ctx context.Context) error {
	if err := t.allowed(ctx); err != nil {
		return err
	}
	if t.cfg.Now().Before(t.rem.NotBefore) {
		return &LaterError{At: t.rem.NotBefore, Why: "the last fix failed, or the finding keeps coming back"}
	}
	if a := t.rem.Approval; a != nil && t.cfg.Now().After(a.Expires) {
		return t.move(ctx, dera.Superseded, "the approval ran out before anything was written", Entry{LookAgain: true})
	}
	if err := t.takesTurn(ctx); err != nil {
		return err
	}
	res, canon, ok, err := t.confirm(ctx)
	if err != nil {
		return err
	}
	if !ok {
		return t.move(ctx, dera.Superseded, "the resource does not exist any more", Entry{LookAgain: true})
	}
	v, err := t.cfg.Judge.Again(ctx, t.rem, res)
	if err != nil {
		return err
	}
	switch {
	case v.Gone:
		return t.move(ctx, dera.Superseded, "the finding was already resolved by someone else", Entry{LookAgain: true})
	case v.Refusal != "":
		return t.move(ctx, dera.Superseded, "a plan is not possible any more: "+v.Refusal, Entry{LookAgain: true})
	case v.Digest != t.rem.Digest || canon != t.rem.Before():
		return t.move(ctx, dera.Superseded, "the resource changed since the decision", Entry{LookAgain: true})
	}
	if why := t.forbidden(v.Decision); why != "" {
		d := v.Decision
		return t.move(ctx, dera.Superseded, "blocked by a guardrail since the decision: "+why, Entry{LookAgain: true, Record: dera.AuditRecord{Kind: dera.RecordOutcome, Decision: &d}})
	}
	if why, err := t.denied(ctx); err != nil || why != "" {
		if err != nil {
			return err
		}
		t.rem.Failure = why
		return t.move(ctx, dera.Failed, "nothing was written: "+why, Entry{LookAgain: true})
	}
	d := v.Decision
	t.looked, t.rem.Stood = true, v.Stood
	return t.move(ctx, dera.Applying, "re-read: same finding, same plan, same decision",
		Entry{Record: dera.AuditRecord{Kind: dera.RecordDecision, Decision: &d}})
}

// denied asks before the first change whether the service would carry out each
// operation of the plan and of its undos, so that a missing permission is found
// before anything is written: a split must not leave its
// remainders behind. Whatever else a dry run answers is for the write to show.
func (t *run) denied(ctx context.Context) (string, error) {
	if t.rem.Plan.Custom() {
		return "", nil // neither has a dry run
	}
	asked := map[string]bool{}
	ask := func(what string, op resource.Operation) (string, error) {
		asked[op.Name] = true
		err := t.cfg.Cloud.DryRun(ctx, t.rem.Plan, op)
		var ignored interface{ CarriedOut() bool }
		for try := 0; again(err) && !errors.As(err, &ignored) && try < writeTries; try++ {
			if err := t.backOff(ctx, try); err != nil {
				return "", err
			}
			err = t.cfg.Cloud.DryRun(ctx, t.rem.Plan, op)
		}
		switch {
		case err == nil:
			return "", nil
		case errors.As(err, &ignored) && ignored.CarriedOut():
			return "do not let dera change anything here: " + err.Error(), nil
		case denied(err):
			return "dera lacks the permission for " + what + ": " + err.Error(), nil
		case again(err):
			return "", fmt.Errorf("dry run of %s: %w", what, err)
		}
		return "", nil // for example a rule that is there already
	}
	for i, c := range t.rem.Plan.Changes {
		if c.Optional || asked[c.Operation] {
			continue // an optional one is left out where it is denied
		}
		if why, err := ask(fmt.Sprintf("change %d (%s)", i+1, c.Operation), resource.Of(c)); err != nil || why != "" {
			return why, err
		}
	}
	for i, c := range t.rem.Plan.Changes {
		if c.Optional || c.Undo == nil || asked[c.Undo.Operation] {
			continue
		}
		op := resource.Operation{Name: c.Undo.Operation, Version: c.Undo.Version, Input: c.Undo.Input}
		if why, err := ask(fmt.Sprintf("the undo of change %d (%s)", i+1, op.Name), op); err != nil || why != "" {
			return why, err
		}
	}
	return "", nil
}

// forbidden says why the fresh decision forbids what was decided, or "". An
// approval waives only the reasons that it listed, and nothing lets a write pass
// where the mode has become observe.
func (t *run) forbidden(d dera.Decision) string {
	if d.Mode == dera.Observe {
		return "mode: it changed to observe, so nothing is written"
	}
	for _, r := range d.Lowered() {
		if r.Disposition == dera.Exempt || r.Disposition == dera.Alert {
			return r.Guardrail + ": " + r.Why
		}
		if t.rem.Approval == nil || !t.rem.Approval.Approved || !slices.Contains(t.rem.Approval.Waives, r.Guardrail) {
			return r.Guardrail + ": " + r.Why
		}
	}
	return ""
}

func (t *run) allowed(ctx context.Context) error {
	if t.rem.DespiteStop {
		return t.cfg.Journal.Allowed(ctx, t.lease, "", "")
	}
	return t.cfg.Journal.Allowed(ctx, t.lease, t.rem.Plan.Account, t.rem.Control)
}

// apply makes the changes that have not been made, in order. Where an earlier
// run left off, it looks again first: the resource must be just where the
// changes so far have led.
func (t *run) apply(ctx context.Context) error {
	if !t.looked {
		if err := t.resume(ctx); err != nil || t.rem.State != dera.Applying {
			return err
		}
	}
	for i, c := range t.rem.Plan.Changes {
		done, err := t.step(ctx, i, false, resource.Of(c), c)
		if err != nil {
			return err
		}
		if !done && c.Optional {
			t.rem.Notes = append(t.rem.Notes, fmt.Sprintf("change %d (%s) did not take effect and is left out: %s", i+1, c.Operation, t.intent(i, false).Error))
			continue
		}
		if !done {
			return t.fail(ctx, fmt.Sprintf("change %d (%s) did not take effect: %s", i+1, c.Operation, t.intent(i, false).Error))
		}
	}
	return t.move(ctx, dera.Verifying, "all changes are made", Entry{})
}

// fail turns round: what was done so far is undone.
func (t *run) fail(ctx context.Context, why string) error {
	t.rem.Failure, t.rem.Undo = why, "the fix failed"
	return t.move(ctx, dera.Undoing, why, Entry{})
}

// resume settles what a crash left open, checks the way so far, and asks the
// gate again: a stop or a crash may have lasted long.
func (t *run) resume(ctx context.Context) error {
	applied := 0
	for i, c := range t.rem.Plan.Changes {
		in := t.intent(i, false)
		if in != nil && in.State == dera.IntentOpen {
			if err := t.rescue(ctx, *in, resource.Of(c)); err != nil {
				return err
			}
		}
		if in != nil && in.State == dera.IntentApplied {
			applied++
		}
	}
	if applied == len(t.rem.Plan.Changes) {
		t.looked = true // what else moved is for the verification: the fix is kept
		return nil
	}
	if err := t.allowed(ctx); err != nil {
		return err // under a stop it stays half-way, and nothing is written, not even an undo
	}
	res, canon, ok, err := t.reaches(ctx, t.rem.Way[min(applied, len(t.rem.Way)-1)])
	if err != nil {
		return err
	}
	if !ok || applied >= len(t.rem.Way) || canon != t.rem.Way[applied] {
		return t.fail(ctx, "the resource changed while the fix was half-way")
	}
	v, err := t.cfg.Judge.Again(ctx, t.rem, res)
	if err != nil {
		return err
	}
	if v.Refusal != "" {
		return t.fail(ctx, "the rest of the plan is not possible any more: "+v.Refusal)
	}
	if t.rem.Plan.Custom() && (v.Gone || v.Digest != t.rem.Digest) { // nothing of it has begun
		return t.fail(ctx, "the finding was resolved by someone else, or what is run changed since the decision")
	}
	if why := t.forbidden(v.Decision); why != "" && !v.Gone {
		return t.fail(ctx, "blocked by a guardrail since the decision: "+why)
	}
	t.looked = true
	return nil
}

// diff is the change's own diff, turned round for its undo.
func diff(c dera.Change, undo bool) []string {
	if !undo {
		return c.Diff
	}
	var in dera.CustomInput
	if (dera.Plan{Changes: []dera.Change{c}}).Custom() && c.Undo != nil && json.Unmarshal(c.Undo.Input, &in) == nil {
		return in.Diff()
	}
	var out []string
	for _, line := range c.Diff {
		switch line[:1] {
		case "+":
			line = "-" + line[1:]
		case "-":
			line = "+" + line[1:]
		}
		out = append(out, line)
	}
	return out
}
