package dera

import (
	"strings"
	"time"
)

// State is where a remediation stands. Which moves are allowed is one table in
// package remediate.
type State string

// The states of a remediation. Those from Observed on are final.
const (
	Waiting    State = "waiting"     // for an approval
	Ready      State = "ready"       // decided auto or approved, not yet begun
	Applying   State = "applying"    // at least the first intent may exist
	Verifying  State = "verifying"   // all changes are done, the re-read is due
	Undoing    State = "undoing"     // taking its changes back, in reverse
	Observed   State = "observed"    // observe mode: recorded, nothing written
	Planned    State = "planned"     // decided auto by a command that only reads; dera run or scan --apply does it
	Resolved   State = "resolved"    // the finding is gone and nothing else changed
	Collateral State = "collateral"  // the finding is resolved, but something outside the plan changed too
	Failed     State = "failed"      // nothing of ours remains in place
	RolledBack State = "rolled_back" // undone on purpose
	UndoFailed State = "undo_failed" // a person is needed; the resource is frozen
	Rejected   State = "rejected"    // a person said no
	Expired    State = "expired"     // nobody said yes in time
	Superseded State = "superseded"  // the resource or the gate moved before anything was written
)

// Final reports whether nothing happens to the remediation automatically any more.
// A resolved or collateral one can still be rolled back.
func (s State) Final() bool {
	switch s {
	case Observed, Planned, Resolved, Collateral, Failed, RolledBack, UndoFailed, Rejected, Expired, Superseded:
		return true
	case Waiting, Ready, Applying, Verifying, Undoing:
		return false
	}
	return false // an unknown state is nothing to rest on
}

// Step is one dated move of a remediation.
type Step struct {
	State State     `json:"state"`
	At    time.Time `json:"at"`
	Why   string    `json:"why,omitempty"`
}

// Remediation is the fix of one resource under one control: its findings, the
// decision, the plan, the evidence and where it stands.
type Remediation struct {
	ID       string   `json:"id"`
	Revision int64    `json:"revision"` // compare-and-set; the store counts it up
	Control  string   `json:"control"`
	Findings []string `json:"findings"`
	Severity Severity `json:"severity"`
	// Covers is how far its findings reached when it was decided.
	Covers []Extent `json:"covers,omitempty"`
	// Stood are the findings of the resource that were open or unknown right before a custom
	// fix began; nil of other plans.
	Stood []EarlierFinding `json:"stood,omitzero"`
	// Principals are those from whom it takes permissions, by ARN, as far as known when
	// it was decided.
	Principals []string `json:"principals,omitempty"`
	Decision   Decision `json:"decision"`
	Plan       Plan     `json:"plan"`
	Digest     string   `json:"digest"`
	Evidence   string   `json:"evidence,omitempty"` // hash of the blob
	State      State    `json:"state"`
	Steps      []Step   `json:"steps"`
	Trigger    string   `json:"trigger"` // event, sweep, scan, remediate
	Interfaces []string `json:"interfaces,omitempty"`
	// Way holds the canonical configuration before each change of the plan and
	// after the last one.
	Way []string `json:"way"`
	// Leaves are the findings of the resource, by ID, that exist after the plan
	// because of what it adds: the remainder of a part that it splits.
	Leaves []string `json:"leaves,omitempty"`
	// Code is the plan as infrastructure as code, where that owns the resource.
	Code *CodeDiff `json:"iac_diff,omitempty"`
	// Recorded says what the recorded calls tell of a plan that takes permissions away:
	// how many of them would have been denied.
	Recorded string `json:"recorded,omitempty"`
	// Notes say what a person must know, for example that established
	// connections live on.
	Notes []string `json:"notes,omitempty"`
	// Unexpected is what changed outside the plan, when the state is collateral.
	Unexpected []string `json:"unexpected_changes,omitempty"`
	// Overwrote names another writer's change of the same document that ours may
	// have replaced.
	Overwrote string `json:"overwrote,omitempty"`
	// OverwroteDocument is what that writer wrote, as far as the event told.
	OverwroteDocument string `json:"overwrote_document,omitempty"`
	Failure           string `json:"failure,omitempty"`
	Undo              string `json:"undo,omitempty"`    // why it is being undone
	UndoBy            string `json:"undo_by,omitempty"` // who asked for the rollback
	// LeftInPlace are the changes, by index, that a partial rollback does not take
	// back, since someone else changed the same parts after the fix.
	LeftInPlace []int `json:"left_in_place,omitempty"`
	// DespiteStop lets a rollback that a person asked for pass a stop.
	DespiteStop bool `json:"despite_stop,omitempty"`
	// Due says that what it gave is taken back since its time is over: AWS has ended it already.
	Due      bool      `json:"due,omitempty"`
	Approval *Approval `json:"approval,omitempty"` // of the plan with this digest
	Expires  time.Time `json:"expires,omitzero"`   // of the wait for an approval
	// NotBefore is when it may begin: a fix that failed, or that keeps coming
	// back, waits longer and longer.
	NotBefore time.Time `json:"not_before,omitzero"`
	CreatedAt time.Time `json:"created_at"`
}

// ResourceKey identifies the resource that the plan changes.
func (r Remediation) ResourceKey() string {
	return ResourceKey(r.Plan.Partition, r.Plan.Account, r.Plan.Region, r.Plan.Resource)
}

// Overdue reports whether the wait for an approval is over although no step says so
// yet: nobody approved it in time.
func (r Remediation) Overdue(now time.Time) bool {
	return r.State == Waiting && !r.Expires.IsZero() && !now.Before(r.Expires)
}

// Lapsed reports whether its approval ran out before anything was written.
func (r Remediation) Lapsed(now time.Time) bool {
	return r.State == Ready && r.Approved() && now.After(r.Approval.Expires)
}

// Approved reports whether a person said yes to the plan.
func (r Remediation) Approved() bool { return r.Approval != nil && r.Approval.Approved }

// Began is when it last began to write, or when it was made where it never did.
func (r Remediation) Began() time.Time {
	for i := len(r.Steps) - 1; i >= 0; i-- {
		if r.Steps[i].State == Applying {
			return r.Steps[i].At
		}
	}
	return r.CreatedAt
}

// Before is the canonical configuration that the plan was made from.
func (r Remediation) Before() string {
	if len(r.Way) == 0 {
		return ""
	}
	return r.Way[0]
}

// Expect is the canonical configuration that the plan leads to.
func (r Remediation) Expect() string {
	if len(r.Way) == 0 {
		return ""
	}
	return r.Way[len(r.Way)-1]
}

// DigestDigits is how many hex digits of a digest stand for it where its remediation
// is named beside it: the plan of a remediation never changes, so that they only
// have to tell a plan that was shown from one that was not.
const DigestDigits = 12

// ShortDigest is the beginning of a digest, as it is typed.
func ShortDigest(digest string) string { return digest[:min(len(digest), DigestDigits)] }

// IsDigest reports whether what someone typed names the digest: all of it, or its
// first hex digits, 12 at least.
func IsDigest(typed, digest string) bool {
	return len(typed) >= DigestDigits && strings.HasPrefix(digest, strings.ToLower(typed))
}

// FailedFix is one fix that failed: a remediation that was undone, or whose undo
// failed.
type FailedFix struct {
	Remediation string
	Account     string
	Resource    string // its key
	At          time.Time
}

// Approval is a person's verdict on one plan, bound to its digest.
type Approval struct {
	Approver       string    `json:"approver"`        // for example the ARN of an STS caller
	HowEstablished string    `json:"how_established"` // sts or oidc, never a local user name
	Approved       bool      `json:"approved"`
	Digest         string    `json:"digest"`
	Reason         string    `json:"reason,omitempty"`
	At             time.Time `json:"at"`
	Expires        time.Time `json:"expires"`
	Waives         []string  `json:"waives,omitempty"` // guardrails that it lets pass
}

// IntentState is how far one recorded intent has come.
type IntentState string

// The states of an intent. An open one that a crash left behind is settled by
// reading the resource (invariant I2).
const (
	IntentOpen       IntentState = "open"
	IntentApplied    IntentState = "applied"
	IntentNotApplied IntentState = "not_applied"
)

// Intent is the record, committed before the write, that a change or its undo
// is about to be made (invariant I1).
type Intent struct {
	Remediation string            `json:"remediation"`
	Step        int               `json:"step"` // index into the plan's changes
	Undo        bool              `json:"undo"`
	Operation   string            `json:"operation"`
	Version     int               `json:"version"`
	State       IntentState       `json:"state"`
	Token       int64             `json:"token"` // fencing token of the lease it was made under
	Output      map[string]string `json:"output,omitempty"`
	Error       string            `json:"error,omitempty"`
	// RequestID is AWS's ID of the request; CloudTrail has it too.
	RequestID string `json:"request_id,omitempty"`
	// Unanswered is true where an attempt was sent and not answered: that the
	// write shows later is its doing.
	Unanswered bool `json:"unanswered,omitempty"`
	// Retry is true for an intent that is not applied because nothing was sent or
	// the sender died: the same write may be made again.
	Retry  bool       `json:"retry,omitempty"`
	At     time.Time  `json:"at"`
	DoneAt *time.Time `json:"done_at,omitempty"`
}

// Lease is the sole right to write to one resource until Until. Token grows
// with every new holder; a statement that records an intent checks it.
type Lease struct {
	Resource string    `json:"resource"`
	Owner    string    `json:"owner"`
	Token    int64     `json:"token"`
	Until    time.Time `json:"until"`
}
