package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"dera.example/dera"
)

// Lease takes the sole right to write to the resource, for ttl. It returns
// ErrConflict when someone else holds it. A new holder gets a higher token; the
// same owner asking again keeps its token and gets a later end. Two goroutines
// that must not write at once therefore need different owners.
func (s *Store) Lease(ctx context.Context, resource, owner string, ttl time.Duration) (dera.Lease, error) {
	l := dera.Lease{Resource: resource, Owner: owner}
	err := s.once(ctx, func(ctx context.Context, tx transaction) error {
		now := s.now()
		var until int64
		err := tx.QueryRowContext(ctx, `INSERT INTO leases (resource, owner, token, until) VALUES ($1, $2, 1, $3)
			ON CONFLICT (resource) DO UPDATE SET
			  token = CASE WHEN leases.owner = excluded.owner AND leases.until > $4 THEN leases.token ELSE leases.token + 1 END,
			  owner = excluded.owner, until = excluded.until
			WHERE leases.owner = excluded.owner OR leases.until <= $4
			RETURNING token, until`, resource, owner, micros(now.Add(ttl)), micros(now)).Scan(&l.Token, &until)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("someone else holds it: %w", ErrConflict)
		}
		l.Until = fromMicros(until)
		return err
	})
	if err != nil {
		return dera.Lease{}, fmt.Errorf("lease %s: %w", resource, err)
	}
	return l, nil
}

// Renew lets a lease end ttl from now. One that is lost or over is ErrFenced, and stays so.
func (s *Store) Renew(ctx context.Context, l dera.Lease, ttl time.Duration) error {
	now := s.now()
	out, err := s.write.ExecContext(ctx, `UPDATE leases SET until = $1 WHERE resource = $2 AND owner = $3 AND token = $4 AND until > $5`,
		micros(now.Add(ttl)), l.Resource, l.Owner, l.Token, micros(now))
	if err != nil {
		return fmt.Errorf("renew lease of %s: %w", l.Resource, err)
	}
	if n, err := out.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return fmt.Errorf("renew lease of %s: %w", l.Resource, ErrFenced)
}

// Release gives the lease back. Releasing one that is lost is no error. The row
// stays, so that the next token is higher.
func (s *Store) Release(ctx context.Context, l dera.Lease) error {
	_, err := s.write.ExecContext(ctx, `UPDATE leases SET until = 0 WHERE resource = $1 AND owner = $2 AND token = $3`, l.Resource, l.Owner, l.Token)
	if err != nil {
		return fmt.Errorf("release lease of %s: %w", l.Resource, err)
	}
	return nil
}

// CheckLease returns for how long the lease is still held, or ErrFenced.
func (s *Store) CheckLease(ctx context.Context, l dera.Lease) (time.Duration, error) {
	now := s.now()
	stands := dera.Lease{Resource: l.Resource}
	var ends int64
	err := s.read.QueryRowContext(ctx, `SELECT owner, token, until FROM leases WHERE resource = $1`, l.Resource).Scan(&stands.Owner, &stands.Token, &ends)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("check lease: read lease of %s: %w", l.Resource, err)
	}
	stands.Until = fromMicros(ends)
	until, err := holds(stands, l, now)
	if err != nil {
		return 0, fmt.Errorf("check lease: %w", err)
	}
	return until.Sub(now), nil
}
