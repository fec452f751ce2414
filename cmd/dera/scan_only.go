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

// lookFor looks; with hold, what is decided auto and fits the filter of this scan is
// made ready. What the filter hides is decided as well, and nothing of it begins.
func (s *session) lookFor(ctx context.Context, ev dera.Event, hold bool) error {
	if !hold || !s.only.Set() {
		return s.engine.LookNow(ctx, ev, hold)
	}
	return s.engine.LookFor(ctx, ev, func(list []dera.Finding) bool {
		return !slices.ContainsFunc(list, func(f dera.Finding) bool { return !s.only.Fits(f) })
	})
}

// leftOut names the plans of which the filter shows a part: one plan is carried out
// as a whole or not at all.
func (s *session) leftOut(ctx context.Context) error {
	planned, err := s.store.RemediationsIn(ctx, dera.Planned)
	if err != nil {
		return err
	}
	for _, r := range planned {
		all, some, err := s.only.Plan(ctx, s.store, r)
		if err != nil {
			return err
		}
		if some && !all && s.ours(r.Plan.Account) {
			s.app.alert("dera: %s on %s is not carried out: it also fixes findings that the filter hides\n", r.ID, r.Plan.Resource.Name())
		}
	}
	return nil
}
