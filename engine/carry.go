package engine

import (
	"context"
	"errors"

	"dera.example/dera"
	"dera.example/dera/remediate"
	"dera.example/dera/store"
)

// runRemediate carries one remediation on.
func (e *Engine) runRemediate(ctx context.Context, j dera.Job) error {
	_, err := e.Carry(ctx, j.Key)
	if errors.Is(err, store.ErrNotFound) {
		return errors.Join(e.cfg.Store.Commit(ctx, store.Batch{Done: []dera.Job{j}}))
	}
	if err != nil {
		e.holdsUp(ctx, j.Key, err)
		return err
	}
	return e.cfg.Store.Commit(ctx, store.Batch{Done: []dera.Job{j}})
}

// Carry runs one remediation now, in the caller's goroutine.
func (e *Engine) Carry(ctx context.Context, id string) (dera.Remediation, error) {
	if r, err := e.order(ctx, id); err != nil {
		return r, err
	}
	return e.runner.Run(ctx, id)
}

// order returns the remediation that an order is about, or why it must not be.
func (e *Engine) order(ctx context.Context, id string) (dera.Remediation, error) {
	r, err := e.cfg.Store.Remediation(ctx, id)
	if err == nil {
		err = e.configured(r.Plan.Account)
	}
	return r, err
}

// configured refuses what concerns an account that is not covered: an answer
// from elsewhere says nothing about it.
func (e *Engine) configured(account string) error {
	if _, ok := e.accounts[account]; ok {
		return nil
	}
	return refused("account %s is not in the configuration in force, so nothing is read or written there; name the configuration that has it with --config", account)
}

// Rollback takes a remediation back, or refuses with a remediate.RefusedError.
func (e *Engine) Rollback(ctx context.Context, id string, req remediate.Request) (dera.Remediation, error) {
	if r, err := e.order(ctx, id); err != nil {
		return r, err
	}
	return e.runner.Rollback(ctx, id, req)
}
