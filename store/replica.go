package store

import (
	"context"
	"fmt"
	"time"
)

// Beat notes that a process lives, and returns how many do: those that noted it within ttl, this one included. What
// has been silent for ten times as long is forgotten. It is no state of the loop, and stands in no record.
func (s *Store) Beat(ctx context.Context, owner string, ttl time.Duration) (alive int, err error) {
	now := s.now()
	err = s.tx(ctx, func(ctx context.Context, tx transaction) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO replicas (owner, seen) VALUES ($1, $2)
			ON CONFLICT (owner) DO UPDATE SET seen = CASE WHEN excluded.seen > replicas.seen THEN excluded.seen ELSE replicas.seen END`, owner, micros(now)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM replicas WHERE seen < $1`, micros(now.Add(-10*ttl))); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT count(*) FROM replicas WHERE seen > $1 OR owner = $2`, micros(now.Add(-ttl)), owner).Scan(&alive)
	})
	if err != nil {
		return 0, fmt.Errorf("note that this process lives: %w", err)
	}
	return alive, nil
}

// Leave notes that a process ends.
func (s *Store) Leave(ctx context.Context, owner string) error {
	if _, err := s.write.ExecContext(ctx, `DELETE FROM replicas WHERE owner = $1`, owner); err != nil {
		return fmt.Errorf("note that this process ends: %w", err)
	}
	return nil
}
