package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"dera.example/dera"
)

// RecentFilter says which changes are meant: those of which a write began at Since or later,
// in an account and under a control where these are not empty.
type RecentFilter struct {
	Since   time.Time
	Account string
	Control string
}

func (f RecentFilter) fits(r dera.Remediation) bool {
	return (f.Account == "" || f.Account == r.Plan.Account) && (f.Control == "" || f.Control == r.Control)
}

// Recent is a remediation that wrote something lately, or is about to.
type Recent struct {
	Remediation string     `json:"remediation"`
	Account     string     `json:"account,omitempty"`
	Region      string     `json:"region,omitempty"`
	Resource    dera.ARN   `json:"resource,omitempty"`
	Control     string     `json:"control,omitempty"`
	State       dera.State `json:"state,omitempty"` // none where it cannot be read
	Wrote       *time.Time `json:"wrote,omitempty"` // when its last change began
	// Why is why it is not rolled back, or what is in the way; empty for one that is.
	Why string `json:"why,omitempty"`
	// Done is true where nothing of it is left in place.
	Done bool `json:"done"`
}

// RecentStore is what is read of them.
type RecentStore interface {
	WhyStore
	RemediationsIn(ctx context.Context, state dera.State) ([]dera.Remediation, error)
}

// RecentList is what was changed since a time. Undo are those of which something is, or may
// be, in place, the newest first. Left cannot be rolled back now, or cannot be read; Waiting
// have not begun. What is rolled back already as a whole, or left nothing in place, is in none.
type RecentList struct{ Undo, Left, Waiting []Recent }

// RecentChanges lists what wrote something since a time. size is how much of the audit log is
// read.
func RecentChanges(ctx context.Context, from RecentStore, size int64, f RecentFilter) (RecentList, error) {
	out := RecentList{Undo: []Recent{}, Left: []Recent{}, Waiting: []Recent{}}
	list, err := recordedWrites(ctx, from, size)
	if err != nil {
		return out, err
	}
	for _, r := range list {
		rem, intents, err := r.load(ctx, from)
		var unreadable *unreadableError
		if errors.As(err, &unreadable) {
			if last := r.last(); !last.Before(f.Since) {
				out.Left = append(out.Left, Recent{Remediation: r.id, Wrote: &last, Why: unreadable.text})
			}
			continue
		}
		if err != nil {
			return out, err
		}
		last := r.last()
		for m, in := range intents {
			if !m.undo && in.At.After(last) { // it was tried again
				last = in.At
			}
		}
		if last.Before(f.Since) || !f.fits(rem) {
			continue
		}
		c := recent(rem, &last)
		switch rem.State {
		case dera.Resolved, dera.Collateral, dera.UndoFailed, dera.Undoing:
			out.Undo = append(out.Undo, c)
		case dera.Applying, dera.Verifying:
			c.Why = "it is under way: repeat this command when it has ended"
			out.Left = append(out.Left, c)
		case dera.RolledBack:
			if rem.InPart() {
				c.Why = InPart
				out.Left = append(out.Left, c)
			}
		default: // nothing of it is in place
		}
	}
	for _, state := range []dera.State{dera.Ready, dera.Waiting} {
		begun, err := from.RemediationsIn(ctx, state)
		if err != nil {
			return out, err
		}
		for _, rem := range begun {
			if f.fits(rem) {
				c := recent(rem, nil)
				c.Why = fmt.Sprintf("it is %s and not begun; refuse it with: dera reject %s --reason TEXT", rem.State, rem.ID)
				out.Waiting = append(out.Waiting, c)
			}
		}
	}
	slices.SortStableFunc(out.Undo, func(a, b Recent) int {
		return cmp.Or(b.Wrote.Compare(*a.Wrote), cmp.Compare(b.Remediation, a.Remediation))
	})
	return out, nil
}

// InPart is why a remediation that is rolled back is not done.
const InPart = "it is rolled back in part: what others changed since was left in place; dera show names it"

func recent(r dera.Remediation, wrote *time.Time) Recent {
	return Recent{Remediation: r.ID, Account: r.Plan.Account, Region: r.Plan.Region, Resource: r.Plan.Resource, Control: r.Control, State: r.State, Wrote: wrote}
}

// last is when the last change began, as the log has it.
func (r *recorded) last() (last time.Time) {
	for m, b := range r.begun {
		if !m.undo && b.at.After(last) {
			last = b.at
		}
	}
	return last
}
