package dera

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Watch says that denials of a principal are looked for after a change that took
// permissions from it.
type Watch struct {
	Remediation string
	Principal   string    // its ARN
	Since       time.Time // when the change began
}

// MayDeny reports whether something of the remediation was, or may have been, in effect at a
// time after it began: of what was rolled back that is until then, whenever it is told, unless
// some of it was left in place.
func (r Remediation) MayDeny(at time.Time) bool {
	switch r.State {
	case Applying, Verifying, Undoing, Resolved, Collateral, UndoFailed:
		return true
	case RolledBack:
		return r.InPart() || len(r.Steps) > 0 && !at.After(r.Steps[len(r.Steps)-1].At)
	default:
		return false
	}
}

// InPart reports whether a rollback left some of what was changed in place, since others changed
// it; the copies that a plan may do without do not count.
func (r Remediation) InPart() bool {
	return slices.ContainsFunc(r.LeftInPlace, func(i int) bool {
		return i >= len(r.Plan.Changes) || !r.Plan.Changes[i].Optional
	})
}

// AsBoundary ends the name of who has a policy as the permissions boundary, among the
// interfaces of a remediation.
const AsBoundary = ", as its permissions boundary"

// DenialCause says whose denial it was.
type DenialCause string

// The causes of denials. In doubt it is CauseUnknown: it may be the change.
const (
	CauseRemoved DenialCause = "removed_permission" // no identity policy allows it any more
	CauseUnknown DenialCause = "unknown"            // AWS does not say which policy denied it, or it was denied before too
	CauseOther   DenialCause = "other_policy"       // another policy denied it, so that a rollback changes nothing
)

// Denial is that a principal was denied what a remediation had taken from it. Calls that
// differ in nothing but their time are one.
type Denial struct {
	Remediation string      `json:"remediation"`
	Principal   string      `json:"principal"` // the ARN without its path; that of a role for its sessions
	Call        string      `json:"call"`      // as CloudTrail names it
	Actions     []string    `json:"actions"`   // of those that were removed: what the call needed, or may have needed
	Code        string      `json:"error_code"`
	Cause       DenialCause `json:"cause"`
	// Policy is the type of the policy that denied it or, where Explicit is false, does
	// not allow it, as far as AWS says.
	Policy   string    `json:"policy,omitempty"`
	Explicit bool      `json:"explicit,omitempty"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Events   []string  `json:"events"`         // IDs of the events that are counted
	More     bool      `json:"more,omitempty"` // there were others beyond MaxDenialEvents
}

// MaxDenialEvents bounds the events that are counted of one denial.
const MaxDenialEvents = 50

// Key tells the denials of a remediation apart.
func (d Denial) Key() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{d.Principal, d.Call, strings.Join(d.Actions, " "), d.Code, d.Policy, fmt.Sprint(d.Explicit)}, "\x00")))
	return hex.EncodeToString(sum[:10])
}

// With is the denial with what else is known of it. An event counts once, however often
// it comes and whoever reads it.
func (d Denial) With(o Denial) Denial {
	if d.First.IsZero() || o.First.Before(d.First) {
		d.First = o.First
	}
	if o.Last.After(d.Last) {
		d.Last = o.Last
	}
	d.More = d.More || o.More
	d.Events = slices.Clone(d.Events)
	for _, id := range o.Events {
		switch {
		case slices.Contains(d.Events, id):
		case len(d.Events) == MaxDenialEvents:
			d.More = true
		default:
			d.Events = append(d.Events, id)
		}
	}
	return d
}

// Text says for people who was denied what, how often, and whose denial it is.
func (d Denial) Text() string {
	times := fmt.Sprintf("%d times", len(d.Events))
	switch {
	case d.More:
		times = "more than " + times
	case len(d.Events) == 1:
		times = "once"
	}
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	when := "at " + at(d.First)
	if d.Last.After(d.First) {
		when = "from " + at(d.First) + " to " + at(d.Last)
	}
	what := strings.Join(d.Actions, ", ")
	if what != d.Call {
		what += " (call " + d.Call + ")"
	}
	return fmt.Sprintf("%s was denied %s %s, %s, with %s: %s", ARN(d.Principal).Resource(), what, times, when, d.Code, d.why())
}

func (d Denial) why() string {
	switch {
	case d.Cause == CauseRemoved && d.Explicit:
		return "this change denies it, before it goes out of the policy"
	case d.Cause == CauseRemoved:
		return "no identity-based policy allows it, and this change removed it"
	case d.Cause == CauseUnknown && d.Policy == "identity-based policy":
		return "no identity-based policy allows it, and this change removed it, but it was denied before this change too"
	case d.Cause == CauseUnknown && d.Policy != "":
		return "no " + d.Policy + " allows it; that may be the policy that this change narrowed"
	case d.Cause == CauseUnknown:
		return "AWS does not say which policy; it may be this change"
	case d.Explicit:
		return "another policy denies it, a " + d.Policy + ", so a rollback does not help"
	}
	return "no " + d.Policy + " allows it, so a rollback does not help"
}
