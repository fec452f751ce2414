package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"dera"
)

// The jobs table is a queue in our own transaction: enqueuing coalesces by kind
// and key, a claim is a lease, and a job that was asked for again while it ran
// runs once more. docs/decisions/0003 says why it is not a library.

func (w writer) enqueue(ctx context.Context, b Batch) error {
	now := micros(w.now)
	for _, j := range b.Jobs {
		if _, err := w.tx.ExecContext(ctx, `INSERT INTO jobs (kind, key, seq, priority, run_at, leased_until, owner, attempts, payload)
			VALUES ($1, $2, 1, $3, $4, 0, '', 0, $5)
			ON CONFLICT (kind, key) DO UPDATE SET seq = jobs.seq + 1, payload = excluded.payload,
			  priority = CASE WHEN excluded.priority < jobs.priority THEN excluded.priority ELSE jobs.priority END,
			  run_at = CASE WHEN jobs.leased_until > $6 OR excluded.run_at < jobs.run_at THEN excluded.run_at ELSE jobs.run_at END`,
			j.Kind, j.Key, j.Priority, micros(j.RunAt), string(j.Payload), now); err != nil {
			return fmt.Errorf("enqueue %s %s: %w", j.Kind, j.Key, err)
		}
	}
	return nil
}

func (w writer) done(ctx context.Context, b Batch) error {
	for _, j := range b.Done {
		res, err := w.tx.ExecContext(ctx, `DELETE FROM jobs WHERE kind = $1 AND key = $2 AND seq = $3`, j.Kind, j.Key, j.Seq)
		if err != nil {
			return fmt.Errorf("finish %s %s: %w", j.Kind, j.Key, err)
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			if _, err := w.tx.ExecContext(ctx, `UPDATE jobs SET leased_until = 0, owner = '', attempts = 0 WHERE kind = $1 AND key = $2`, j.Kind, j.Key); err != nil {
				return fmt.Errorf("finish %s %s: %w", j.Kind, j.Key, err)
			}
		}
	}
	return nil
}

// Claim leases up to n due jobs to owner for ttl: those with the lowest
// priority number first. A claimed job is run again by somebody else when the
// lease runs out before the job is in a batch's Done.
func (s *Store) Claim(ctx context.Context, owner string, n int, ttl time.Duration) ([]dera.Job, error) {
	now := s.now()
	var out []dera.Job
	if due, err := s.due(ctx, now); err != nil || !due {
		return nil, err
	}
	err := s.tx(ctx, func(tx *sql.Tx) error {
		out = nil
		rows, err := tx.QueryContext(ctx, `UPDATE jobs SET leased_until = $1, owner = $2, attempts = attempts + 1
			WHERE (kind, key) IN (SELECT kind, key FROM jobs WHERE run_at <= $3 AND leased_until <= $3 ORDER BY priority, run_at, kind, key LIMIT $4`+s.dialect.skipLocked+`)
			RETURNING kind, key, seq, priority, run_at, leased_until, attempts, payload`, micros(now.Add(ttl)), owner, micros(now), n)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			j, err := scanJob(rows)
			if err != nil {
				return err
			}
			out = append(out, j)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("claim jobs: %w", err)
	}
	sortJobs(out)
	return out, nil
}

func (s *Store) due(ctx context.Context, now time.Time) (bool, error) {
	var one int
	err := s.read.QueryRowContext(ctx, `SELECT 1 FROM jobs WHERE run_at <= $1 AND leased_until <= $1 LIMIT 1`, micros(now)).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for due jobs: %w", err)
	}
	return true, nil
}

// Retry gives a claimed job back to be run at the given time.
func (s *Store) Retry(ctx context.Context, j dera.Job, at time.Time) error {
	_, err := s.write.ExecContext(ctx, `UPDATE jobs SET leased_until = 0, owner = '', run_at = $1 WHERE kind = $2 AND key = $3`, micros(at), j.Kind, j.Key)
	if err != nil {
		return fmt.Errorf("retry %s %s: %w", j.Kind, j.Key, err)
	}
	return nil
}

// Jobs lists all jobs, the next one first.
func (s *Store) Jobs(ctx context.Context) ([]dera.Job, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT kind, key, seq, priority, run_at, leased_until, attempts, payload FROM jobs ORDER BY run_at, priority, kind, key`)
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	defer rows.Close()
	var out []dera.Job
	for rows.Next() {
		j, err := scanJob(rows)
		if err != nil {
			return nil, fmt.Errorf("list jobs: %w", err)
		}
		out = append(out, j)
	}
	return out, rows.Err()
}

func scanJob(rows *sql.Rows) (dera.Job, error) {
	var j dera.Job
	var runAt, leased, attempts int64
	var text string
	if err := rows.Scan(&j.Kind, &j.Key, &j.Seq, &j.Priority, &runAt, &leased, &attempts, &text); err != nil {
		return j, err
	}
	j.RunAt, j.LeasedUntil, j.Attempts = fromMicros(runAt), fromMicros(leased), int(attempts)
	if text != "" {
		j.Payload = json.RawMessage(text)
	}
	return j, nil
}
