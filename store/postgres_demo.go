//go:build demo

package store

import (
	"context"
	"errors"
)

// openPostgres says no: the demo keeps what it does in SQLite, and its driver of
// PostgreSQL would take longer to compile than the demo runs.
func (s *Store) openPostgres(context.Context, string) error {
	return errors.New("PostgreSQL is not part of a dera that was built with the tag demo")
}

// postgresCode finds no answer of PostgreSQL.
func postgresCode(error) (code string, ok bool) { return "", false }

// postgresUnreached finds no connection to PostgreSQL.
func postgresUnreached(error) bool { return false }

// postgresPlace finds no connection to PostgreSQL.
func postgresPlace(error) (where string, cause error, ok bool) { return "", nil, false }

// remoteSession says no, as openPostgres does.
func (s *Store) remoteSession(ctx context.Context, f func(context.Context, session) error) error {
	return s.openPostgres(ctx, "")
}
