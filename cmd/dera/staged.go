package main

import (
	"context"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/store"
)

// ownStages tells what dera staged lately, and what that denied, from its database.
type ownStages struct {
	store *store.Store
	now   func() time.Time
}

var _ resource.Stages = ownStages{}

// Staged implements resource.Stages. A remediation that is under way counts from when it began.
func (o ownStages) Staged(ctx context.Context, at dera.Scope) (map[dera.ARN]resource.Stage, error) {
	list, err := o.store.Lasting(ctx, dera.ResourceKey(at.Partition, at.Account, at.Region, dera.ARN("arn:")), o.now().Add(-longestWait))
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
		out[r.Plan.Resource] = st
	}
	return out, nil
}
