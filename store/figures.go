package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"dera.example/dera"
)

// Figures are how much there is of what, for metrics.
type Figures struct {
	Open         map[dera.Severity]int64 // findings that are open
	Remediations map[dera.State]int64
	Due          map[string]Due // jobs that are due and not claimed, by kind
	Alarms       int            // that stand
	Backlogs     []Backlog
	Records      int64  // of the audit log
	Signed       int64  // of these, covered by the last checkpoint
	Checkpoint   string // the last one, or ""
	// Anchored is what is remembered of the last checkpoint at each anchor, by its name.
	Anchored map[string]string
	Bytes    int64 // of the database
}

// Due are jobs of one kind.
type Due struct {
	Jobs   int64
	Oldest time.Time // since when the oldest has been due
}

// Commits counts the calls of Commit by this process.
type Commits struct {
	Done    int64
	Refused int64 // conflict, lost lease, spent budget, and the like: nothing is wrong with the database
	Failed  int64
}

// commits counts as it goes.
type commits struct{ done, refused, failed atomic.Int64 }

func (c *commits) count(err error) {
	switch {
	case err == nil:
		c.done.Add(1)
	case errors.Is(err, ErrConflict), errors.Is(err, ErrFenced), errors.Is(err, ErrBudget), errors.Is(err, ErrTaken), errors.Is(err, ErrAlarm):
		c.refused.Add(1)
	default:
		c.failed.Add(1)
	}
}

// Commits returns what became of the calls of Commit by this process so far.
func (s *Store) Commits() Commits {
	return Commits{s.commits.done.Load(), s.commits.refused.Load(), s.commits.failed.Load()}
}

// AnchoredPrefix begins the names under which is remembered what each anchor has.
const AnchoredPrefix = "anchored/"

// Figures reads them, each from an index. They are not of one moment.
func (s *Store) Figures(ctx context.Context) (Figures, error) {
	f := Figures{
		Open: map[dera.Severity]int64{}, Remediations: map[dera.State]int64{}, Due: map[string]Due{},
	}
	for _, read := range []func(context.Context, *Figures) error{s.openFigures, s.remediationFigures, s.dueFigures, s.logFigures} {
		if err := read(ctx, &f); err != nil {
			return f, fmt.Errorf("read figures: %w", err)
		}
	}
	return f, nil
}

func (s *Store) openFigures(ctx context.Context, f *Figures) error {
	rows, err := s.read.QueryContext(ctx, `SELECT severity, count(*) FROM findings WHERE state = 'open' GROUP BY severity`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var severity, n int64
		if err := rows.Scan(&severity, &n); err != nil {
			return err
		}
		f.Open[dera.Severity(severity)] = n
	}
	return rows.Err()
}

func (s *Store) remediationFigures(ctx context.Context, f *Figures) error {
	rows, err := s.read.QueryContext(ctx, `SELECT state, count(*) FROM remediations GROUP BY state`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var state string
		var n int64
		if err := rows.Scan(&state, &n); err != nil {
			return err
		}
		f.Remediations[dera.State(state)] = n
	}
	return rows.Err()
}

func (s *Store) dueFigures(ctx context.Context, f *Figures) error {
	rows, err := s.read.QueryContext(ctx, `SELECT kind, count(*), min(run_at) FROM jobs WHERE run_at <= $1 AND leased_until <= $1 GROUP BY kind`, micros(s.now()))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var kind string
		var n, oldest int64
		if err := rows.Scan(&kind, &n, &oldest); err != nil {
			return err
		}
		f.Due[kind] = Due{n, fromMicros(oldest)}
	}
	return rows.Err()
}

func (s *Store) logFigures(ctx context.Context, f *Figures) (err error) {
	if f.Records, err = s.LogSize(ctx); err != nil {
		return err
	}
	if f.Signed, f.Checkpoint, err = s.LastCheckpoint(ctx); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	alarms, err := s.Alarms(ctx)
	if err != nil {
		return err
	}
	f.Alarms = len(alarms)
	if f.Backlogs, err = s.Backlogs(ctx); err != nil {
		return err
	}
	if f.Anchored, err = s.RememberedUnder(ctx, AnchoredPrefix); err != nil {
		return err
	}
	return s.read.QueryRowContext(ctx, s.dialect.bytes).Scan(&f.Bytes)
}
