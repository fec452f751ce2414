package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"dera.example/dera/usage"
)

var _ usage.Store = (*Store)(nil)

// CommitUsage adds to the usage ledger in one durable transaction. Ledger and
// loop do not wait for each other: each has its own lock. Denials are committed before, which
// does no harm where the rest fails: an event of them counts once, however often it comes.
func (s *Store) CommitUsage(ctx context.Context, b usage.Batch) error {
	if len(b.Denials) > 0 { // they are linked to remediations, and have records, so that the loop waits for them alone
		if err := s.Commit(ctx, Batch{Use: usage.Batch{Denials: b.Denials}}); err != nil {
			return err
		}
		b.Denials = nil
	}
	c, err := s.change(Batch{Use: b})
	if err == nil {
		err = s.alone(ctx, c, false)
	}
	if err != nil {
		return fmt.Errorf("commit use: %w", err)
	}
	return nil
}

// lockUsage keeps other writers of the ledger out until the transaction ends.
func (s *Store) lockUsage(ctx context.Context, tx transaction) error {
	if s.dialect.lockUsage == "" {
		return nil
	}
	if _, err := tx.ExecContext(ctx, s.dialect.lockUsage); err != nil {
		return fmt.Errorf("wait for other writers of the ledger: %w", err)
	}
	return nil
}

// UsageRuns returns the runs of a part of the ledger, the oldest first.
func (s *Store) UsageRuns(ctx context.Context, part int) ([][]byte, error) {
	runs, _, err := readRuns(ctx, s.read, part)
	return runs, err
}

// readRuns returns the runs of a part with their numbers.
func readRuns(ctx context.Context, q queryer, part int) (runs [][]byte, numbers []int64, err error) {
	rows, err := q.QueryContext(ctx, `SELECT run, body FROM usage_runs WHERE part = $1 ORDER BY run`, part)
	if err != nil {
		return nil, nil, fmt.Errorf("read part %d: %w", part, err)
	}
	defer rows.Close()
	for rows.Next() {
		var body []byte
		var number int64
		if err := rows.Scan(&number, &body); err != nil {
			return nil, nil, fmt.Errorf("read part %d: %w", part, err)
		}
		runs, numbers = append(runs, body), append(numbers, number)
	}
	if err := rows.Err(); err != nil {
		return nil, nil, fmt.Errorf("read part %d: %w", part, err)
	}
	return runs, numbers, nil
}

// UsageHours returns the hours of an account, of all for "".
func (s *Store) UsageHours(ctx context.Context, account string) ([]usage.Hours, error) {
	return readHours(ctx, s.read, `$1 = '' OR account = $1`, account)
}

func readHours(ctx context.Context, q queryer, where string, args ...any) ([]usage.Hours, error) {
	rows, err := q.QueryContext(ctx, `SELECT account, region, month, seen, proved FROM usage_hours WHERE `+where+` ORDER BY account, region, month`, args...)
	if err != nil {
		return nil, fmt.Errorf("read hours: %w", err)
	}
	defer rows.Close()
	var out []usage.Hours
	for rows.Next() {
		h, err := scanHours(rows)
		if err != nil {
			return nil, fmt.Errorf("read hours: %w", err)
		}
		out = append(out, h)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read hours: %w", err)
	}
	return out, nil
}

// UsageFacts returns the facts of a kind, the oldest first.
func (s *Store) UsageFacts(ctx context.Context, kind string) ([]usage.Fact, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id, at, body FROM usage_facts WHERE kind = $1 ORDER BY at, id`, kind)
	if err != nil {
		return nil, fmt.Errorf("read facts: %w", err)
	}
	defer rows.Close()
	var out []usage.Fact
	for rows.Next() {
		f := usage.Fact{Kind: kind}
		var body string
		if err := rows.Scan(&f.ID, &f.At, &body); err != nil {
			return nil, fmt.Errorf("read facts: %w", err)
		}
		f.Body = json.RawMessage(body)
		out = append(out, f)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read facts: %w", err)
	}
	return out, nil
}

// CompactUsage merges the runs of each part that has more than most, each part in
// a transaction of its own, and forgets what was over before the cutoff; the zero
// time forgets nothing. One that forgets nothing leaves the work to whoever is at
// it in this process already.
func (s *Store) CompactUsage(ctx context.Context, most int, cutoff time.Time) error {
	if cutoff.IsZero() && most > 0 {
		if !s.compacting.TryLock() {
			return nil
		}
	} else {
		s.compacting.Lock()
	}
	defer s.compacting.Unlock()
	rows, err := s.read.QueryContext(ctx, `SELECT part FROM usage_runs GROUP BY part HAVING count(*) > $1 ORDER BY part`, most)
	if err != nil {
		return fmt.Errorf("compact use: %w", err)
	}
	parts, err := collect[int](rows, "parts")
	if err != nil {
		return fmt.Errorf("compact use: %w", err)
	}
	if err := s.compactParts(ctx, parts, usage.SecondOf(cutoff)); err != nil {
		return err
	}
	if cutoff.IsZero() {
		return nil
	}
	if err := s.forgetMarks(ctx, cutoff); err != nil {
		return err
	}
	return s.tx(ctx, func(ctx context.Context, tx transaction) error {
		at := usage.SecondOf(cutoff)
		month := cutoff.Year()*12 + int(cutoff.Month()) - 1
		for _, d := range []struct {
			query string
			arg   int64
		}{
			{`DELETE FROM usage_hours WHERE month < $1`, int64(month)},
			{`DELETE FROM usage_facts WHERE at < $1 AND kind <> 'scope'`, int64(at)},
		} {
			if _, err := tx.ExecContext(ctx, d.query, d.arg); err != nil {
				return fmt.Errorf("forget use: %w", err)
			}
		}
		return nil
	})
}

// compactParts does several at once: merging takes the processor, not the database.
func (s *Store) compactParts(ctx context.Context, parts []int, cutoff usage.Second) error {
	next := make(chan int, len(parts))
	for _, part := range parts {
		next <- part
	}
	close(next)
	errs := make([]error, min(runtime.GOMAXPROCS(0), len(parts)))
	var workers sync.WaitGroup
	for i := range errs {
		workers.Go(func() {
			for part := range next {
				if err := s.compactPart(ctx, part, cutoff); err != nil {
					errs[i] = fmt.Errorf("compact use: part %d: %w", part, err)
					return
				}
			}
		})
	}
	workers.Wait()
	return errors.Join(errs...)
}

// compactPart merges outside of the transaction, so that nobody waits for it, and
// puts the merger in the place of the runs if these are still what they were.
func (s *Store) compactPart(ctx context.Context, part int, cutoff usage.Second) error {
	const tries = 5 // another process may compact too
	for range tries {
		runs, numbers, err := readRuns(ctx, s.read, part)
		if err != nil || len(runs) == 0 || len(runs) == 1 && cutoff == 0 {
			return err
		}
		first := 0
		if cutoff == 0 {
			first = worthwhile(runs)
		}
		merged, err := usage.MergeRuns(runs[first:], cutoff)
		if err != nil {
			return err
		}
		done, err := s.replaceRuns(ctx, part, runs[first:], numbers[first:], merged)
		if err != nil || done {
			return err
		}
	}
	return nil // left for the next time
}

// replaceRuns does nothing, and returns false, if the runs are not there as they
// were read; newer ones do not matter.
func (s *Store) replaceRuns(ctx context.Context, part int, runs [][]byte, numbers []int64, merged []byte) (done bool, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx transaction) error {
		if err := s.lockUsage(ctx, tx); err != nil {
			return err
		}
		last := numbers[len(numbers)-1]
		now, there, err := readRuns(ctx, tx, part)
		if err != nil {
			return err
		}
		from, ok := slices.BinarySearch(there, numbers[0])
		if !ok || len(there)-from < len(numbers) || !slices.Equal(there[from:from+len(numbers)], numbers) ||
			!slices.EqualFunc(now[from:from+len(runs)], runs, bytes.Equal) {
			return nil
		}
		done = true
		if _, err := tx.ExecContext(ctx, `DELETE FROM usage_runs WHERE part = $1 AND run >= $2 AND run <= $3`, part, numbers[0], last); err != nil || merged == nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO usage_runs (part, run, body) VALUES ($1, $2, $3)`, part, numbers[0], merged)
		return err
	})
	return done, err
}

// worthwhile returns the first of the newest runs that are to be merged: a run
// that is larger than all newer ones together stays as it is, so that a large
// ledger is not written again for each small addition. Where that would leave
// most runs, all are merged.
func worthwhile(runs [][]byte) int {
	first := len(runs) - 1
	for newer := len(runs[first]); first > 0 && len(runs[first-1]) <= newer; first-- {
		newer += len(runs[first-1])
	}
	if first > len(runs)/2 || len(runs) < 4 {
		return 0
	}
	return first
}
