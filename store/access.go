package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/usage"
)

// Access returns the access with the ID, or ErrNotFound.
func (s *Store) Access(ctx context.Context, id string) (dera.Access, error) {
	list, err := s.accessesWhere(ctx, `id = $1`, id)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("access %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return dera.Access{}, err
	}
	return list[0], nil
}

// Accesses returns all that was asked for, the oldest first.
func (s *Store) Accesses(ctx context.Context) ([]dera.Access, error) {
	return s.accessesWhere(ctx, `1 = 1`)
}

// AccessesIn returns what was asked for principals of a type in an account, the oldest
// first.
func (s *Store) AccessesIn(ctx context.Context, account, typ string) ([]dera.Access, error) {
	return s.accessesWhere(ctx, `account = $1 AND type = $2`, account, typ)
}

// AccessesAfter returns what was asked for of what a remediation took, the oldest first.
func (s *Store) AccessesAfter(ctx context.Context, remediation string) ([]dera.Access, error) {
	list, err := s.Accesses(ctx)
	return slices.DeleteFunc(list, func(a dera.Access) bool { return !slices.Contains(a.Took, remediation) }), err
}

// AccessState says where an access stands at a moment, and by which remediation it is
// granted, or nil.
func (s *Store) AccessState(ctx context.Context, a dera.Access, now time.Time) (dera.AccessState, *dera.Remediation, error) {
	if a.Grant == "" {
		return a.State(nil, now), nil, nil
	}
	r, err := s.Remediation(ctx, a.Grant)
	if err != nil {
		return "", nil, fmt.Errorf("access %s: %w", a.ID, err)
	}
	return a.State(&r, now), &r, nil
}

// AccessesDue returns those whose time is over and whose end is not recorded.
func (s *Store) AccessesDue(ctx context.Context) ([]dera.Access, error) {
	return s.accessesWhere(ctx, `ended = 0 AND until > 0 AND until <= $1`, micros(s.now()))
}

func (s *Store) accessesWhere(ctx context.Context, where string, args ...any) ([]dera.Access, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id, body FROM accesses WHERE `+where+` ORDER BY at, id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read accesses: %w", err)
	}
	defer rows.Close()
	var out []dera.Access
	for rows.Next() {
		var id string
		var body []byte
		if err := rows.Scan(&id, &body); err != nil {
			return nil, fmt.Errorf("read accesses: %w", err)
		}
		var a dera.Access
		plain, err := s.sealer.Open("access/"+id, body)
		if err == nil {
			err = json.Unmarshal(plain, &a)
		}
		if err != nil {
			return nil, fmt.Errorf("read access %s: %w: %w", id, usage.ErrTorn, err)
		}
		out = append(out, a)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read accesses: %w", err)
	}
	return out, nil
}
