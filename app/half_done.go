package app

import (
	"context"
	"slices"
	"time"

	"dera.example/dera"
)

// UnderWay is a remediation that was begun or approved and has not ended: a crash, a
// kill, a stop, a throttle, expired credentials or a failed undo left it half-done.
type UnderWay struct {
	Remediation string     `json:"remediation"`
	State       dera.State `json:"state"`
	Account     string     `json:"account"`
	Region      string     `json:"region"`
	Resource    dera.ARN   `json:"resource"`
	Since       time.Time  `json:"since"`
	Why         string     `json:"why"`
	Command     string     `json:"command"` // which goes on with it
}

// RemediationStore is what is read of remediations.
type RemediationStore interface {
	RemediationsIn(ctx context.Context, state dera.State) ([]dera.Remediation, error)
	Intents(ctx context.Context, remediation string) ([]dera.Intent, error)
}

// Begun are the remediations that are under way in the accounts that ours says
// yes to, that a person approved and nobody began, or whose undo failed, the oldest
// first.
func Begun(ctx context.Context, store RemediationStore, ours func(account string) bool) ([]dera.Remediation, error) {
	var out []dera.Remediation
	for _, state := range []dera.State{dera.Ready, dera.Applying, dera.Verifying, dera.Undoing, dera.UndoFailed} {
		list, err := store.RemediationsIn(ctx, state)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	out = slices.DeleteFunc(out, func(r dera.Remediation) bool {
		return !ours(r.Plan.Account) || r.State == dera.Ready && !r.Approved() // what is automatic begins without anybody
	})
	slices.SortStableFunc(out, func(a, b dera.Remediation) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return out, nil
}

// HalfDone says of each remediation that was begun since when it is as it is, why,
// and with which command it goes on.
func HalfDone(ctx context.Context, store RemediationStore, list []dera.Remediation, command func(dera.Remediation) string) ([]UnderWay, error) {
	var out []UnderWay
	for _, r := range list {
		last := r.Steps[len(r.Steps)-1]
		u := UnderWay{
			Remediation: r.ID, State: r.State, Account: r.Plan.Account, Region: r.Plan.Region, Resource: r.Plan.Resource,
			Since: last.At, Why: last.Why, Command: command(r),
		}
		intents, err := store.Intents(ctx, r.ID)
		if err != nil {
			return nil, err
		}
		for _, i := range intents {
			if i.Error != "" && i.State == dera.IntentNotApplied {
				u.Why = i.Error
			}
		}
		out = append(out, u)
	}
	return out, nil
}
