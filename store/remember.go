package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// rememberPrefix keeps what is remembered apart from the store's own entries.
const rememberPrefix = "remember/"

// Remember keeps a few words from one command for the next: under which
// configuration and exemption list the data was last worked on.
func (s *Store) Remember(ctx context.Context, values map[string]string) error {
	return s.tx(ctx, func(ctx context.Context, tx transaction) error {
		for _, name := range slices.Sorted(maps.Keys(values)) { // one order, so that two callers cannot block each other
			if _, err := tx.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
				rememberPrefix+name, values[name]); err != nil {
				return fmt.Errorf("remember %s: %w", name, err)
			}
		}
		return nil
	})
}

// Remembered returns what Remember kept under the name, or "".
func (s *Store) Remembered(ctx context.Context, name string) (string, error) {
	var value string
	err := s.read.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = $1`, rememberPrefix+name).Scan(&value)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("recall %s: %w", name, err)
	}
	return value, nil
}
