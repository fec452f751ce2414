package main

import (
	"context"
	"errors"
	"time"

	"dera.example/dera"
	"dera.example/dera/remediate"
)

// awaited runs a remediation on while a custom fix of it, or its undo, has not ended: r and
// err are what came of it so far. Whoever stops waiting leaves the rest to dera run.
func (s *session) awaited(ctx context.Context, r dera.Remediation, err error) (dera.Remediation, error) {
	var later *remediate.LaterError
	for said := false; errors.As(err, &later) && r.Plan.Custom() && r.State != dera.Ready; said = true {
		if !said {
			s.app.note("dera: %s; dera waits for it, and after Ctrl-C dera run does\n", later.Why)
		}
		t := time.NewTimer(later.At.Sub(s.app.now()))
		select {
		case <-ctx.Done():
			t.Stop()
			return r, errors.Join(err, ctx.Err())
		case <-t.C:
		}
		r, err = s.engine.Carry(ctx, r.ID)
	}
	return r, err
}
