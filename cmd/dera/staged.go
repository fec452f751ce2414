package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/store"
)

// ownStages tells what dera staged, and what that denied, from its database. Days is for how
// long denials are looked for after a change; 0 is not at all.
type ownStages struct {
	store *store.Store
	now   func() time.Time
	days  int
}

var _ resource.Stages = ownStages{}

// Staged implements resource.Stages. A remediation that is under way counts from when it began.
// However long ago it was made: what it denied then must not be forgotten.
func (o ownStages) Staged(ctx context.Context, at dera.Scope) (map[dera.ARN]resource.Stage, error) {
	prefix := dera.ResourceKey(at.Partition, at.Account, at.Region, dera.ARN("arn:"))
	list, err := o.store.Lasting(ctx, prefix, time.Time{})
	if errors.Is(err, store.ErrTorn) { // an old one that cannot be read hides no new one
		list, err = o.store.Lasting(ctx, prefix, o.now().Add(-longestWait))
	}
	if err != nil {
		return nil, err
	}
	for _, state := range []dera.State{dera.Applying, dera.Verifying} {
		under, err := o.store.RemediationsIn(ctx, state)
		if err != nil {
			return nil, err
		}
		list = append(list, under...)
	}
	out := map[dera.ARN]resource.Stage{}
	for _, r := range list {
		if r.Plan.Type != at.Type || r.Plan.Account != at.Account || !r.Plan.Stages() {
			continue
		}
		st := out[r.Plan.Resource]
		for _, s := range r.Steps { // its changes are done when it verifies
			if (s.State == dera.Verifying || s.State == dera.Applying) && s.At.After(st.At) {
				st.At = s.At
			}
		}
		denials, err := o.store.DenialsOf(ctx, r.ID)
		if err != nil {
			return nil, err
		}
		for _, d := range denials {
			if d.Cause != dera.CauseOther {
				st.Missed = d.Text()
			}
		}
		for _, p := range r.Principals {
			if !slices.Contains(st.From, p) {
				st.From = append(st.From, p)
			}
		}
		out[r.Plan.Resource] = st
	}
	for arn, st := range out {
		if st.Missed == "" {
			st.Missed = o.unwatched(st.At)
			out[arn] = st
		}
	}
	return out, nil
}

// unwatched says why something may have been denied since a moment that nobody looked for; ""
// is that all of it is known.
func (o ownStages) unwatched(since time.Time) string {
	if o.days == 0 {
		return "denials are not looked for (permissions.watch_days is 0)"
	}
	if days := max(o.days, dera.StageWatch); o.now().Sub(since) > time.Duration(days)*24*time.Hour {
		return fmt.Sprintf("denials were looked for only in the %d days after %s", days, since.UTC().Format(time.DateOnly))
	}
	return ""
}
