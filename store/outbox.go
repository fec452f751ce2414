package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

// Notice is one message for one receiver, which waits to be sent. It is told from
// every other by Sink and ID; one that is there is not added again.
type Notice struct {
	ID   string // of the message, at most 512 bytes
	Sink string
	Due  time.Time
	// Digest, where set, joins what is due for a receiver: it is sent as one.
	Digest string
	// Body lies encrypted in the database.
	Body     []byte
	First    time.Time // when it was added
	Attempts int       // how often it was claimed
	// Dead is when it was given up; zero while it waits. Why is the last failure.
	Dead time.Time
	Why  string

	claim       int64
	leasedUntil int64
}

// Posting adds notices for the records of the audit log from From up to Next. It is
// refused with ErrConflict unless all before From, and nothing after, was taken over.
type Posting struct {
	From, Next int64
	Notices    []Notice
}

// postedName is the name under which it is remembered how far the log was taken over.
const postedName = "outbox/next"

// Posted returns up to which record of the audit log notices were made; ok is false
// where none ever were.
func (s *Store) Posted(ctx context.Context) (next int64, ok bool, err error) {
	text, err := s.Remembered(ctx, postedName)
	if err != nil || text == "" {
		return 0, false, err
	}
	next, err = strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, false, fmt.Errorf("the outbox is at %q, which is no number", text)
	}
	return next, true, nil
}

// Drop takes away what waits for a sink, dead or not, and says how many there were.
func (s *Store) Drop(ctx context.Context, sink string) (int64, error) {
	res, err := s.write.ExecContext(ctx, `DELETE FROM outbox WHERE sink = $1`, sink)
	if err != nil {
		return 0, fmt.Errorf("drop notices: %w", err)
	}
	return res.RowsAffected()
}

const noticeColumns = `outbox.id, outbox.sink, outbox.due, outbox.digest, outbox.first, outbox.attempts, outbox.leased_until, outbox.claim, outbox.dead, outbox.why, outbox.body`

// ClaimNotices leases up to n due notices of a sink for ttl, the oldest first. When
// none is due it writes nothing. A claimed one comes again when the lease is over
// before Sent, Later or Bury.
func (s *Store) ClaimNotices(ctx context.Context, sink string, n int, ttl time.Duration) ([]Notice, error) {
	var one int
	now := s.now()
	err := s.read.QueryRowContext(ctx, `SELECT 1 FROM outbox WHERE sink = $1 AND dead = 0 AND due <= $2 AND leased_until <= $2 LIMIT 1`, sink, micros(now)).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for due notices: %w", err)
	}
	var out []Notice
	err = s.tx(ctx, func(ctx context.Context, tx transaction) error {
		rows, err := tx.QueryContext(ctx, `WITH due AS MATERIALIZED (
			  SELECT sink, id FROM outbox WHERE sink = $1 AND dead = 0 AND due <= $2 AND leased_until <= $2 ORDER BY due, first, id LIMIT CAST($3 AS BIGINT)`+s.dialect.skipLocked+`)
			UPDATE outbox SET leased_until = $4, claim = $5, attempts = attempts + 1 FROM due WHERE outbox.sink = due.sink AND outbox.id = due.id
			RETURNING `+noticeColumns, sink, micros(now), n, micros(now.Add(ttl)), 1+rand.Int64N(math.MaxInt64-1))
		if err != nil {
			return err
		}
		out, err = s.scanNotices(rows)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim notices: %w", err)
	}
	slices.SortFunc(out, func(a, b Notice) int {
		return cmp.Or(a.Due.Compare(b.Due), a.First.Compare(b.First), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// Sent takes claimed notices away. Those whose claim is lost are left alone: they are
// sent again, under the same ID.
func (s *Store) Sent(ctx context.Context, list []Notice) error {
	return s.endNotices(ctx, "sent", `DELETE FROM outbox WHERE sink = $1 AND id = $2 AND claim = $3 AND leased_until = $4`, list)
}

// Postpone gives claimed notices back, to be sent at a time.
func (s *Store) Postpone(ctx context.Context, list []Notice, at time.Time, why string) error {
	return s.endNotices(ctx, "postponed", `UPDATE outbox SET leased_until = 0, claim = 0, due = $5, why = $6 WHERE sink = $1 AND id = $2 AND claim = $3 AND leased_until = $4`,
		list, micros(at), clean(why))
}

// Untried gives claimed notices back that were not tried, to be sent at a time.
func (s *Store) Untried(ctx context.Context, list []Notice, at time.Time) error {
	return s.endNotices(ctx, "untried", `UPDATE outbox SET leased_until = 0, claim = 0, attempts = attempts - 1, due = $5 WHERE sink = $1 AND id = $2 AND claim = $3 AND leased_until = $4`,
		list, micros(at))
}

// Bury gives claimed notices up: they stay, and are tried again only after Revive.
func (s *Store) Bury(ctx context.Context, list []Notice, why string) error {
	return s.endNotices(ctx, "dead", `UPDATE outbox SET leased_until = 0, claim = 0, dead = $5, why = $6 WHERE sink = $1 AND id = $2 AND claim = $3 AND leased_until = $4`,
		list, micros(s.now()), clean(why))
}

// endNotices runs a statement for each notice and counts what became of them.
func (s *Store) endNotices(ctx context.Context, what, statement string, list []Notice, args ...any) error {
	err := s.tx(ctx, func(ctx context.Context, tx transaction) error {
		ended := map[string]int64{}
		for _, n := range list {
			res, err := tx.ExecContext(ctx, statement, append([]any{n.Sink, n.ID, n.claim, n.leasedUntil}, args...)...)
			if err != nil {
				return err
			}
			rows, err := res.RowsAffected()
			if err != nil {
				return err
			}
			ended["notices_"+what] += rows
		}
		for name, n := range ended {
			if _, err := tx.ExecContext(ctx, `INSERT INTO counters (name, n) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET n = counters.n + excluded.n`, name, n); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("end notices: %w", err)
	}
	return nil
}

// Revive has the dead notices of a sink sent again, of all sinks for "", and says how
// many there are.
func (s *Store) Revive(ctx context.Context, sink string) (int64, error) {
	res, err := s.write.ExecContext(ctx, `UPDATE outbox SET dead = 0, attempts = 0, due = $1, first = $1 WHERE dead > 0 AND ($2 = '' OR sink = $2)`, micros(s.now()), sink)
	if err != nil {
		return 0, fmt.Errorf("revive notices: %w", err)
	}
	return res.RowsAffected()
}

// Backlog is what waits for a sink.
type Backlog struct {
	Sink    string    `json:"sink"`
	Waiting int64     `json:"waiting"` // not dead
	Late    int64     `json:"late"`    // of these, tried without success
	Oldest  time.Time `json:"oldest,omitzero"`
	Dead    int64     `json:"dead"`
	Why     string    `json:"why,omitempty"` // the failure of one of these
}

// Backlogs returns what waits, by sink.
func (s *Store) Backlogs(ctx context.Context) ([]Backlog, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT sink, SUM(CASE WHEN dead = 0 THEN 1 ELSE 0 END), SUM(CASE WHEN dead = 0 AND why <> '' THEN 1 ELSE 0 END),
		MIN(CASE WHEN dead = 0 THEN first END), SUM(CASE WHEN dead > 0 THEN 1 ELSE 0 END), MAX(why) FROM outbox GROUP BY sink ORDER BY sink`)
	if err != nil {
		return nil, fmt.Errorf("read the outbox: %w", err)
	}
	defer rows.Close()
	var out []Backlog
	for rows.Next() {
		var b Backlog
		var oldest sql.NullInt64
		if err := rows.Scan(&b.Sink, &b.Waiting, &b.Late, &oldest, &b.Dead, &b.Why); err != nil {
			return nil, fmt.Errorf("read the outbox: %w", err)
		}
		if oldest.Valid {
			b.Oldest = fromMicros(oldest.Int64)
		}
		out = append(out, b)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the outbox: %w", err)
	}
	return out, nil
}

func (s *Store) scanNotices(rows *sql.Rows) ([]Notice, error) {
	defer rows.Close()
	var out []Notice
	for rows.Next() {
		var n Notice
		var due, first, dead int64
		var body []byte
		err := rows.Scan(&n.ID, &n.Sink, &due, &n.Digest, &first, &n.Attempts, &n.leasedUntil, &n.claim, &dead, &n.Why, &body)
		if err != nil {
			return nil, err
		}
		n.Due, n.First = fromMicros(due), fromMicros(first)
		if dead > 0 {
			n.Dead = fromMicros(dead)
		}
		if n.Body, err = s.sealer.Open("notice/"+n.Sink+"/"+n.ID, body); err != nil {
			return nil, fmt.Errorf("read notice %.200q: %w", n.ID, err)
		}
		out = append(out, n)
	}
	return out, rows.Err()
}
