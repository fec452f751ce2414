package remediate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"dera"
	"dera/resource"
)

// begin looks again before anything is written: the findings must still be
// there, the plan must come out the same, and the gate must still let it pass.
func (t *run) begin(ctx context.Context) error {
	if err := t.allowed(ctx); err != nil {
		return err
	}
	if a := t.rem.Approval; a != nil && t.cfg.Now().After(a.Expires) {
		return t.move(ctx, dera.Superseded, "the approval ran out before anything was written", Entry{LookAgain: true})
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
		return t.move(ctx, dera.Superseded, "the finding is gone by itself", Entry{LookAgain: true})
	case v.Refusal != "":
		return t.move(ctx, dera.Superseded, "a plan is not possible any more: "+v.Refusal, Entry{LookAgain: true})
	case v.Digest != t.rem.Digest || canon != t.rem.Before():
		return t.move(ctx, dera.Superseded, "the resource changed since the decision", Entry{LookAgain: true})
	}
	if why := t.lowered(v.Decision); why != "" {
		d := v.Decision
		return t.move(ctx, dera.Superseded, "the gate says no by now: "+why, Entry{LookAgain: true, Record: dera.AuditRecord{Kind: dera.RecordOutcome, Decision: &d}})
	}
	d := v.Decision
	t.looked = true
	return t.move(ctx, dera.Applying, "looked again: same finding, same plan, same decision",
		Entry{Record: dera.AuditRecord{Kind: dera.RecordDecision, Decision: &d}})
}

// lowered says why the fresh decision forbids what was decided, or "". An
// approval waives only the reasons that it listed.
func (t *run) lowered(d dera.Decision) string {
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

// resume settles what a crash left open and checks the way so far.
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
	_, canon, ok, err := t.stable(ctx)
	if err != nil {
		return err
	}
	if !ok || applied >= len(t.rem.Way) || canon != t.rem.Way[applied] {
		return t.fail(ctx, "the resource changed while the fix was half-way")
	}
	t.looked = true
	return nil
}

// step makes one write durable: intent, write, settle by reading, result. It
// reports whether the write is in effect.
func (t *run) step(ctx context.Context, i int, undo bool, op resource.Operation, c dera.Change) (bool, error) {
	old := t.intent(i, undo)
	switch {
	case old != nil && old.State == dera.IntentApplied:
		return true, nil
	case old != nil && old.State == dera.IntentNotApplied && !old.Retry && !undo:
		return false, nil
	}
	in := dera.Intent{
		Remediation: t.rem.ID, Step: i, Undo: undo, Operation: op.Name, Version: op.Version,
		State: dera.IntentOpen, Token: t.lease.Token, At: t.cfg.Now(),
	}
	rec := t.record(dera.RecordIntent)
	rec.Step, rec.Undo, rec.Operation, rec.Diff = &i, undo, op.Name, diff(c, undo)
	sealed, err := json.Marshal(c)
	if err != nil {
		return false, err
	}
	rec.Sealed = sealed
	if err := t.allowed(ctx); err != nil {
		return false, err
	}
	if err := t.write(ctx, in, rec); err != nil {
		return false, err
	}
	// From here on a crash is safe: the open intent says what may have happened.
	doErr := t.cfg.Cloud.Do(ctx, t.rem.Plan, op, t.allowed)
	if errors.Is(doErr, ErrStopped) {
		// The request was never sent, so the intent can be closed at once.
		in.Retry = true
		return false, errors.Join(doErr, t.close(context.WithoutCancel(ctx), in, false, nil, doErr))
	}
	return t.settle(ctx, in, op, doErr)
}

// rescue settles an intent that a crash left open. A request that the crashed
// engine signed may still be on its way, so that "not there" counts only after
// its signature has run out (invariant I9).
func (t *run) rescue(ctx context.Context, in dera.Intent, op resource.Operation) error {
	done, out, err := t.shows(ctx, op, false)
	if err != nil {
		return err
	}
	if done {
		return t.close(ctx, in, true, out, nil)
	}
	if end := in.At.Add(t.cfg.Validity); t.cfg.Validity > 0 && t.cfg.Now().Before(end) {
		return &LaterError{At: end, Why: "a write that was under way at a crash may still arrive"}
	}
	in.Retry = true
	return t.close(ctx, in, false, nil, errors.New("the engine stopped before the write took effect"))
}

// settle decides by reading whether the write took effect, whatever it answered.
func (t *run) settle(ctx context.Context, in dera.Intent, op resource.Operation, doErr error) (bool, error) {
	done, out, err := t.shows(ctx, op, doErr == nil)
	if err != nil {
		return false, errors.Join(err, doErr) // the intent stays open; the next run settles it
	}
	if !done && doErr == nil {
		doErr = errors.New("the call reported success, but the change does not show")
	}
	if done {
		doErr = nil
	}
	return done, t.close(ctx, in, done, out, doErr)
}

// close records the result of an intent.
func (t *run) close(ctx context.Context, in dera.Intent, done bool, out map[string]string, cause error) error {
	now := t.cfg.Now()
	in.State, in.DoneAt, in.Output = dera.IntentNotApplied, &now, out
	if done {
		in.State = dera.IntentApplied
	}
	if cause != nil {
		in.Error = cause.Error()
	}
	rec := t.record(dera.RecordResult)
	rec.Step, rec.Undo, rec.Operation, rec.Output, rec.Why = &in.Step, in.Undo, in.Operation, out, string(in.State)
	if in.Error != "" {
		rec.Why += ": " + in.Error
	}
	return t.write(ctx, in, rec)
}

func (t *run) write(ctx context.Context, in dera.Intent, rec dera.AuditRecord) error {
	if err := t.cfg.Journal.Write(ctx, Entry{Lease: &t.lease, Intent: &in, Record: rec}); err != nil {
		return err
	}
	if old := t.intent(in.Step, in.Undo); old != nil {
		*old = in
	} else {
		t.intents = append(t.intents, in)
	}
	return nil
}

func (t *run) intent(step int, undo bool) *dera.Intent {
	for i := range t.intents {
		if t.intents[i].Step == step && t.intents[i].Undo == undo {
			return &t.intents[i]
		}
	}
	return nil
}

// diff is the change's own diff, turned round for its undo.
func diff(c dera.Change, undo bool) []string {
	if !undo {
		return c.Diff
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
