package evaluate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// NewGrant sends to review what takes permissions from a principal that is new, or
// whose permissions were changed lately: nobody can have used them yet. Of a policy
// that is no resource of its own, of attachments and of memberships IAM keeps no date:
// there it goes by what dera took and what it saw.
type NewGrant struct {
	Now func() time.Time
	// Days is how long a grant is new; 0 means 14.
	Days int
	// Looks tells since when a control looks at an account; nil where nobody knows.
	Looks LookLedger
}

// Name implements Guardrail.
func (NewGrant) Name() string { return "new-grant" }

// Check implements Guardrail.
func (g NewGrant) Check(ctx context.Context, c Case) (dera.Reason, error) {
	principals, none := c.losing()
	if none != "" {
		return pass("%s", none), nil
	}
	within := orDefault(g.Days, 14)
	for _, p := range principals {
		if why, at := newest(p); !at.IsZero() && g.Now().Sub(at) < days(within) {
			return review("%s %s at %s, less than %s ago", p.ARN, why, minute(at), count(within, "day")), nil
		}
	}
	if r, ok := givenBack(c); ok {
		return r, nil
	}
	if r, at := grantedHere(c); !at.IsZero() && g.Now().Sub(at) < days(within) {
		return review("dera added to it at %s (%s, for %s), less than %s ago", minute(at), r.ID, r.Control, count(within, "day")), nil
	}
	if n := len(c.Finding.Returns); n > 0 && g.Now().Sub(c.Finding.Returns[n-1]) < days(within) {
		return review("it came back at %s after dera fixed it, less than %s ago: somebody may have granted that on purpose", minute(c.Finding.Returns[n-1]), count(within, "day")), nil
	}
	if c.Stops {
		if r, err := g.madeActive(ctx, c, principals); err != nil || r.Disposition > dera.Auto {
			return r, err
		}
	}
	for _, p := range principals {
		if end, ok := g.seenSince(c.Finding, p.Use); ok && !c.Stops {
			return review("what was granted to %s since its record ended at %s is not known, and this was not seen before", p.ARN, minute(end)), nil
		}
	}
	return pass("nothing was granted within %s", count(within, "day")), nil
}

// madeActive sends to review what stops a principal where somebody made active lately what
// was not used for long: as a call tells, or since it was not found while nobody used it,
// although the control looked.
func (g NewGrant) madeActive(ctx context.Context, c Case, principals []resource.Principal) (dera.Reason, error) {
	f, within := c.Finding, orDefault(g.Days, 14)
	if !f.LastChange.IsZero() && g.Now().Sub(f.LastChange) < days(within) {
		return review("%s changed it at %s, less than %s ago: somebody may be about to use it", f.LastActor, minute(f.LastChange), count(within, "day")), nil
	}
	since := g.Now().Sub(f.FirstSeen)
	if g.Looks == nil || f.FirstSeen.IsZero() || since >= days(within) {
		return dera.Reason{}, nil
	}
	first, err := g.Looks.FirstLook(ctx, f.Control, f.Account)
	if err != nil {
		return dera.Reason{}, fmt.Errorf("when %s was first looked at in account %s: %w", f.Control, f.Account, err)
	}
	for _, p := range principals {
		late := p.Idle - int(since/days(1)) - p.IdleFrom // so many days after it was due
		if p.IdleFrom > 0 && late > 2 && !first.IsZero() && f.FirstSeen.Sub(first) > days(2) {
			return review("it was found only at %s, %s after it counted as unused: somebody may have made it active", minute(f.FirstSeen), count(late, "day")), nil
		}
	}
	return dera.Reason{}, nil
}

// givenBack is the answer where dera took some of the permissions before and they are
// there again: a person gave them back, however long ago.
func givenBack(c Case) (dera.Reason, bool) {
	for _, r := range c.Earlier {
		if r.Control != c.Finding.Control || r.State != dera.Resolved && r.State != dera.Collateral && r.State != dera.UndoFailed {
			continue
		}
		stages := c.Finding.Key == dera.StagedKey && r.Plan.Stages()
		if c.Stops {
			why := review("dera took it before (%s) and it is there again: somebody gave it back", r.ID)
			why.Ref = r.ID
			return why, true
		}
		for _, e := range r.Covers {
			if stages && e.Key != dera.StagedKey {
				continue // it denies that still
			}
			if again := meeting(c.Finding.Permissions, e.Permissions); again != nil {
				why := review("dera took %s before (%s) and it is there again: somebody gave it back", someOf(again), r.ID)
				why.Ref = r.ID
				return why, true
			}
		}
	}
	return dera.Reason{}, false
}

// grantedHere is the last remediation by which dera itself added something to the
// resource, for another control, and when: a record that is imported every hour does not
// tell of it yet.
func grantedHere(c Case) (last dera.Remediation, at time.Time) {
	adds := func(ch dera.Change) bool {
		return slices.ContainsFunc(ch.Diff, func(line string) bool { return strings.HasPrefix(line, "+") })
	}
	for _, r := range c.Earlier {
		done := r.State == dera.Resolved || r.State == dera.Collateral || r.State == dera.Verifying || r.State == dera.UndoFailed
		if !done || r.Control == c.Finding.Control || len(r.Steps) == 0 || !slices.ContainsFunc(r.Plan.Changes, adds) {
			continue
		}
		if end := r.Steps[len(r.Steps)-1].At; end.After(at) {
			last, at = r, end
		}
	}
	return last, at
}

// seenSince reports whether the finding was first seen after the record ended, at end, so
// that the record cannot tell of the grant: with more permissions than at the look
// before, or altogether where the record ends longer ago than resource.RecordLag.
func (g NewGrant) seenSince(f dera.Finding, u *resource.Use) (end time.Time, ok bool) {
	if u == nil {
		return end, false // usage-record answers that
	}
	return u.To, f.Widened.After(u.To) || f.FirstSeen.After(u.To) && g.Now().Sub(u.To) > resource.RecordLag
}

// newest is the last time at which a principal got permissions, as far as is known.
func newest(p resource.Principal) (why string, at time.Time) {
	why, at = "was made", p.Created
	if p.Granted.After(at) {
		why, at = "got permissions", p.Granted
	}
	if p.Use != nil && p.Use.Granted.After(at) {
		why, at = "got permissions by a recorded call", p.Use.Granted
	}
	return why, at
}
