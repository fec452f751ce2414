package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dera.example/dera/audit"
	"dera.example/dera/store"
)

// Log signs checkpoints of the audit log and refuses to go on where the log and
// what was signed of it disagree.
type Log struct {
	Store *store.Store
	Key   audit.Signer
	// PublicKey is the verifier key text of Key.
	PublicKey string
	Now       func() time.Time
}

// held is the newest checkpoint that was signed, or nil.
func (l Log) held(ctx context.Context) (*audit.Checkpoint, error) {
	_, note, err := l.Store.LastCheckpoint(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c, err := audit.OpenCheckpoint([]byte(note), l.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("open the last checkpoint: %w", err)
	}
	return &c, nil
}

// Check returns an error if the stored log does not contain what was signed of
// it: someone changed it, or part of it is lost. An engine does not start then.
func (l Log) Check(ctx context.Context) error {
	c, err := l.held(ctx)
	if err != nil || c == nil {
		return err
	}
	if _, err := audit.Head(ctx, l.Store, l.Key.Name(), c, l.Now()); err != nil {
		return fmt.Errorf("the audit log and its last checkpoint disagree, so nothing is started: %w", err)
	}
	return nil
}

// Sign makes, signs and keeps a checkpoint of everything in the log, and returns
// the signed note.
func (l Log) Sign(ctx context.Context) ([]byte, error) {
	held, err := l.held(ctx)
	if err != nil {
		return nil, err
	}
	c, err := audit.Head(ctx, l.Store, l.Key.Name(), held, l.Now())
	if err != nil {
		return nil, err
	}
	signed, err := c.Sign(l.Key)
	if err != nil {
		return nil, err
	}
	if err := l.Store.SaveCheckpoint(ctx, c.Size, string(signed)); err != nil {
		return nil, err
	}
	return signed, nil
}
