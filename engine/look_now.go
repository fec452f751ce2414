package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"dera.example/dera"
	"dera.example/dera/store"
)

// LookNow looks at a scope and, of a sweep, at all its pages and at what was not
// seen, in the caller's goroutine. It starts nothing automatically; with hold, what
// is decided auto is made ready for the caller to Carry (its job is due a minute
// later, in case the caller does not get to it).
func (e *Engine) LookNow(ctx context.Context, ev dera.Event, hold bool) error {
	return e.lookNow(ctx, order{request: request{Event: ev}, act: hold, hold: hold})
}

// LookFor is LookNow with hold for the groups of findings that only says yes to.
// Others on the same resources are decided, and nothing of them begins.
func (e *Engine) LookFor(ctx context.Context, ev dera.Event, only func([]dera.Finding) bool) error {
	return e.lookNow(ctx, order{request: request{Event: ev}, act: true, hold: true, only: only})
}

func (e *Engine) lookNow(ctx context.Context, o order) error {
	ev := o.Event
	if err := e.configured(ev.Scope.Account); err != nil {
		return err
	}
	todo := []request{{Event: ev}}
	var errs []error
	for len(todo) > 0 {
		first := slices.MinFunc(todo, func(a, b request) int { return a.Due.Compare(b.Due) })
		if err := e.wait(ctx, first.Due); err != nil {
			return errors.Join(append(errs, err)...)
		}
		i := slices.IndexFunc(todo, func(r request) bool { return r.Due.Equal(first.Due) })
		req := todo[i]
		todo = slices.Delete(todo, i, i+1)
		o.request = req
		err := e.look(ctx, o, func(next []request, _ *store.Batch) error {
			for _, r := range next {
				if r.Tries > lookNowTries {
					err := fmt.Errorf("look at %v: they keep changing, so nothing of them is resolved", r.Scope.IDs)
					errs = append(errs, e.unread(ctx, order{request: r}, r.Scope, err))
					continue
				}
				todo = append(todo, r)
			}
			return nil
		})
		errs = append(errs, err)
	}
	return errors.Join(append(errs, ctx.Err())...)
}

// lookNowTries is how often LookNow reads a resource again that keeps changing.
const lookNowTries = 3
