package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/store"
)

// accesses tells what was asked to be given back, from the database.
type accesses struct {
	store *store.Store
	now   func() time.Time
}

var _ resource.Accesses = accesses{}

// Asked implements resource.Accesses.
func (x accesses) Asked(ctx context.Context, at dera.Scope) (map[string][]resource.Asked, error) {
	list, err := x.store.AccessesIn(ctx, at.Account, at.Type)
	if err != nil {
		return nil, err
	}
	out := map[string][]resource.Asked{}
	for _, a := range list {
		if a.Partition != at.Partition || a.End != nil && a.End.State != dera.AccessLeft {
			continue
		}
		state, grant, err := x.store.AccessState(ctx, a, x.now())
		one := resource.Asked{Access: a, State: state}
		if errors.Is(err, store.ErrTorn) { // of the others all is known
			one.Unknown = "its remediation cannot be read"
			out[a.Name] = append(out[a.Name], one)
			continue
		}
		if err != nil {
			return nil, err
		}
		switch state {
		case dera.AccessAsked:
			for _, id := range a.Took {
				r, err := x.store.Remediation(ctx, id)
				if errors.Is(err, store.ErrTorn) {
					one.Missing = id + ", which took some of it, cannot be read"
					continue
				}
				if err != nil {
					return nil, fmt.Errorf("read what took the actions of %s: %w", a.ID, err)
				}
				if !r.InEffect() {
					one.Missing = fmt.Sprintf("%s, which took some of it, is %s, so that it is there again, or does not fit any more", id, r.State)
				}
				one.Plans = append(one.Plans, resource.TookBy{Remediation: id, At: r.CreatedAt, Changes: r.Plan.Changes})
			}
		case dera.AccessGranted:
			if grant.AccessOf() == a.ID { // else it says nothing of this one
				one.Given = grant.Plan.Changes
			}
		case dera.AccessLeft:
		case dera.AccessDenied, dera.AccessUnanswered, dera.AccessEnded:
			continue
		}
		out[a.Name] = append(out[a.Name], one)
	}
	return out, nil
}
