package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

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

// watches are added under the key that the ledger knows the principal by.
func (w writer) watches(ctx context.Context, b Batch) error {
	for _, x := range b.Watches {
		if _, err := w.tx.ExecContext(ctx, `INSERT INTO watches (principal, remediation, since) VALUES ($1, $2, $3) ON CONFLICT (principal, remediation) DO NOTHING`,
			usage.PrincipalKey(x.Principal), x.Remediation, micros(x.Since)); err != nil {
			return fmt.Errorf("watch after %s: %w", x.Remediation, err)
		}
	}
	return nil
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

// denials adds to what is known of each denial. The first time it is recorded in the audit
// log. What was denied after the change was rolled back does not count.
func (w writer) denials(ctx context.Context, b Batch) error {
	var records []dera.AuditRecord
	for _, d := range b.Use.Denials {
		counts, err := w.mayDeny(ctx, d.Denial)
		if err != nil || !counts {
			if err != nil {
				return err
			}
			continue
		}
		one, id := d.Denial, d.Denial.Key()
		var text string
		switch err := w.tx.QueryRowContext(ctx, `SELECT body FROM denials WHERE remediation = $1 AND id = $2`, one.Remediation, id).Scan(&text); {
		case errors.Is(err, sql.ErrNoRows):
			records = append(records, d.Record)
		case err != nil:
			return fmt.Errorf("denial after %s: %w", one.Remediation, err)
		default:
			var known dera.Denial
			if err := json.Unmarshal([]byte(text), &known); err == nil { // of what cannot be read nothing is left to add to
				one = known.With(one)
			}
		}
		body, err := json.Marshal(one)
		if err != nil {
			return fmt.Errorf("denial after %s: %w", one.Remediation, err)
		}
		if _, err := w.tx.ExecContext(ctx, `INSERT INTO denials (remediation, id, at, body) VALUES ($1, $2, $3, $4)
			ON CONFLICT (remediation, id) DO UPDATE SET at = excluded.at, body = excluded.body`, one.Remediation, id, micros(one.First), string(body)); err != nil {
			return fmt.Errorf("denial after %s: %w", one.Remediation, err)
		}
	}
	return w.append(ctx, Batch{Records: records})
}

// mayDeny reports whether a denial may be the doing of its remediation, as that stands now.
func (w writer) mayDeny(ctx context.Context, d dera.Denial) (bool, error) {
	r, body := dera.Remediation{ID: d.Remediation}, []byte(nil)
	switch err := w.tx.QueryRowContext(ctx, `SELECT state, body FROM remediations WHERE id = $1`, r.ID).Scan(&r.State, &body); {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("denial after %s: %w", r.ID, err)
	case r.State == dera.RolledBack: // at some time
		plain, err := w.sealer.Open("remediation/"+r.ID, body)
		if err != nil || json.Unmarshal(plain, &r) != nil {
			return false, nil
		}
	}
	return r.MayDeny(d.First), nil
}
