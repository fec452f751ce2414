package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
)

//go:embed migrations
var migrations embed.FS

// prepare brings the schema up to date and holds the key against the one that
// the database was made with. In the common case it only reads.
func (s *Store) prepare(ctx context.Context) error {
	steps, err := fs.Glob(migrations, "migrations/"+s.dialect.name+"/*.sql")
	if err != nil {
		return err
	}
	version, err := s.inspect(ctx, s.read, len(steps))
	if err != nil || version == len(steps) {
		return err
	}
	// One transaction for all steps: whoever opens the database at the same time
	// waits and then finds it done, and a crash leaves the old version.
	return s.tx(ctx, func(ctx context.Context, tx transaction) error {
		if err := s.lock(ctx, tx); err != nil {
			return err
		}
		version, err := s.inspect(ctx, tx, len(steps))
		if err != nil || version == len(steps) {
			return err
		}
		for i, name := range steps[version:] {
			text, err := migrations.ReadFile(name)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, string(text)); err != nil {
				return fmt.Errorf("bring the schema to version %d: %w", version+i+1, err)
			}
		}
		if s.keyCheck() == "" { // what is made or brought up to date is so with its key
			return errors.New("bring the schema up to date: the vault is closed")
		}
		for name, value := range map[string]string{"schema": strconv.Itoa(len(steps)), "key": s.keyCheck()} {
			if _, err := tx.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value); err != nil {
				return fmt.Errorf("note the version of the schema: %w", err)
			}
		}
		return nil
	})
}

// current returns ErrSchema unless the schema is that of this version.
func (s *Store) current(ctx context.Context) error {
	steps, err := fs.Glob(migrations, "migrations/"+s.dialect.name+"/*.sql")
	if err != nil {
		return err
	}
	version, err := s.inspect(ctx, s.read, len(steps))
	if err == nil && version == 0 {
		return fmt.Errorf("%w: %w", ErrSchema, ErrEmpty)
	}
	if err == nil && version != len(steps) {
		err = fmt.Errorf("version %d of %d: %w", version, len(steps), ErrSchema)
	}
	return err
}

// inspect returns the version of the schema, 0 for an empty database.
func (s *Store) inspect(ctx context.Context, q queryer, newest int) (int, error) {
	var has int
	if err := q.QueryRowContext(ctx, s.dialect.hasMeta).Scan(&has); err != nil {
		return 0, fmt.Errorf("read the version of the schema: %w", err)
	}
	if has == 0 {
		return 0, nil
	}
	text, err := meta(ctx, q, "schema")
	if err != nil {
		return 0, err
	}
	version, err := strconv.Atoi(text)
	switch {
	case err != nil || version < 1:
		return 0, fmt.Errorf("the database has a table meta that is not dera's: its schema version is %q", text)
	case version > newest:
		return 0, fmt.Errorf("%w: its schema has version %d, this one knows %d", ErrSchema, version, newest)
	}
	key, err := meta(ctx, q, "key")
	if check := s.keyCheck(); err == nil && check != "" && key != check { // none of a vault that stays closed
		err = ErrKey
	}
	return version, err
}

// keyCheck tells keys apart and tells nothing about them.
func (s *Store) keyCheck() string { return s.sealer.Commit([]byte("dera store key")) }

func meta(ctx context.Context, q queryer, name string) (string, error) {
	var value string
	err := q.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = $1`, name).Scan(&value)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read the version of the schema: %w", err)
	}
	return value, nil
}

// lock keeps other commits out until the transaction ends.
func (s *Store) lock(ctx context.Context, tx transaction) error {
	if s.dialect.lock == "" {
		return nil
	}
	if _, err := tx.ExecContext(ctx, s.dialect.lock); err != nil {
		return fmt.Errorf("wait for other commits: %w", err)
	}
	return nil
}
