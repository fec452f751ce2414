package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/detect"
	"dera.example/dera/remediate"
	"dera.example/dera/resource"
	"dera.example/dera/store"
)

// lateFor is how long a change of ours that did not show is looked for.
const lateFor = 24 * time.Hour

// late looks whether a change shows by now that did not show when its fix failed:
// the service did not refuse it, and the reads were behind for longer than any
// settling time. The record says so then, and the fix counts as one in effect,
// which a person can roll back.
func (e *Engine) late(ctx context.Context, a detect.Assessment, earlier []dera.Remediation, b *store.Batch) error {
	if a.Resource.Unread != "" || !a.Resource.Full {
		return nil
	}
	kind, err := e.cfg.Types.Lookup(a.Resource.Type)
	if err != nil {
		return err
	}
	for _, r := range slices.Backward(earlier) {
		if len(r.Steps) == 0 || e.cfg.Now().Sub(r.Steps[len(r.Steps)-1].At) > lateFor {
			return nil
		}
		intents, err := e.cfg.Store.Intents(ctx, r.ID)
		if err != nil {
			return err
		}
		if (r.State == dera.Failed || r.State == dera.UndoFailed) && !r.Plan.Custom() {
			if err := e.lateOf(kind, a.Resource, r, intents, b); err != nil {
				return err
			}
		}
		if slices.ContainsFunc(intents, func(in dera.Intent) bool { return in.State != dera.IntentNotApplied }) {
			return nil // what shows may be of this one
		}
	}
	return nil
}

func (e *Engine) lateOf(kind resource.Type, now dera.Resource, r dera.Remediation, intents []dera.Intent, b *store.Batch) error {
	if slices.ContainsFunc(b.Remediations, func(o dera.Remediation) bool { return o.ID == r.ID }) {
		return nil
	}
	var why []string
	forward := false
	for _, in := range intents {
		if in.State != dera.IntentNotApplied || !in.Unanswered || in.Step >= len(r.Plan.Changes) {
			continue
		}
		if undone := slices.ContainsFunc(intents, func(o dera.Intent) bool {
			return !in.Undo && o.Undo && o.Step == in.Step && o.State == dera.IntentApplied
		}); undone {
			continue // whatever it did, it was taken back
		}
		op, err := operation(r.Plan.Changes[in.Step], in, intents)
		if err != nil {
			continue // its change gave no output, so that its undo cannot be told
		}
		done, out, err := kind.Effect(now.Config, op)
		if err != nil {
			return err
		}
		if !done {
			continue
		}
		if u := r.Plan.Changes[in.Step].Undo; u != nil && !in.Undo {
			if _, err := resource.OfUndo(*u, out); err != nil {
				continue // without its output it is someone else's
			}
		}
		text := fmt.Sprintf("change %d (%s)", in.Step+1, in.Operation)
		if in.Undo {
			text = "the undo of " + text
		}
		text += " took effect later: it shows now, and the earlier reads were behind (or someone else made the same change)"
		why = append(why, text)
		forward = forward || !in.Undo
		in.State, in.Output, in.Unanswered, in.Error = dera.IntentApplied, out, false, "took effect later"
		rec := e.remediationRecord(dera.RecordResult, r, e.cfg.Actor)
		rec.Step, rec.Undo, rec.Operation, rec.Output, rec.Why = &in.Step, in.Undo, in.Operation, out, text
		b.Intents, b.Records = append(b.Intents, in), append(b.Records, rec)
	}
	if len(why) == 0 {
		return nil
	}
	r.Notes = append(slices.Clone(r.Notes), why...)
	if r.State == dera.Failed && forward {
		var err error
		if r, err = remediate.Move(r, dera.Collateral, dera.Step{At: e.cfg.Now(), Why: strings.Join(why, "; ")}); err != nil {
			return err
		}
		r.Unexpected = append(slices.Clone(r.Unexpected), why...)
	}
	rec := e.remediationRecord(dera.RecordOutcome, r, e.cfg.Actor)
	rec.Why, rec.Steps, rec.Notes, rec.Unexpected = strings.Join(why, "; "), r.Steps, r.Notes, r.Unexpected
	b.Remediations, b.Records = append(b.Remediations, r), append(b.Records, rec)
	return nil
}

// operation is the write that an intent is about.
func operation(c dera.Change, in dera.Intent, intents []dera.Intent) (resource.Operation, error) {
	if !in.Undo {
		return resource.Of(c), nil
	}
	i := slices.IndexFunc(intents, func(f dera.Intent) bool { return f.Step == in.Step && !f.Undo })
	if c.Undo == nil || i < 0 {
		return resource.Operation{}, fmt.Errorf("change %d has no undo", in.Step+1)
	}
	return resource.OfUndo(*c.Undo, intents[i].Output)
}
