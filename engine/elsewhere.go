package engine

import (
	"context"
	"fmt"

	"dera.example/dera"
	"dera.example/dera/remediate"
	"dera.example/dera/store"
)

// elsewhereTries is how often a look at what this process does not cover is left to others: about eight minutes in all.
const elsewhereTries = 10

// elsewhere ends a look at what this process does not cover. Where other processes work on the same database they may
// cover it, since a configuration is changed in one after the other: the look is theirs then, and is ended only when
// none of them took it.
func (e *Engine) elsewhere(ctx context.Context, j dera.Job, s dera.Scope) error {
	if e.cfg.Others != nil && e.cfg.Others() && j.Attempts < elsewhereTries {
		return &remediate.LaterError{
			At: e.cfg.Now().Add(backoff(j.Attempts)), Expected: true,
			Why: fmt.Sprintf("%s in %s %s is not in the configuration of this process, and is left to the others", s.Type, s.Account, s.Region),
		}
	}
	return e.cfg.Store.Commit(ctx, store.Batch{Done: []dera.Job{j}, Counts: map[string]int64{"events_foreign": 1}})
}
