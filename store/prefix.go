package store

import (
	"context"
	"fmt"
)

// FindingIDs returns the IDs of findings that begin with a prefix, in order, at
// most so many. The prefix holds no wildcards of SQL.
func (s *Store) FindingIDs(ctx context.Context, prefix string, most int) ([]string, error) {
	return s.ids(ctx, "findings", prefix, most)
}

// RemediationIDs returns the IDs of remediations that begin with a prefix, in
// order, at most so many. The prefix holds no wildcards of SQL.
func (s *Store) RemediationIDs(ctx context.Context, prefix string, most int) ([]string, error) {
	return s.ids(ctx, "remediations", prefix, most)
}

func (s *Store) ids(ctx context.Context, table, prefix string, most int) ([]string, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id FROM `+table+` WHERE id LIKE $1 ORDER BY id LIMIT $2`, prefix+"%", most)
	if err != nil {
		return nil, fmt.Errorf("read IDs of %s: %w", table, err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read IDs of %s: %w", table, err)
		}
		out = append(out, id)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read IDs of %s: %w", table, err)
	}
	return out, nil
}
