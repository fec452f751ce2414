package proof

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof/check"
	"dera.example/dera/iam/reason"
)

// The questions of dera/iam/reason, of which "proved" is said only where the
// independent checker says so too. What it cannot confirm is unknown, with the
// cause reason.Unchecked. What a person reads, or what leads to a change, comes
// from here.

// Subset is [reason.Subset], confirmed.
func Subset(ctx context.Context, fresh, known reason.Policies, cfg reason.Config) reason.Answer {
	a := reason.Subset(ctx, fresh, known, cfg)
	if a.Verdict != reason.Proved {
		return a
	}
	if err := check.Includes(fresh, known); err != nil {
		a.Verdict, a.Why, a.Detail = reason.Unknown, reason.Unchecked, unchecked(err)
	}
	return a
}

// Confirm returns the evidence as the independent checker has it: a claim that it
// cannot follow is not proved.
func (e Evidence) Confirm() Evidence {
	c := e.change
	old, fresh := slices.Concat(c.Old, c.Beside), slices.Concat(c.New, c.Beside)
	confirm := func(a reason.Answer, err error) reason.Answer {
		if err != nil && a.Verdict == reason.Proved {
			a.Verdict, a.Why, a.Detail = reason.Unknown, reason.Unchecked, unchecked(err)
		}
		return a
	}
	e.NothingNew = confirm(e.NothingNew, check.Includes(fresh, old))
	if e.NothingNewAlone != nil {
		alone := confirm(*e.NothingNewAlone, check.Includes(c.New, c.Old))
		e.NothingNewAlone = &alone
	}
	if e.NothingLost != nil {
		lost := confirm(*e.NothingLost, check.Keeps(old, fresh, c.Kept))
		e.NothingLost = &lost
	}
	if e.Gone != nil && len(c.Removed) > 0 {
		gone := confirm(*e.Gone, check.Without(fresh, c.Removed))
		e.Gone = &gone
	}
	return e
}

// Equivalent is [reason.Equivalent], confirmed.
func Equivalent(ctx context.Context, a, b reason.Policies, cfg reason.Config) reason.Equivalence {
	return reason.Both(Subset(ctx, a, b, cfg), Subset(ctx, b, a, cfg))
}

// Public is [reason.Public], confirmed.
func Public(ctx context.Context, policies reason.Policies, cfg reason.Config) reason.Exposure {
	return confirmed(reason.Public(ctx, policies, cfg), policies, check.Trust{Owner: cfg.Owner})
}

// PublicOn is [reason.PublicOn], confirmed.
func PublicOn(ctx context.Context, policies reason.Policies, actions, resources []string, cfg reason.Config) reason.Exposure {
	return confirmed(reason.PublicOn(ctx, policies, actions, resources, cfg), policies,
		check.Trust{Owner: cfg.Owner, Actions: actions, Resources: resources})
}

// External is [reason.External], confirmed.
func External(ctx context.Context, policies reason.Policies, zone reason.Zone, cfg reason.Config) reason.Exposure {
	return confirmed(reason.External(ctx, policies, zone, cfg), policies, check.Trust{
		Zoned: true, Owner: cfg.Owner,
		Accounts: zone.Accounts, Organizations: zone.Organizations, Principals: zone.Principals,
	})
}

// confirmed asks the checker about what nobody is said to get by.
func confirmed(found reason.Exposure, policies reason.Policies, t check.Trust) reason.Exposure {
	if found.Verdict != reason.Proved {
		return found
	}
	var open *check.OpenError
	if err := check.Closed([]*policy.Document(policies), t); errors.As(err, &open) {
		found.Verdict = reason.Unknown
		at := reason.Ref{Document: open.Document, Statement: open.Statement, Sid: policies[open.Document].Statements[open.Statement].Sid}
		found.Unsure = append(found.Unsure, reason.Doubt{Statement: at, Why: reason.Unchecked, Detail: unchecked(err)})
	}
	return found
}

func unchecked(err error) string {
	return fmt.Sprintf("it is proved, and the independent checker does not confirm it: %v", err)
}
