package main

import (
	"context"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
	ledger "dera.example/dera/usage"
)

// usedBy is the usage ledger as the port of resource types of principals.
type usedBy struct {
	*ledger.Ledger
	now func() time.Time
	// window is how long a principal must not have used something that counts as unused.
	window time.Duration
}

var _ resource.Ledger = usedBy{}

// latest is the later one of two times.
func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Used implements resource.Ledger. Of a principal that was never seen nothing is
// known but the gaps: whether it used nothing depends on them. The window ends where the
// record does, since log files come late. Of an account of which nothing is recorded
// there is no answer. A policy or group has no calls, only when it was last changed.
func (u usedBy) Used(ctx context.Context, account string, principals []string) (map[string]resource.Use, error) {
	to, err := u.Recorded(ctx, account)
	if err != nil || to.IsZero() {
		return nil, err
	}
	if now := u.now().UTC(); now.Before(to) {
		to = now
	}
	from := to.Add(-u.window)
	gaps, err := u.Gaps(ctx, ledger.Window{Account: account, From: from, To: to})
	if err != nil {
		return nil, err
	}
	var why []resource.Gap
	for _, g := range gaps {
		if gap := (resource.Gap{Kind: string(g.Kind), Why: g.Why}); !slices.Contains(why, gap) {
			why = append(why, gap)
		}
	}
	if resource.Stale(to, u.now()) {
		why = append(why, resource.Gap{Kind: string(ledger.GapHours), Why: "the record ends at " + to.Format(time.RFC3339) + ": of what was called since, nothing is known"})
	}
	granted, err := u.Granted(ctx, account)
	if err != nil {
		return nil, err
	}
	known, err := u.Activities(ctx, account, principals)
	if err != nil {
		return nil, err
	}
	out := map[string]resource.Use{}
	for _, name := range principals {
		act := known[name]
		use := resource.Use{From: from, To: to, Gaps: why, Seen: act.Last().Time(), SessionEnd: act.SessionEnd.Time()}
		if dera.ARN(name).Account() == account {
			use.Granted = latest(granted[ledger.GrantTarget(name)], granted[ledger.AnyTarget])
		}
		for _, a := range act.Uses {
			call := resource.Call{
				Source: a.Action.Source, Name: a.Action.Name, First: a.First.Time(), Last: a.Last.Time(),
				Count: a.Count, Denied: a.Denied, Resources: a.Resources, More: a.More,
			}
			switch call.LastDenied = a.LastDenied.Time(); {
			case a.Trust == ledger.Verified:
			case a.Count == 0:
				continue // what anyone could have written is no denial, and explains nothing
			default:
				call.Denied, call.LastDenied = 0, time.Time{}
			}
			use.Calls = append(use.Calls, call)
		}
		out[name] = use
	}
	return out, nil
}
