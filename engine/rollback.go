package engine

import (
	"context"
	"errors"

	"dera.example/dera"
	"dera.example/dera/remediate"
	"dera.example/dera/store"
)

// RolledBack is how one rollback of several ended: where the remediation stands then, and
// why it was refused or could not be done, if it was not.
type RolledBack struct {
	Remediation dera.Remediation
	Err         error
}

// Done reports whether nothing of the remediation is left in place.
func (r RolledBack) Done() bool {
	return r.Err == nil && r.Remediation.State == dera.RolledBack && !r.Remediation.InPart()
}

// RollbackAll rolls remediations back, in the order given, each exactly as Rollback does. One
// that is refused, or fails, keeps none of the others; one that is rolled back already counts
// as done, so that an interrupted run can be repeated. before, if set, prepares each, and its
// error refuses it. The error is that of ctx alone: the rest was not begun then.
func (e *Engine) RollbackAll(ctx context.Context, ids []string, req remediate.Request, before func(context.Context, dera.Remediation) error) (out []RolledBack, err error) {
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		r, err := e.cfg.Store.Remediation(ctx, id)
		r.ID = id
		if err == nil && before != nil && r.State != dera.RolledBack {
			err = before(ctx, r)
		}
		if err == nil {
			r, err = e.cfg.Store.Remediation(ctx, id) // what was half-done may have ended
		}
		if err == nil && r.State != dera.RolledBack {
			r, err = e.Rollback(ctx, id, req)
		}
		if errors.Is(err, store.ErrTorn) {
			r = dera.Remediation{ID: id}
		}
		out = append(out, RolledBack{r, err})
	}
	return out, nil
}
