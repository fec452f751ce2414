package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"dera.example/dera"
)

// Waiting is a plan that waits for a person.
type Waiting struct {
	Remediation  string        `json:"remediation"`
	State        dera.State    `json:"state"` // waiting, or expired: asked, and nobody answered
	Severity     dera.Severity `json:"severity"`
	Control      string        `json:"control"`
	Account      string        `json:"account"`
	Region       string        `json:"region"`
	Resource     dera.ARN      `json:"resource"`
	ResourceName string        `json:"resource_name,omitempty"`
	Title        string        `json:"title"`
	Owner        string        `json:"owner,omitempty"`
	OwnerSource  string        `json:"owner_source,omitempty"`
	Digest       string        `json:"digest"`
	Since        time.Time     `json:"since"`
	Expires      time.Time     `json:"expires,omitzero"`
	// Left is what stays open after the plan.
	Left []Left `json:"left_open,omitempty"`
	// Command approves it, or has it asked again.
	Command string `json:"command"`
	// Shape is that of the plan: see Shape. It is empty where the plan cannot be approved now.
	Shape string `json:"-"`
}

// WaitingStore is what is read for what waits.
type WaitingStore interface {
	Findings(ctx context.Context) ([]dera.Finding, error)
	RemediationsIn(ctx context.Context, state dera.State) ([]dera.Remediation, error)
}

// WaitingFor lists the plans that wait for a person, the most severe first and of
// those the one that expires first: those that wait for an approval, and those that
// nobody answered in time and whose findings are still open. Flags are added to the
// commands.
func WaitingFor(ctx context.Context, store WaitingStore, flags string, now time.Time) ([]Waiting, error) {
	findings, err := store.Findings(ctx)
	if err != nil {
		return nil, err
	}
	return waitingFor(ctx, store, findings, flags, now)
}

func waitingFor(ctx context.Context, store WaitingStore, findings []dera.Finding, flags string, now time.Time) ([]Waiting, error) {
	byID, byResource := map[string]dera.Finding{}, map[string][]dera.Finding{}
	for _, f := range findings {
		byID[f.ID] = f
		byResource[f.ResourceKey()] = append(byResource[f.ResourceKey()], f)
	}
	out := []Waiting{}
	for _, state := range []dera.State{dera.Waiting, dera.Expired} {
		list, err := store.RemediationsIn(ctx, state)
		if err != nil {
			return nil, err
		}
		for _, r := range list {
			if r.Overdue(now) {
				r.State = dera.Expired // no look has said so yet
			}
			w := Waiting{
				Remediation: r.ID, State: r.State, Severity: r.Severity, Control: r.Control, Account: r.Plan.Account, Region: r.Plan.Region,
				Resource: r.Plan.Resource, Digest: r.Digest, Since: r.CreatedAt, Expires: r.Expires, Left: LeftBy(r, byResource[r.ResourceKey()]),
				Command: ApproveCommand(r) + flags,
			}
			open, about := "", []dera.Finding{}
			for _, id := range r.Findings {
				f, ok := byID[id]
				if !ok {
					continue
				}
				about = append(about, f)
				if w.Title == "" {
					w.Title, w.ResourceName, w.Owner, w.OwnerSource = f.Title, f.ResourceName, f.Owner, f.OwnerSource
				}
				if f.LeftOpen() && f.Remediation == r.ID && open == "" {
					open = id
				}
			}
			if r.State == dera.Expired {
				if open == "" {
					continue // what it was about is over, or was decided since
				}
				w.Command = "dera remediate " + open + flags
			}
			if r.State == dera.Waiting && len(w.Left) == 0 && len(about) == len(r.Findings) {
				w.Shape = Shape(r, about)
			}
			if n := len(r.Findings); n > 1 {
				w.Title += andMore(n - 1)
			}
			out = append(out, w)
		}
	}
	slices.SortStableFunc(out, func(a, b Waiting) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), a.Expires.Compare(b.Expires), cmp.Compare(a.Remediation, b.Remediation))
	})
	return out, nil
}

func andMore(n int) string {
	if n == 1 {
		return ", and 1 more finding"
	}
	return fmt.Sprintf(", and %d more findings", n)
}
