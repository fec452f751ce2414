package store

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// KeptEvent is an event that could not be read: counted, kept for a person to
// look at, bounded in number and size. Body is redacted by the source as far as
// it can, and lies encrypted in the database.
type KeptEvent struct {
	ID     string    `json:"id"`
	At     time.Time `json:"at"`
	Source string    `json:"source"`
	Why    string    `json:"why"`
	Body   string    `json:"body"`
}

// What is kept of an event, in bytes.
const (
	maxKeptText = 1 << 10
	maxKeptBody = 1 << 16
)

// clean makes foreign text fit a text column: what could not be read may be
// anything, and must not keep the batch from being committed.
func clean(text string) string { return cleanTo(text, maxKeptText) }

func cleanTo(text string, most int) string {
	text = text[:min(len(text), most)]
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
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
		var body []byte
		if err := rows.Scan(&e.ID, &at, &e.Source, &e.Why, &body); err != nil {
			return nil, fmt.Errorf("read kept events: %w", err)
		}
		plain, err := s.sealer.Open("kept/"+e.ID, body)
		if err != nil {
			return nil, fmt.Errorf("read kept event %q: %w", e.ID, err)
		}
		e.At, e.Body = fromMicros(at), string(plain)
		out = append(out, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read kept events: %w", err)
	}
	return out, nil
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
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read counters: %w", err)
	}
	return out, nil
}
