package engine

import (
	"context"
	"maps"
	"slices"

	"dera.example/dera"
	"dera.example/dera/store"
)

// began notes when each control of a type was first looked at in an account: its
// observation begins there (requirement O1). What this process knows to be noted
// it does not note again.
func (e *Engine) began(ctx context.Context, s dera.Scope) error {
	first := map[string]string{}
	for _, c := range e.cfg.Controls {
		name := store.LookedName(c.ID, s.Account)
		if _, noted := e.noted.Load(name); c.Type == s.Type && !noted {
			first[name] = store.Moment(e.cfg.Now())
		}
	}
	if len(first) == 0 {
		return nil
	}
	if err := e.cfg.Store.Commit(ctx, store.Batch{First: first}); err != nil {
		return err
	}
	for _, name := range slices.Collect(maps.Keys(first)) {
		e.noted.Store(name, true)
	}
	return nil
}
