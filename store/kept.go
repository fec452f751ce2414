package store

import (
	"context"
	"fmt"
	"time"
)

// KeptEvent is an event that could not be read: counted, kept for a person to
// look at, bounded in number and size. Body is redacted by the source.
type KeptEvent struct {
	ID     string    `json:"id"`
	At     time.Time `json:"at"`
	Source string    `json:"source"`
	Why    string    `json:"why"`
	Body   string    `json:"body"`
}

func (w writer) events(ctx context.Context, b Batch) error {
	for _, e := range b.Kept {
		if _, err := w.tx.ExecContext(ctx, `INSERT INTO kept_events (id, at, source, why, body) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING`,
			e.ID, micros(e.At), e.Source, e.Why, e.Body); err != nil {
			return fmt.Errorf("keep event: %w", err)
		}
	}
	if len(b.Kept) > 0 {
		if _, err := w.tx.ExecContext(ctx, `DELETE FROM kept_events WHERE id NOT IN (SELECT id FROM kept_events ORDER BY at DESC, id LIMIT $1)`, w.kept); err != nil {
			return fmt.Errorf("bound the kept events: %w", err)
		}
	}
	for name, n := range b.Counts {
		if _, err := w.tx.ExecContext(ctx, `INSERT INTO counters (name, n) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET n = counters.n + excluded.n`, name, n); err != nil {
			return fmt.Errorf("count %s: %w", name, err)
		}
	}
	return nil
}

// KeptEvents returns the kept events, the newest first.
func (s *Store) KeptEvents(ctx context.Context) ([]KeptEvent, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id, at, source, why, body FROM kept_events ORDER BY at DESC, id`)
	if err != nil {
		return nil, fmt.Errorf("read kept events: %w", err)
	}
	defer rows.Close()
	var out []KeptEvent
	for rows.Next() {
		var e KeptEvent
		var at int64
		if err := rows.Scan(&e.ID, &at, &e.Source, &e.Why, &e.Body); err != nil {
			return nil, fmt.Errorf("read kept events: %w", err)
		}
		e.At = fromMicros(at)
		out = append(out, e)
	}
	return out, rows.Err()
}

// Counters returns all counters.
func (s *Store) Counters(ctx context.Context) (map[string]int64, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT name, n FROM counters`)
	if err != nil {
		return nil, fmt.Errorf("read counters: %w", err)
	}
	defer rows.Close()
	out := map[string]int64{}
	for rows.Next() {
		var name string
		var n int64
		if err := rows.Scan(&name, &n); err != nil {
			return nil, fmt.Errorf("read counters: %w", err)
		}
		out[name] = n
	}
	return out, rows.Err()
}
