package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"dera.example/dera/audit"
)

// Calls returns the kept calls in the order of their times; with unjudged only
// those before a time that nobody was told of.
func (s *Store) Calls(ctx context.Context, unjudged bool, before time.Time) ([]audit.Call, error) {
	query, args := `SELECT body FROM calls ORDER BY at, event`, []any{}
	if unjudged {
		query, args = `SELECT body FROM calls WHERE judged = 0 AND at < $1 ORDER BY at, event`, []any{micros(before)}
	}
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read calls: %w", err)
	}
	defer rows.Close()
	var out []audit.Call
	for rows.Next() {
		var body string
		if err := rows.Scan(&body); err != nil {
			return nil, fmt.Errorf("read calls: %w", err)
		}
		var c audit.Call
		if err := json.Unmarshal([]byte(body), &c); err != nil {
			return nil, fmt.Errorf("read calls: %w", err)
		}
		out = append(out, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read calls: %w", err)
	}
	return out, nil
}
