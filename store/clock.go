package store

import (
	"context"
	"fmt"
	"time"
)

// Ahead is by how much the clock of the database is later than this process's, to about the time that a round trip
// takes. Of SQLite, which has none of its own, it is 0.
func (s *Store) Ahead(ctx context.Context) (time.Duration, error) {
	if s.dialect.time == "" {
		return 0, nil
	}
	before := s.now()
	var there int64
	if err := s.read.QueryRowContext(ctx, s.dialect.time).Scan(&there); err != nil {
		return 0, fmt.Errorf("ask the database for the time: %w", err)
	}
	after := s.now()
	return fromMicros(there).Sub(before.Add(after.Sub(before) / 2)), nil
}
