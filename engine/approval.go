package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/evaluate"
	"dera.example/dera/remediate"
	"dera.example/dera/store"
)

// runExpire ends a wait that nobody answered: no answer is a no.
func (e *Engine) runExpire(ctx context.Context, j dera.Job) error {
	b := store.Batch{Done: []dera.Job{j}}
	r, err := e.cfg.Store.Remediation(ctx, j.Key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err == nil && r.State == dera.Waiting {
		if _, err := e.ends(r, dera.Expired, &b); err != nil {
			return err
		}
	}
	return e.cfg.Store.Commit(ctx, b)
}

// overdue ends the waits that nobody answered in time and the approvals that ran out
// before anything was written, for whoever looks: their jobs may never run. It returns
// the remediations as they are then.
func (e *Engine) overdue(list []dera.Remediation, b *store.Batch) ([]dera.Remediation, error) {
	now := e.cfg.Now()
	out := slices.Clone(list)
	for i, r := range out {
		to := dera.Superseded
		switch {
		case r.Overdue(now):
			to = dera.Expired
			b.Done = append(b.Done, dera.Job{Kind: expireJob, Key: r.ID, Seq: 1})
		case !r.Lapsed(now):
			continue
		}
		var err error
		if out[i], err = e.ends(r, to, b); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ends ends a wait or an approval for which the time is over.
func (e *Engine) ends(r dera.Remediation, to dera.State, b *store.Batch) (dera.Remediation, error) {
	why := "nobody approved it in time"
	if to == dera.Superseded {
		why = "the approval ran out before anything was written"
	}
	r, err := remediate.Move(r, to, dera.Step{At: e.cfg.Now(), Why: why})
	if err != nil {
		return r, err
	}
	rec := e.remediationRecord(dera.RecordOutcome, r, e.cfg.Actor)
	rec.Why = why
	b.Remediations, b.Records = append(b.Remediations, r), append(b.Records, rec)
	return r, nil
}

// Answer is a person's answer to a waiting plan.
type Answer struct {
	Approve bool
	// Digest must be the one of the plan that was shown, or its first 12 digits at
	// least.
	Digest string
	Reason string
	By     dera.Actor
	TTL    time.Duration
}

// RefusedError says why an order of a person is not carried out; nothing was
// changed.
type RefusedError struct{ Why string }

// Error implements error.
func (e *RefusedError) Error() string { return e.Why }

func refused(format string, args ...any) error { return &RefusedError{fmt.Sprintf(format, args...)} }

// withdrawable reports whether a plan that waits for nobody can still be rejected: it
// is not begun, or nobody answered it in time. Else the plan of a control that is
// switched off would hold its part for good.
func withdrawable(s dera.State) bool {
	return s == dera.Ready || s == dera.Planned || s == dera.Expired
}

// Decide records a person's verdict on a waiting remediation, bound to the
// digest of its plan; an approved one becomes ready and its job is enqueued. One that
// is not begun, or that nobody answered in time, can still be rejected, and to approve
// a ready one again changes nothing.
func (e *Engine) Decide(ctx context.Context, id string, v Answer) (dera.Remediation, error) {
	r, err := e.cfg.Store.Remediation(ctx, id)
	if err != nil {
		return r, err
	}
	if err := e.configured(r.Plan.Account); err != nil {
		return r, err
	}
	now := e.cfg.Now()
	again := v.Approve && r.State == dera.Ready && r.Approved()
	switch {
	case r.State != dera.Waiting && !again && (v.Approve || !withdrawable(r.State)):
		return r, refused("remediation %s does not wait for an approval: it is %s", id, r.State)
	case r.Overdue(now):
		b := store.Batch{}
		if _, err := e.overdue([]dera.Remediation{r}, &b); err != nil {
			return r, err
		}
		if err := e.commit(ctx, b); err != nil {
			return r, err
		}
		return r, refused("remediation %s waited until %s; nobody approved it in time", id, r.Expires.UTC().Format(time.RFC3339))
	case v.By.Name == "" || v.By.How == "":
		return r, refused("who approves is not established")
	case v.Approve && !(judge{e}).runs(r.Control):
		return r, refused("control %s does not run here, so its plan could not be checked before it is carried out: the configuration (controls) or DERA_CONTROLS leaves it out", r.Control)
	case v.Approve && !dera.IsDigest(v.Digest, r.Digest):
		return r, refused("the digest is not that of the plan: given %s, the plan of %s has %s", short(v.Digest), id, short(r.Digest))
	}
	if err := e.notTheirs(ctx, r, v); err != nil {
		return r, err
	}
	access, err := e.fourEyes(ctx, r, v)
	if err != nil || again {
		return r, err
	}
	if v.Approve {
		if err := e.frozen(ctx, r); err != nil {
			return r, err
		}
	}
	if v.TTL == 0 {
		v.TTL = time.Hour
	}
	approval := dera.Approval{
		Approver: v.By.Name, HowEstablished: v.By.How, Approved: v.Approve, Digest: r.Digest, Reason: v.Reason, At: now, Expires: now.Add(v.TTL),
	}
	to, kind, why := dera.Rejected, dera.RecordRejection, "rejected by "+v.By.Name
	var b store.Batch
	if r.State == dera.Waiting {
		b.Done = []dera.Job{{Kind: expireJob, Key: id, Seq: 1}}
	}
	if !v.Approve { // what waited for this answer is decided now
		look, err := lookAgain(r.Plan, now)
		if err != nil {
			return r, err
		}
		b.Jobs = []dera.Job{look}
	}
	if v.Approve {
		to, kind, why = dera.Ready, dera.RecordApproval, "approved by "+v.By.Name
		approval.Waives = []string{evaluate.Mode{}.Name()} // a person's word is what the mode review asks for
		for _, reason := range r.Decision.Lowered() {
			approval.Waives = append(approval.Waives, reason.Guardrail)
		}
		// Another process picks it up if this one does not get to it.
		b.Jobs = []dera.Job{{Kind: remediateJob, Key: id, Priority: remediatePriority(r.Severity), RunAt: now}}
	}
	r.Approval = &approval
	next, err := remediate.Move(r, to, dera.Step{At: now, Why: why + reasonText(v.Reason)})
	if err != nil {
		return r, err
	}
	rec := e.remediationRecord(kind, next, v.By)
	rec.Approval, rec.Why, rec.Diff, rec.Access = &approval, why+reasonText(v.Reason), r.Plan.Diff(), access
	b.Remediations, b.Records = []dera.Remediation{next}, []dera.AuditRecord{rec}
	if err := e.commit(ctx, b); err != nil {
		return r, err
	}
	next.Revision++
	return next, nil
}

// frozen refuses an approval on a resource that a failed undo left half-way: that
// undo comes first, and no word of a person waives it. So does a plan of the same
// part that is decided first.
func (e *Engine) frozen(ctx context.Context, r dera.Remediation) error {
	list, err := e.cfg.Store.RemediationsOf(ctx, r.ResourceKey())
	if err != nil {
		return err
	}
	for _, o := range list {
		if o.State == dera.UndoFailed {
			return refused("the resource is frozen since the undo of %s failed; dera rollback %s first", o.ID, o.ID)
		}
	}
	return contest(r, list, e.cfg.Now())
}

func reasonText(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}
