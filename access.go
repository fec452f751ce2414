package dera

import (
	"slices"
	"strings"
	"time"
)

// Access is what somebody asked to be given back of what remediations took from a
// principal: single actions, until a moment or for good. A plan of its own gives it.
type Access struct {
	ID        string    `json:"id"`
	Principal ARN       `json:"principal"`
	Partition string    `json:"partition"`
	Account   string    `json:"account"`
	Region    string    `json:"region"`
	Type      string    `json:"resource_type"` // of the principal
	Name      string    `json:"name"`          // its ID as a resource
	Actions   []string  `json:"actions"`       // sorted
	Until     time.Time `json:"until,omitzero"`
	// Took are the remediations that took the actions.
	Took   []string  `json:"took"`
	Reason string    `json:"reason"`
	By     Actor     `json:"by"`
	At     time.Time `json:"at"`
	// Grant is the remediation by which it is, or would be, given; the last one, where a
	// plan did not fit any more.
	Grant string `json:"grant,omitempty"`
	// End is what became of it, once that is recorded.
	End *AccessEnd `json:"end,omitempty"`
}

// AccessEnd is what became of an access in the end.
type AccessEnd struct {
	State AccessState `json:"state"`
	At    time.Time   `json:"at"`
	Why   string      `json:"why"`
}

// AccessState is where an access stands.
type AccessState string

// The states of an access. From AccessDenied on nothing is given any more.
const (
	AccessAsked      AccessState = "asked"      // nobody has answered, or it is being granted
	AccessGranted    AccessState = "granted"    // in force
	AccessDenied     AccessState = "denied"     // a person said no
	AccessUnanswered AccessState = "unanswered" // nobody said yes in time
	AccessEnded      AccessState = "ended"      // its policy is away
	AccessLeft       AccessState = "left"       // it ended, and somebody else's change of its policy stays
)

const accessPrefix = "access/"

// Key is the key of the finding that asks for the access.
func (a Access) Key() string { return accessPrefix + a.ID }

// AccessOf is the ID of the access that a remediation grants, or "".
func (r Remediation) AccessOf() string {
	for _, key := range r.Plan.Keys {
		if id, ok := strings.CutPrefix(key, accessPrefix); ok {
			return id
		}
	}
	return ""
}

// Took are the actions that a remediation took from its principals, as its findings name
// them. What it denies for now it did not take: a rollback lifts that.
func (r Remediation) Took() (out []string) {
	if len(r.Principals) == 0 || r.Plan.Stages() {
		return nil
	}
	for _, e := range r.Covers {
		for _, a := range e.Permissions {
			if !strings.ContainsAny(a, "*?") && !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	return out
}

// TookFrom is a principal as the remediation names it, with its path, by its ARN without.
func (r Remediation) TookFrom(principal string) string {
	kind := func(a ARN) string { k, _, _ := strings.Cut(a.Resource(), "/"); return k }
	for _, p := range r.Principals {
		if a, b := ARN(p), ARN(principal); a.Account() == b.Account() && a.Name() == b.Name() && kind(a) == kind(b) {
			return p
		}
	}
	return principal
}

// InEffect reports whether what a remediation changed is in place, as far as is known.
func (r Remediation) InEffect() bool {
	return r.State == Resolved || r.State == Collateral || r.State == UndoFailed
}

// ForGood reports whether it never ends.
func (a Access) ForGood() bool { return a.Until.IsZero() }

// Over reports whether its time is over.
func (a Access) Over(now time.Time) bool { return !a.ForGood() && !now.Before(a.Until) }

// State says where it stands at a moment; grant is its remediation, or nil.
func (a Access) State(grant *Remediation, now time.Time) AccessState {
	if a.End != nil {
		return a.End.State
	}
	if grant == nil {
		grant = &Remediation{State: Superseded}
	}
	switch grant.State {
	case Rejected:
		return AccessDenied
	case Expired:
		return AccessUnanswered
	case Resolved, Collateral, UndoFailed:
		return AccessGranted
	case Undoing, RolledBack:
		return AccessEnded
	case Applying, Verifying:
		return AccessAsked
	default:
		if a.Over(now) {
			return AccessUnanswered
		}
		return AccessAsked
	}
}

// Term says for how long it is, for people.
func (a Access) Term() string {
	if a.ForGood() {
		return "for good"
	}
	return "until " + a.Until.UTC().Format(time.RFC3339)
}

// Contains reports whether it asks that a resource is contained, by how Actions say, and for
// nothing to be given back.
func (a Access) Contains() bool { return len(a.Took) == 0 && a.Region != GlobalRegion }

// Text says for people what is given to whom.
func (a Access) Text() string {
	if a.Contains() {
		return strings.Join(a.Actions, ", ") + " of " + a.Principal.Resource()
	}
	return strings.Join(a.Actions, ", ") + " for " + a.Principal.Resource() + " " + a.Term()
}
