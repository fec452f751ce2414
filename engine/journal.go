package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/detect"
	"dera.example/dera/remediate"
	"dera.example/dera/store"
)

// journal makes the state machine of package remediate durable in the store.
type journal struct{ *Engine }

// Load implements remediate.Journal.
func (j journal) Load(ctx context.Context, id string) (dera.Remediation, []dera.Intent, error) {
	r, err := j.cfg.Store.Remediation(ctx, id)
	if err != nil {
		return r, nil, err
	}
	intents, err := j.cfg.Store.Intents(ctx, id)
	return r, intents, err
}

// Lease implements remediate.Journal. To the store all of this process is one
// owner, so that the process keeps its own runners apart (invariant I9). The lease is
// renewed until Release.
func (j journal) Lease(ctx context.Context, resource string) (dera.Lease, error) {
	if !j.held.take(resource) {
		return dera.Lease{}, fmt.Errorf("%s: %w", resource, remediate.ErrBusy)
	}
	l, err := j.cfg.Store.Lease(ctx, resource, j.cfg.Owner, j.cfg.LeaseTTL)
	if err != nil {
		j.held.give(resource)
	}
	if errors.Is(err, store.ErrConflict) {
		return l, fmt.Errorf("%s: %w", resource, remediate.ErrBusy)
	}
	if err == nil {
		j.keepers.keep(ctx, j.cfg.Store, l, j.cfg.LeaseTTL)
	}
	return l, err
}

// Release implements remediate.Journal.
func (j journal) Release(ctx context.Context, l dera.Lease) error {
	defer j.held.give(l.Resource)
	j.keepers.drop(l.Resource)
	ctx, cancel := bounded(ctx)
	defer cancel()
	return j.cfg.Store.Release(ctx, l)
}

// Allowed implements remediate.Journal. An empty account asks for the lease
// alone. A lease that is half over is renewed.
func (j journal) Allowed(ctx context.Context, l dera.Lease, account, control string) error {
	held, err := j.cfg.Store.CheckLease(ctx, l)
	if err != nil {
		return err
	}
	if held < j.cfg.LeaseTTL/2 {
		renewed, err := j.cfg.Store.Lease(ctx, l.Resource, l.Owner, j.cfg.LeaseTTL)
		if err != nil {
			return err
		}
		if renewed.Token != l.Token {
			return fmt.Errorf("lease of %s: %w", l.Resource, store.ErrFenced)
		}
	}
	if account == "" {
		return nil
	}
	stops, err := j.cfg.Store.Stops(ctx)
	if err != nil {
		return err
	}
	for _, s := range stops {
		if s.Covers(account, control) {
			return fmt.Errorf("%w (%s) by %s: %s", remediate.ErrStopped, s.Where(), s.By, s.Reason)
		}
	}
	return nil
}

// Anchored implements remediate.Journal. A log that is not the one that was signed is no
// ErrUnanchored: then nothing is written, not even to take something back.
func (j journal) Anchored(ctx context.Context) error {
	if j.cfg.Anchor == nil {
		return nil
	}
	err := j.cfg.Anchor.Anchor(ctx)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, audit.ErrFork), errors.Is(err, audit.ErrSignature):
		return err
	}
	// Only as text: that the anchor's service denied, refused or was late says nothing about the write that
	// waits for it, nor about the database.
	return fmt.Errorf("%w: %s", remediate.ErrUnanchored, err.Error())
}

// Later implements remediate.Journal: later remediations of the same resource, and
// of what stands above it in the account.
func (j journal) Later(ctx context.Context, r dera.Remediation) (same, above []string, err error) {
	list, err := j.cfg.Store.RemediationsOf(ctx, r.ResourceKey())
	if err != nil {
		return nil, nil, err
	}
	after := false
	for _, o := range list {
		switch {
		case o.ID == r.ID:
			after = true
		case after && bars(o, r):
			same = append(same, o.ID)
		}
	}
	kind, err := j.cfg.Types.Lookup(r.Plan.Type)
	if err != nil {
		return nil, nil, err
	}
	for _, typ := range kind.Under {
		over, err := j.cfg.Types.Lookup(typ)
		if err != nil {
			return nil, nil, err
		}
		key := over.AccountWide(r.Plan.Partition, r.Plan.Account)
		list, err := j.cfg.Store.RemediationsOf(ctx, key)
		if err != nil {
			return nil, nil, err
		}
		for _, o := range list {
			if o.CreatedAt.After(r.CreatedAt) && inEffect(o) {
				above = append(above, o.ID)
			}
		}
	}
	return same, above, nil
}

// Beside implements remediate.Journal.
func (j journal) Beside(ctx context.Context, r dera.Remediation) (under, later []string, err error) {
	list, err := j.cfg.Store.RemediationsOf(ctx, r.ResourceKey())
	if err != nil {
		return nil, nil, err
	}
	after := false
	for _, o := range list {
		if o.ID == r.ID {
			after = true
			continue
		}
		if underWay(o) {
			under = append(under, o.ID)
		}
		if after && bars(o, r) && o.State != dera.Ready { // one that is ready goes by the resource as it is then
			later = append(later, o.ID)
		}
	}
	return under, later, nil
}

// underWay reports whether a remediation was begun and has not ended.
func underWay(r dera.Remediation) bool {
	return r.State == dera.Applying || r.State == dera.Verifying || r.State == dera.Undoing
}

// bars reports whether a later remediation has to go before r can.
func bars(o, r dera.Remediation) bool {
	return inEffect(o) && !(ended(o) && final(o.Plan) && apart(o.Plan, r.Plan))
}

// final reports whether nothing can take a plan back: what came before it would wait for
// ever. What a rollback leaves on purpose is in the way of none.
func final(p dera.Plan) bool {
	return slices.ContainsFunc(p.Changes, func(c dera.Change) bool { return c.Undo == nil && !c.Optional && !c.Kept })
}

// apart reports whether two plans are about other findings, each of a part of its own.
func apart(a, b dera.Plan) bool {
	return a.Control != b.Control && !slices.ContainsFunc(a.Keys, func(k string) bool { return slices.Contains(b.Keys, k) })
}

// inEffect reports whether something of a remediation is, or may be, in place.
func inEffect(r dera.Remediation) bool {
	return ended(r) || !r.State.Final() && r.State != dera.Waiting
}

// ended reports whether a remediation is in place and dera is done with it: one that is
// still written or verified takes no other change of its resource meanwhile.
func ended(r dera.Remediation) bool {
	return r.State == dera.Resolved || r.State == dera.Collateral || r.State == dera.UndoFailed
}

// Write implements remediate.Journal: state, intent, record, findings and the
// next look commit together.
func (j journal) Write(ctx context.Context, e remediate.Entry) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	b := store.Batch{Fence: e.Lease, Records: []dera.AuditRecord{fit(e.Record)}}
	if e.Intent != nil {
		b.Intents = []dera.Intent{*e.Intent}
	}
	if e.Remediation != nil {
		b.Remediations, b.Watches = []dera.Remediation{*e.Remediation}, watches(*e.Remediation)
		if e.Settled {
			defer j.alone(e.Remediation.ResourceKey())()
			findings, err := j.settled(ctx, *e.Remediation)
			if err != nil {
				return err
			}
			b.Findings = findings
		}
		if e.LookAgain {
			look, err := lookAgain(e.Remediation.Plan, j.cfg.Now())
			if err != nil {
				return err
			}
			b.Jobs = append(b.Jobs, look)
		}
	}
	if e.Resume {
		b.Jobs = append(b.Jobs, dera.Job{
			Kind: remediateJob, Key: e.Remediation.ID, Priority: remediatePriority(e.Remediation.Severity), RunAt: j.cfg.Now().Add(j.cfg.LeaseTTL),
		})
	}
	if err := j.cfg.Store.Commit(ctx, b); errors.Is(err, store.ErrConflict) {
		return fmt.Errorf("%w: %w", remediate.ErrChanged, err)
	} else if err != nil {
		return err
	}
	if e.Remediation != nil {
		j.cfg.Tell(News{What: "remediation", Remediation: e.Remediation})
		j.alarmOf(ctx, *e.Remediation)
	}
	if len(b.Jobs) > 0 {
		j.asked(b.Jobs)
	}
	return nil
}

// settled is how the findings of a remediation stand after its outcome.
func (j journal) settled(ctx context.Context, r dera.Remediation) ([]dera.Finding, error) {
	now := j.cfg.Now()
	var out []dera.Finding
	for _, id := range r.Findings {
		f, err := j.cfg.Store.Finding(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		switch r.State {
		case dera.Resolved:
			f = detect.Resolve(f, now)
		case dera.RolledBack:
			f.State, f.ResolvedAt, f.LastSeen = dera.FindingOpen, nil, now
			f.RolledBack++
			f.Disposition = f.Disposition.Lower(dera.Review)
			f.Reasons = append(f.Reasons, dera.Reason{
				Guardrail: "rolled-back-before", Disposition: dera.Review, Ref: r.ID,
				Why: "its fix was rolled back by " + r.UndoBy,
			})
		case dera.Failed, dera.UndoFailed:
			f.Disposition = f.Disposition.Lower(dera.Review)
			f.Reasons = append(f.Reasons, dera.Reason{Guardrail: "remediation", Disposition: dera.Review, Ref: r.ID, Why: r.Failure})
			f.LastFailure = &dera.FixFailure{Remediation: r.ID, State: r.State, At: now, Why: r.Failure}
		case dera.Collateral:
			f.Reasons = append(f.Reasons, dera.Reason{Guardrail: "remediation", Disposition: dera.Review, Ref: r.ID, Why: r.Steps[len(r.Steps)-1].Why})
		default:
			continue
		}
		out = append(out, f)
	}
	return out, nil
}
