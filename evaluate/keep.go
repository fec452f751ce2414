package evaluate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"dera.example/dera"
)

// Keep is a reviewed entry of the exemption list: some principals keep some actions
// until it expires, although they hardly ever use them. Owner, reason and expiry are
// mandatory.
type Keep struct {
	ID         string                `json:"id"`
	Principals []string              `json:"principals"` // ARN globs
	Actions    []string              `json:"actions"`    // globs
	Owner      string                `json:"owner"`
	Reason     string                `json:"reason"`
	Expires    time.Time             `json:"expires"`
	Position   dera.ExemptionFilePos `json:"-"`
}

// Kept sends to review what would take kept actions from one of their principals. Plans
// that are made by the list leave them in place; this holds also for an entry that was
// added since, and for whatever else takes permissions.
type Kept struct{ List *Exempted }

// Name implements Guardrail.
func (Kept) Name() string { return "keep" }

// Check implements Guardrail.
func (g Kept) Check(_ context.Context, c Case) (dera.Reason, error) {
	principals, none := c.losing()
	if none != "" {
		return pass("%s", none), nil
	}
	list, err := g.List.Keep()
	if err != nil {
		return dera.Reason{}, fmt.Errorf("the exemption list cannot be read: %w", err)
	}
	for _, k := range list {
		kept := meeting(c.taken(), k.Actions)
		for _, p := range principals {
			if len(kept) > 0 && IsPrincipal(k.Principals, p.ARN) {
				r := review("%s keeps %s until %s: %s (owner %s)", p.ARN, someOf(kept), k.Expires.UTC().Format(time.DateOnly), k.Reason, k.Owner)
				r.Ref = k.ID + "@" + k.Position.Commit
				return r, nil
			}
		}
	}
	return pass("no entry of keep names a permission that it takes"), nil
}

// Keep returns the entries of keep that are in force, of the file as it is now; none
// where there is no list.
func (g *Exempted) Keep() ([]Keep, error) {
	if g.path == "" {
		return nil, nil
	}
	list, err := g.load()
	if err != nil {
		return nil, readable(err)
	}
	return list.Keep(g.now()), nil
}

// Keep returns the entries of keep that have not lapsed at a time.
func (e *Exemptions) Keep(now time.Time) (out []Keep) {
	for _, k := range e.keep {
		if !now.After(k.Expires) {
			out = append(out, k)
		}
	}
	return out
}

// AllKeep returns every entry of keep in the order of the file, expired ones included.
func (e *Exemptions) AllKeep() []Keep { return append([]Keep(nil), e.keep...) }

// readable is the first line of an error: the rest quotes the file.
func readable(err error) error {
	first, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(first)
}
