package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// rememberPrefix keeps what is remembered apart from the store's own entries.
const rememberPrefix = "remember/"

// Remember keeps a few words from one command for the next: under which
// configuration and exemption list the data was last worked on.
func (s *Store) Remember(ctx context.Context, values map[string]string) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		for name, value := range values {
			if _, err := tx.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
				rememberPrefix+name, value); err != nil {
				return fmt.Errorf("remember %s: %w", name, err)
			}
		}
		return nil
	})
}

// Remembered returns what Remember kept under the name, or "".
func (s *Store) Remembered(ctx context.Context, name string) (string, error) {
	v, err := meta(ctx, s.read, rememberPrefix+name)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("recall %s: %w", name, err)
	}
	return v, nil
}
