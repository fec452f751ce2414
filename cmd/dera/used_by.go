package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"dera.example/dera/resource"
	ledger "dera.example/dera/usage"
)

// usedWindow is how long a principal must not have used something that counts as
// unused.
const usedWindow = 90 * 24 * time.Hour

// usedBy is the usage ledger as the port of resource types of principals.
type usedBy struct {
	*ledger.Ledger
	now func() time.Time
}

var _ resource.Ledger = usedBy{}

// Used implements resource.Ledger. Of a principal that was never seen nothing is
// known but the gaps: whether it used nothing depends on them.
func (u usedBy) Used(ctx context.Context, account string, principals []string) (map[string]resource.Use, error) {
	to := u.now().UTC()
	from := to.Add(-usedWindow)
	gaps, err := u.Gaps(ctx, ledger.Window{Account: account, From: from, To: to})
	if err != nil {
		return nil, err
	}
	var why []string
	for _, g := range gaps {
		if text := string(g.Kind) + ": " + g.Why; !slices.Contains(why, text) {
			why = append(why, text)
		}
	}
	out := map[string]resource.Use{}
	for _, arn := range principals {
		act, err := u.Principal(ctx, arn)
		if err != nil && !errors.Is(err, ledger.ErrUnknown) {
			return nil, err
		}
		use := resource.Use{From: from, To: to, Gaps: why, Last: map[string]time.Time{}}
		for _, a := range act.Uses {
			if last := a.Last.Time(); a.Last != 0 && last.After(use.Last[a.Action.String()]) {
				use.Last[a.Action.String()] = last
			}
		}
		out[arn] = use
	}
	return out, nil
}
