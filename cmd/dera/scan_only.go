package main

import (
	"context"
	"slices"

	"dera.example/dera"
)

// fits reports whether everything that a remediation changes is within the filter
// of this scan.
func (s *session) fits(ctx context.Context, r dera.Remediation) (bool, error) {
	all, _, err := s.only.Plan(ctx, s.store, r)
	return all, err
}

// begin makes ready what is planned and fits the filter. The look that does so
// would begin with any plan of its resource: a resource of which one plan does not
// fit is left to people, and named. seen has the plans of earlier rounds.
func (s *session) begin(ctx context.Context, seen map[string]bool) error {
	planned, err := s.store.RemediationsIn(ctx, dera.Planned)
	if err != nil {
		return err
	}
	planned = slices.DeleteFunc(planned, func(r dera.Remediation) bool { return !s.ours(r.Plan.Account) })
	type fit struct{ all, some bool }
	resources := map[string]fit{}
	for _, r := range planned {
		all, some, err := s.only.Plan(ctx, s.store, r)
		if err != nil {
			return err
		}
		was, known := resources[r.ResourceKey()]
		resources[r.ResourceKey()] = fit{all && (was.all || !known), some || was.some}
	}
	for _, r := range planned {
		f := resources[r.ResourceKey()]
		if seen[r.ID] || !f.some {
			continue
		}
		seen[r.ID] = true
		if !f.all {
			s.app.alert("dera: %s on %s is not carried out: plans for this resource also fix findings that the filter hides\n", r.ID, r.Plan.Resource.Name())
			continue
		}
		ev := lookAt(r, s.app.now())
		ev.Source = r.Trigger
		if err := s.engine.LookNow(ctx, ev, true); err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}
