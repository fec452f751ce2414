package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/remediate"
	"dera.example/dera/resource"
	"dera.example/dera/store"
)

// watchFor is how long after a write of a whole document another writer's event
// is waited for: CloudTrail delivers within 15 minutes.
const watchFor = 15 * time.Minute

// clockGrain is how coarse the time of an event is, and how far clocks differ.
const clockGrain = 2 * time.Second

// overwritten looks whether the event tells of another writer of a document that
// dera wrote as a whole: S3 has no compare-and-set, so that between dera's last
// read and its write someone else's change can have been lost. The remediation
// says so then, and a person has to look (design §6.1.2).
func (e *Engine) overwritten(ctx context.Context, ev dera.Event, b *store.Batch) error {
	kind, err := e.cfg.Types.Lookup(ev.Scope.Type)
	if err != nil || !kind.Whole() || ev.Time.IsZero() || e.own.Has(ev.Actor) || ev.Actor == e.cfg.Actor.Name {
		return nil
	}
	for _, id := range ev.Scope.IDs {
		key := dera.ResourceKey(ev.Scope.Partition, ev.Scope.Account, ev.Scope.Region, kind.ARN(ev.Scope.Partition, ev.Scope.Account, ev.Scope.Region, id))
		list, err := e.cfg.Store.RemediationsOf(ctx, key)
		if err != nil {
			return err
		}
		for _, r := range list {
			known := slices.ContainsFunc(b.Remediations, func(o dera.Remediation) bool { return o.ID == r.ID })
			if known || r.Overwrote != "" {
				continue
			}
			if rival, err := e.rival(ctx, kind, r, ev); err != nil {
				return err
			} else if !rival {
				continue
			}
			r.OverwroteDocument = ev.Document
			r.Overwrote = fmt.Sprintf("%s by %s at %s", ev.Name, orSomebody(ev.Actor), ev.Time.UTC().Format(time.RFC3339))
			why := "dera may have overwritten " + r.Overwrote + ": it came between dera's last read and its write"
			if ev.ID != "" {
				why += " (CloudTrail event " + ev.ID + ")"
			}
			r.Unexpected = append(slices.Clone(r.Unexpected), why)
			if r.State == dera.Resolved {
				if r, err = remediate.Move(r, dera.Collateral, dera.Step{At: e.cfg.Now(), Why: why}); err != nil {
					return err
				}
			}
			rec := e.remediationRecord(dera.RecordOutcome, r, e.cfg.Actor)
			rec.Why, rec.Unexpected = why, r.Unexpected
			b.Remediations, b.Records = append(b.Remediations, r), append(b.Records, rec)
			e.cfg.Tell(News{What: "remediation", Remediation: &r})
		}
	}
	return nil
}

func orSomebody(actor string) string {
	if actor == "" {
		return "someone"
	}
	return actor
}

// rival reports whether the event is of a call that wrote the document of the
// remediation while dera was between its read and its write, of the fix or of its
// undo. What was never sent, or refused, replaced nothing; a state that is not over may
// still send.
func (e *Engine) rival(ctx context.Context, kind resource.Type, r dera.Remediation, ev dera.Event) (bool, error) {
	writes := func(operation string) bool { return slices.Contains(kind.Rivals(operation), ev.Name) }
	if !slices.ContainsFunc(r.Plan.Changes, func(c dera.Change) bool { return writes(c.Operation) || c.Undo != nil && writes(c.Undo.Operation) }) {
		return false, nil
	}
	intents, err := e.cfg.Store.Intents(ctx, r.ID)
	if err != nil {
		return false, err
	}
	sent := func(undo bool) bool {
		return slices.ContainsFunc(intents, func(in dera.Intent) bool {
			return in.Undo == undo && writes(in.Operation) && (in.State != dera.IntentNotApplied || in.Unanswered)
		})
	}
	now := e.cfg.Now()
	for i, s := range r.Steps {
		if s.State != dera.Applying && s.State != dera.Undoing {
			continue // nothing was written
		}
		wrote := now // it is writing
		if i+1 < len(r.Steps) {
			if wrote = r.Steps[i+1].At; !sent(s.State == dera.Undoing) {
				continue
			}
		}
		if now.Sub(wrote) <= watchFor && !ev.Time.Before(s.At.Add(-clockGrain)) && !ev.Time.After(wrote.Add(clockGrain)) {
			return true, nil
		}
	}
	return false, nil
}
