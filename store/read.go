package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"dera.example/dera"
	"dera.example/dera/usage"
)

// Finding returns the finding with the ID, or ErrNotFound.
func (s *Store) Finding(ctx context.Context, id string) (dera.Finding, error) {
	list, err := s.findings(ctx, `id = $1`, id)
	if err != nil {
		return dera.Finding{}, err
	}
	if len(list) == 0 {
		return dera.Finding{}, fmt.Errorf("finding %q: %w", id, ErrNotFound)
	}
	return list[0], nil
}

// Findings returns all findings, the worst first.
func (s *Store) Findings(ctx context.Context) ([]dera.Finding, error) {
	return s.findings(ctx, `1 = 1`)
}

// FindingsOf returns the findings of one resource.
func (s *Store) FindingsOf(ctx context.Context, resourceKey string) ([]dera.Finding, error) {
	return s.findings(ctx, `resource = $1`, resourceKey)
}

// OpenIn returns the findings of a type in an account and region that are not
// resolved.
func (s *Store) OpenIn(ctx context.Context, account, region, typ string) ([]dera.Finding, error) {
	return s.findings(ctx, `account = $1 AND region = $2 AND type = $3 AND state <> 'resolved'`, account, region, typ)
}

func (s *Store) findings(ctx context.Context, where string, args ...any) ([]dera.Finding, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT body FROM findings WHERE `+where+` ORDER BY severity DESC, account, region, resource, id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read findings: %w", err)
	}
	return collect[dera.Finding](rows, "findings")
}

func collect[T any](rows *sql.Rows, what string) ([]T, error) {
	defer rows.Close()
	var out []T
	for rows.Next() {
		var body string
		if err := rows.Scan(&body); err != nil {
			return nil, fmt.Errorf("read %s: %w", what, err)
		}
		var v T
		if err := json.Unmarshal([]byte(body), &v); err != nil {
			return nil, fmt.Errorf("read %s: %w: %w", what, usage.ErrTorn, err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	return out, nil
}

// Remediation returns the remediation with the ID, or ErrNotFound.
func (s *Store) Remediation(ctx context.Context, id string) (dera.Remediation, error) {
	list, err := s.remediations(ctx, `id = $1`, id)
	if err != nil {
		return dera.Remediation{}, err
	}
	if len(list) == 0 {
		return dera.Remediation{}, fmt.Errorf("remediation %q: %w", id, ErrNotFound)
	}
	return list[0], nil
}

// Remediations returns all remediations, the oldest first.
func (s *Store) Remediations(ctx context.Context) ([]dera.Remediation, error) {
	return s.remediations(ctx, `1 = 1`)
}

// RemediationsOf returns the remediations of a resource, the oldest first.
func (s *Store) RemediationsOf(ctx context.Context, resourceKey string) ([]dera.Remediation, error) {
	return s.remediations(ctx, `resource = $1`, resourceKey)
}

// RemediationsIn returns the remediations in a state.
func (s *Store) RemediationsIn(ctx context.Context, state dera.State) ([]dera.Remediation, error) {
	return s.remediations(ctx, `state = $1`, string(state))
}

// Lasting returns the remediations that are in effect and were made since a moment, of
// resources whose keys begin with a prefix, the oldest first.
func (s *Store) Lasting(ctx context.Context, prefix string, since time.Time) ([]dera.Remediation, error) {
	end := prefix[:len(prefix)-1] + string(rune(prefix[len(prefix)-1]+1)) // the first key behind them
	return s.remediations(ctx, `resource >= $1 AND resource < $2 AND state IN ($3, $4) AND created >= $5`,
		prefix, end, string(dera.Resolved), string(dera.Collateral), micros(since))
}

func (s *Store) remediations(ctx context.Context, where string, args ...any) ([]dera.Remediation, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id, body FROM remediations WHERE `+where+` ORDER BY created, id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read remediations: %w", err)
	}
	defer rows.Close()
	var out []dera.Remediation
	for rows.Next() {
		var id string
		var body []byte
		if err := rows.Scan(&id, &body); err != nil {
			return nil, fmt.Errorf("read remediations: %w", err)
		}
		plain, err := s.sealer.Open("remediation/"+id, body)
		if err != nil {
			return nil, fmt.Errorf("read remediation %s: %w: %w", id, usage.ErrTorn, err)
		}
		var r dera.Remediation
		if err := json.Unmarshal(plain, &r); err != nil {
			return nil, fmt.Errorf("read remediation %s: %w: %w", id, usage.ErrTorn, err)
		}
		if now, ok := dera.RenamedControls()[r.Control]; ok {
			r.Control = now // that of the plan stays as it was approved; migration 0006 renames what is not sealed
		}
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read remediations: %w", err)
	}
	return out, nil
}

// Intents returns the intents of a remediation: its changes in order, then its
// undos in order.
func (s *Store) Intents(ctx context.Context, remediation string) ([]dera.Intent, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT body FROM intents WHERE remediation = $1 ORDER BY undo, step`, remediation)
	if err != nil {
		return nil, fmt.Errorf("read intents: %w", err)
	}
	return collect[dera.Intent](rows, "intents")
}

// OpenIntents returns every intent without a result.
func (s *Store) OpenIntents(ctx context.Context) ([]dera.Intent, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT body FROM intents WHERE state = 'open' ORDER BY remediation, undo, step`)
	if err != nil {
		return nil, fmt.Errorf("read intents: %w", err)
	}
	return collect[dera.Intent](rows, "intents")
}

// Stops returns every stop that holds.
func (s *Store) Stops(ctx context.Context) ([]dera.Stop, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT body FROM stops ORDER BY account, control`)
	if err != nil {
		return nil, fmt.Errorf("read stops: %w", err)
	}
	return collect[dera.Stop](rows, "stops")
}

// Spent counts the automatic remediations of account and control since a time.
// An empty account or control counts all.
func (s *Store) Spent(ctx context.Context, account, control string, since time.Time) (int, error) {
	var n int
	err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM spends WHERE ($1 = '' OR account = $1) AND ($2 = '' OR control = $2) AND at > $3`,
		account, control, micros(since)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("read budget of %s: %w", account, err)
	}
	return n, nil
}

// Evidence returns the evidence blob with the hash, or ErrNotFound.
func (s *Store) Evidence(ctx context.Context, hash string) ([]byte, error) {
	var body []byte
	err := s.read.QueryRowContext(ctx, `SELECT body FROM evidence WHERE hash = $1`, hash).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("evidence %q: %w", hash, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read evidence %q: %w", hash, err)
	}
	return s.sealer.Open("evidence/"+hash, body)
}

// Sealed returns the payload behind a commitment of the audit log, decrypted.
func (s *Store) Sealed(ctx context.Context, commitment string) ([]byte, error) {
	var body []byte
	err := s.read.QueryRowContext(ctx, `SELECT body FROM sealed WHERE commitment = $1`, commitment).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("payload %q: %w", commitment, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read payload %q: %w", commitment, err)
	}
	return s.sealer.Open("payload/"+commitment, body)
}
