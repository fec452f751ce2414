package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"dera.example/dera"
)

// The jobs table is a queue in our own transaction: enqueuing coalesces by kind
// and key, a claim is a lease, and a job that was asked for again while it ran
// runs once more. docs/decisions/0003 says why it is not a library.
//
// A claim is told from every other by a random number and its leased_until; seq and
// leased_until alone can be those of an older claim of the same key: a job that is
// done and asked for once more counts from 1, and clocks differ. The number alone can
// be that of an older claim where a process of before it claims in the same database. Neither Done nor Retry of a
// worker that lost its claim touches the job of the next one, so that what was
// asked for in between is never lost (invariant I3).

const jobColumns = `jobs.kind, jobs.key, jobs.seq, jobs.priority, jobs.run_at, jobs.leased_until, jobs.claim, jobs.attempts, jobs.payload`

// maxJobID is how long a key can be to stand in an index as it is; PostgreSQL
// refuses index rows of more than 2,704 bytes.
const maxJobID = 512

// jobID is what stands for the key in the index.
func jobID(key string) string {
	if len(key) <= maxJobID {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return key[:maxJobID/2] + "#" + hex.EncodeToString(sum[:])
}

// Claim leases up to n due jobs to owner for ttl: those with the lowest
// priority number first. A claimed job is run again by someone else when the
// lease runs out before the job is in a batch's Done. When no job is due, Claim
// writes nothing; as a rule it finds that out without the lock of the writer.
func (s *Store) Claim(ctx context.Context, owner string, n int, ttl time.Duration) ([]dera.Job, error) {
	if due, err := s.mayClaim(ctx, n); err != nil || !due {
		return nil, err
	}
	var out []dera.Job
	err := s.once(ctx, func(ctx context.Context, tx transaction) error {
		now := s.now()
		// Materialized, for PostgreSQL may else run the inner query again and claim
		// more than n. Cast, for SQLite prepares a statement again each time that a
		// limit is bound as it is.
		rows, err := tx.QueryContext(ctx, `WITH due AS MATERIALIZED (
			  SELECT kind, id FROM jobs WHERE run_at <= $3 AND leased_until <= $3 ORDER BY priority, run_at, kind, id LIMIT CAST($4 AS BIGINT)`+s.dialect.skipLocked+`)
			UPDATE jobs SET leased_until = $1, claim = $5, owner = $2, attempts = attempts + 1, asked_at = NULL
			FROM due WHERE jobs.kind = due.kind AND jobs.id = due.id
			RETURNING `+jobColumns, micros(now.Add(ttl)), owner, micros(now), n, 1+rand.Int64N(math.MaxInt64-1))
		if err != nil {
			return err
		}
		out, err = scanJobs(rows)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim jobs: %w", err)
	}
	slices.SortFunc(out, byUrgency)
	return out, nil
}

// byUrgency is the order in which claimed jobs are returned.
func byUrgency(a, b dera.Job) int {
	return cmp.Or(cmp.Compare(a.Priority, b.Priority), a.RunAt.Compare(b.RunAt), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Key, b.Key))
}

// mayClaim reports whether it is worth it to claim n jobs: what this process enqueued just now is due most of the
// time.
func (s *Store) mayClaim(ctx context.Context, n int) (bool, error) {
	if n <= 0 {
		return false, nil
	}
	if s.enqueued.Swap(false) {
		return true, nil
	}
	return s.due(ctx)
}

// due looks for work without writing.
func (s *Store) due(ctx context.Context) (bool, error) {
	var one int
	err := s.read.QueryRowContext(ctx, `SELECT 1 FROM jobs WHERE run_at <= $1 AND leased_until <= $1 LIMIT 1`, micros(s.now())).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for due jobs: %w", err)
	}
	return true, nil
}

// Retry gives a claimed job back to be run at the given time, or earlier if it
// was asked for meanwhile. A job whose claim is lost is left alone.
func (s *Store) Retry(ctx context.Context, j dera.Job, at time.Time) error {
	if j.Claim == 0 {
		return fmt.Errorf("retry %s %.200q: the job was not claimed", j.Kind, j.Key)
	}
	_, err := s.write.ExecContext(ctx, `UPDATE jobs SET leased_until = 0, claim = 0, owner = '', asked_at = NULL, run_at = CASE WHEN asked_at < $1 THEN asked_at ELSE $1 END
		WHERE kind = $2 AND id = $3 AND claim = $4 AND leased_until = $5`, micros(at), j.Kind, jobID(j.Key), j.Claim, micros(j.LeasedUntil))
	if err != nil {
		return fmt.Errorf("retry %s %.200q: %w", j.Kind, j.Key, err)
	}
	return nil
}

// Unclaim gives claimed jobs back that nobody began, as they were before; or earlier, where they
// were asked for meanwhile. Those whose claim is lost are left alone.
func (s *Store) Unclaim(ctx context.Context, jobs []dera.Job) error {
	var rows [][]any
	for _, j := range jobs {
		rows = append(rows, row(j.Kind, jobID(j.Key), j.Claim, micros(j.LeasedUntil)))
	}
	steps := []step{{form: s.forms.begin}}
	if s.forms.lock != nil { // else a commit that asks for the same jobs in another order and this would wait for each other
		steps = append(steps, step{form: s.forms.lock})
	}
	steps = append(steps, step{form: s.forms.unclaim, rows: rows}, step{form: s.forms.commit})
	err := s.session(ctx, func(ctx context.Context, open session) error { return open.run(ctx, steps...) })
	if err != nil {
		return fmt.Errorf("give %d jobs back: %w", len(jobs), err)
	}
	return nil
}

// Jobs lists all jobs, waiting and claimed, by the time at which they are due.
func (s *Store) Jobs(ctx context.Context) ([]dera.Job, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+jobColumns+` FROM jobs ORDER BY run_at, priority, kind, id`)
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	out, err := scanJobs(rows)
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	return out, nil
}

func scanJobs(rows *sql.Rows) ([]dera.Job, error) {
	defer rows.Close()
	var out []dera.Job
	for rows.Next() {
		var j dera.Job
		var runAt, leased int64
		var payload []byte
		if err := rows.Scan(&j.Kind, &j.Key, &j.Seq, &j.Priority, &runAt, &leased, &j.Claim, &j.Attempts, &payload); err != nil {
			return nil, err
		}
		j.RunAt, j.LeasedUntil = fromMicros(runAt), fromMicros(leased)
		if len(payload) > 0 {
			j.Payload = json.RawMessage(payload)
		}
		out = append(out, j)
	}
	return out, rows.Err()
}
