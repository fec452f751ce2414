package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/store"
)

// Expect notes everything that a sweep is to read, so that what it does not come to
// is known as unread.
func (e *Engine) Expect(ctx context.Context) error {
	var b store.Batch
	for _, s := range e.Scopes() {
		b.Expected = append(b.Expected, store.Place{Account: s.Account, Region: s.Region, Type: s.Type, Unread: e.cfg.Now()})
	}
	return e.commit(ctx, b)
}

// unread tells that a scope could not be read, and keeps it until it is read. It
// returns why, with what kept it from being kept.
func (e *Engine) unread(ctx context.Context, o order, scope dera.Scope, why error) error {
	e.cfg.Tell(News{What: "unread", Scope: &scope, Err: why})
	return errors.Join(why, e.keepUnread(ctx, o, scope, why))
}

// keepUnread keeps that a scope could not be read. Where the command ends, nobody
// knows whether it could.
func (e *Engine) keepUnread(ctx context.Context, o order, scope dera.Scope, why error) error {
	if ctx.Err() != nil || scope.Region == dera.EveryRegion {
		return nil
	}
	now := e.cfg.Now()
	p := store.Place{Account: scope.Account, Region: scope.Region, Type: scope.Type, Unread: now, Tried: now, Why: e.cfg.Unread(scope, why)}
	if scope.Sweep() {
		if o.Scope.Sweep() && o.Time.Before(now) {
			p.Unread = o.Time // the pages before this one were read since
		}
		return e.commit(ctx, store.Batch{Unread: []store.Place{p}})
	}
	var b store.Batch
	for _, id := range scope.IDs {
		p.Resource = id
		b.Unread = append(b.Unread, p)
	}
	return e.commit(ctx, b)
}

// wasRead is what a look read that went well: a resource, or with the last page of a
// sweep, all of its place. Without are the resources that get a look of their own.
func (e *Engine) wasRead(o order, next string, without []string) []store.PlaceRead {
	s := o.Scope
	r := store.PlaceRead{Account: s.Account, Region: s.Region, Type: s.Type, Since: o.Time, At: e.cfg.Now()}
	if o.Time.After(r.At) {
		r.Since = time.Time{} // an event's own time is hearsay
	}
	switch {
	case s.Sweep() && next != "":
		return nil
	case s.Sweep():
		return []store.PlaceRead{r}
	}
	for _, id := range s.IDs {
		if !slices.Contains(without, id) {
			r.Resources = append(r.Resources, id)
		}
	}
	if len(r.Resources) == 0 {
		return nil
	}
	return []store.PlaceRead{r}
}
