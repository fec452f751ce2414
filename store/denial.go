package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"dera.example/dera"
	"dera.example/dera/usage"
)

// Watches returns the watches of a principal by its key, of all for "".
func (s *Store) Watches(ctx context.Context, principal string) ([]dera.Watch, error) {
	where, args := `1 = 1`, []any{}
	if principal != "" {
		where, args = `principal = $1`, append(args, principal)
	}
	rows, err := s.read.QueryContext(ctx, `SELECT principal, remediation, since FROM watches WHERE `+where+` ORDER BY principal, since, remediation`, args...)
	if err != nil {
		return nil, fmt.Errorf("read watches: %w", err)
	}
	defer rows.Close()
	var out []dera.Watch
	for rows.Next() {
		var w dera.Watch
		var since int64
		if err := rows.Scan(&w.Principal, &w.Remediation, &since); err != nil {
			return nil, fmt.Errorf("read watches: %w", err)
		}
		w.Since = fromMicros(since)
		out = append(out, w)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read watches: %w", err)
	}
	return out, nil
}

// WatchesOf returns the watches of a principal by its ARN.
func (s *Store) WatchesOf(ctx context.Context, arn dera.ARN) ([]dera.Watch, error) {
	return s.Watches(ctx, usage.PrincipalKey(string(arn)))
}

// Denials returns all denials, the oldest first.
func (s *Store) Denials(ctx context.Context) ([]dera.Denial, error) {
	return s.denied(ctx, `1 = 1`)
}

// DenialsOf returns the denials of a remediation, the oldest first.
func (s *Store) DenialsOf(ctx context.Context, remediation string) ([]dera.Denial, error) {
	return s.denied(ctx, `remediation = $1`, remediation)
}

func (s *Store) denied(ctx context.Context, where string, args ...any) ([]dera.Denial, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT body FROM denials WHERE `+where+` ORDER BY at, remediation, id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read denials: %w", err)
	}
	return collect[dera.Denial](rows, "denials")
}

// denied is what the denials of a change come to: rows and, of those that are new, records.
type denied struct {
	rows   [][]any
	leaves []leaf
}

// denialReads are the steps that read what is known of the denials of a turn.
func (t *turn) denialReads() []step {
	var fixes, denials [][]any
	for _, c := range t.changes {
		for _, d := range c.batch.Use.Denials {
			fixes, denials = append(fixes, []any{d.Denial.Remediation}), append(denials, []any{d.Denial.Remediation, d.Denial.Key()})
		}
	}
	if len(fixes) == 0 {
		return nil
	}
	t.known.denials, t.known.fixes = map[[2]string]string{}, map[string]stored{}
	return []step{
		{form: t.forms.remediation, rows: fixes, scan: func(s scanner) error {
			var id string
			var r stored
			err := s.Scan(&id, &r.state, &r.body)
			t.known.fixes[id] = r
			return err
		}},
		{form: t.forms.denied, rows: denials, scan: func(s scanner) error {
			var id [2]string
			var body string
			err := s.Scan(&id[0], &id[1], &body)
			t.known.denials[id] = body
			return err
		}},
	}
}

// denials adds to what is known of each denial. The first time it is recorded in the audit
// log. What was denied after the change was rolled back does not count.
func (t *turn) denials(c *change) error {
	var out denied
	known := map[[2]string]dera.Denial{}
	for i, d := range c.batch.Use.Denials {
		one := d.Denial
		if !t.mayDeny(c.batch, one) {
			continue
		}
		id := [2]string{one.Remediation, one.Key()}
		text, there := t.known.denials[id]
		if earlier, same := known[id]; same {
			one = earlier.With(one)
		} else if there {
			var before dera.Denial
			if json.Unmarshal([]byte(text), &before) == nil { // of what cannot be read nothing is left to add to
				one = before.With(one)
			}
		} else {
			out.leaves = append(out.leaves, c.denied[i])
		}
		known[id] = one
		body, err := json.Marshal(one)
		if err != nil {
			return fmt.Errorf("denial after %s: %w", one.Remediation, err)
		}
		out.rows = append(out.rows, []any{id[0], id[1], micros(one.First), string(body)})
	}
	if len(out.rows) > 0 {
		t.denied[c] = out
	}
	return nil
}

// mayDeny reports whether a denial may be the doing of its remediation, as that stands with
// the batch.
func (t *turn) mayDeny(b Batch, d dera.Denial) bool {
	for _, r := range slices.Backward(b.Remediations) {
		if r.ID == d.Remediation {
			return r.MayDeny(d.First)
		}
	}
	s, there := t.known.fixes[d.Remediation]
	if !there {
		return false
	}
	r := dera.Remediation{ID: d.Remediation, State: dera.State(s.state)}
	if r.State == dera.RolledBack { // at some time
		plain, err := t.sealer.Open("remediation/"+r.ID, s.body)
		if err != nil || json.Unmarshal(plain, &r) != nil {
			return false
		}
	}
	return r.MayDeny(d.First)
}
