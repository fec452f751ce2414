package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"dera.example/dera/usage"
)

func addMark(ctx context.Context, tx transaction, m usage.Mark) error {
	old, err := readMark(ctx, tx, m.File)
	switch {
	case errors.Is(err, usage.ErrNoMark):
	case err != nil:
		return err
	case old.Done || old.Records != m.From:
		return fmt.Errorf("%w: %s", usage.ErrMarked, m.Name)
	}
	damaged, body := 0, []byte(nil)
	if m.Damage != "" || m.Lost > 0 || !m.Done {
		var err error
		if body, err = json.Marshal(m); err != nil {
			return fmt.Errorf("mark %s: %w", m.Name, err)
		}
		damaged = 1
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO usage_marks (file, at, damaged, body) VALUES ($1, $2, $3, $4)
		ON CONFLICT (file) DO UPDATE SET at = excluded.at, damaged = excluded.damaged, body = excluded.body`, m.File, int64(m.At), damaged, string(body)); err != nil {
		return fmt.Errorf("mark %s: %w", m.Name, err)
	}
	return nil
}

// UsageMark returns the mark of a file, or usage.ErrNoMark.
func (s *Store) UsageMark(ctx context.Context, file string) (usage.Mark, error) {
	return readMark(ctx, s.read, file)
}

func readMark(ctx context.Context, q queryer, file string) (usage.Mark, error) {
	var body string
	var at usage.Second
	err := q.QueryRowContext(ctx, `SELECT at, body FROM usage_marks WHERE file = $1`, file).Scan(&at, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return packedMark(ctx, q, file)
	}
	if err != nil {
		return usage.Mark{}, fmt.Errorf("read mark: %w", err)
	}
	m := usage.Mark{File: file, Done: true, At: at}
	if body == "" {
		return m, nil
	}
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		return usage.Mark{}, fmt.Errorf("read mark: %w", err)
	}
	return m, nil
}

// UsageMarks returns the marks of files that were not read whole.
func (s *Store) UsageMarks(ctx context.Context) ([]usage.Mark, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT body FROM usage_marks WHERE damaged = 1 ORDER BY file`)
	if err != nil {
		return nil, fmt.Errorf("read marks: %w", err)
	}
	return collect[usage.Mark](rows, "marks")
}

// packedMark looks for the mark of a file among those that were packed.
func packedMark(ctx context.Context, q queryer, file string) (usage.Mark, error) {
	prefix, mark, ok := fingerprint(file)
	if !ok {
		return usage.Mark{}, usage.ErrNoMark
	}
	sets, err := readMarkSets(ctx, q, prefix)
	if err != nil {
		return usage.Mark{}, err
	}
	for _, s := range sets {
		found, err := hasMark(s.body, mark)
		if err != nil {
			return usage.Mark{}, fmt.Errorf("read mark: %w", err)
		}
		if found {
			first := time.Date(s.month/12, time.Month(s.month%12+1), 1, 0, 0, 0, 0, time.UTC)
			return usage.Mark{File: file, Done: true, At: usage.SecondOf(first)}, nil
		}
	}
	return usage.Mark{}, usage.ErrNoMark
}

// markSet is one row of packed marks.
type markSet struct {
	run   int64
	month int
	body  []byte
}

func readMarkSets(ctx context.Context, q queryer, prefix int) ([]markSet, error) {
	rows, err := q.QueryContext(ctx, `SELECT run, month, body FROM usage_mark_sets WHERE prefix = $1 ORDER BY run`, prefix)
	if err != nil {
		return nil, fmt.Errorf("read packed marks: %w", err)
	}
	defer rows.Close()
	var out []markSet
	for rows.Next() {
		var s markSet
		if err := rows.Scan(&s.run, &s.month, &s.body); err != nil {
			return nil, fmt.Errorf("read packed marks: %w", err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read packed marks: %w", err)
	}
	return out, nil
}

const (
	// maxMarks is how many marks of files that were read whole stand each in a row
	// of its own, before all of them are packed.
	maxMarks = 500_000
	// marksBetween is how many marks this process writes before it counts all.
	marksBetween = 10_000
	// packedAtOnce bounds what one transaction packs.
	packedAtOnce = 4096
	// mostMarkSets is how many sets of a prefix and month wait to be merged.
	mostMarkSets = 8
)

// packAllMarks packs the marks of files that were read whole if there are more
// than most, some in each transaction: a mark stands in a row of its own or in a
// set, whenever somebody looks.
func (s *Store) packAllMarks(ctx context.Context, most int) error {
	if s.marked.Load() < marksBetween {
		return nil
	}
	s.marked.Store(0)
	var n int
	if err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM usage_marks WHERE damaged = 0 LIMIT CAST($1 AS BIGINT)) AS few`, most+1).Scan(&n); err != nil {
		return fmt.Errorf("count marks: %w", err)
	}
	if n <= most {
		return nil
	}
	for after, more := "", true; more; {
		err := s.tx(ctx, func(ctx context.Context, tx transaction) error {
			if err := s.lockUsage(ctx, tx); err != nil {
				return err
			}
			var err error
			after, more, err = packSome(ctx, tx, after)
			return err
		})
		if err != nil {
			return fmt.Errorf("pack marks: %w", err)
		}
	}
	return nil
}

// packSome packs the marks behind one, in the order of their names and so of their
// prefixes, and returns the last; false when there are no more.
func packSome(ctx context.Context, tx transaction, after string) (last string, more bool, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT file, at FROM usage_marks WHERE damaged = 0 AND file > $1 ORDER BY file LIMIT CAST($2 AS BIGINT)`, after, packedAtOnce)
	if err != nil {
		return "", false, err
	}
	defer rows.Close()
	type place struct{ prefix, month int }
	found := map[place][]uint64{}
	var files []string
	n := 0
	for rows.Next() {
		var at usage.Second
		if err := rows.Scan(&last, &at); err != nil {
			return "", false, err
		}
		n++
		if prefix, mark, ok := fingerprint(last); ok {
			t := at.Time()
			p := place{prefix, t.Year()*12 + int(t.Month()) - 1}
			found[p] = append(found[p], mark)
			files = append(files, last)
		}
	}
	if err := rows.Err(); err != nil {
		return "", false, err
	}
	for p, marks := range found {
		slices.Sort(marks)
		if err := addMarkSet(ctx, tx, p.prefix, markSet{month: p.month, body: packMarks(slices.Compact(marks))}); err != nil {
			return "", false, err
		}
	}
	for _, f := range files {
		if _, err := tx.ExecContext(ctx, `DELETE FROM usage_marks WHERE file = $1`, f); err != nil {
			return "", false, err
		}
	}
	return last, n == packedAtOnce, nil
}

// addMarkSet adds a set to a prefix, merged with others of its month if these
// are many. With the first of a month all others of each month before become one.
func addMarkSet(ctx context.Context, tx transaction, prefix int, add markSet) error {
	sets, err := readMarkSets(ctx, tx, prefix)
	if err != nil {
		return err
	}
	next := int64(1)
	if len(sets) > 0 {
		next = sets[len(sets)-1].run + 1
	}
	of := map[int][]markSet{}
	for _, s := range sets {
		of[s.month] = append(of[s.month], s)
	}
	begins := len(of[add.month]) == 0
	add.run = next
	of[add.month] = append(of[add.month], add)
	for month, list := range of {
		first := 0
		switch {
		case month == add.month && len(list) <= mostMarkSets:
			first = len(list) - 1
		case month == add.month:
			first = worthwhile(bodiesOf(list))
		case !begins || len(list) == 1:
			continue
		}
		if err := mergeMarkSets(ctx, tx, prefix, list[first:]); err != nil {
			return err
		}
	}
	return nil
}

func bodiesOf(list []markSet) [][]byte {
	out := make([][]byte, len(list))
	for i, s := range list {
		out[i] = s.body
	}
	return out
}

// mergeMarkSets puts one set in the place of several, the last of which need not
// be there yet.
func mergeMarkSets(ctx context.Context, tx transaction, prefix int, list []markSet) error {
	last := list[len(list)-1]
	body := last.body
	if len(list) > 1 {
		var err error
		if body, err = mergeMarks(bodiesOf(list)); err != nil {
			return err
		}
	}
	for _, s := range list {
		if _, err := tx.ExecContext(ctx, `DELETE FROM usage_mark_sets WHERE prefix = $1 AND run = $2`, prefix, s.run); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO usage_mark_sets (prefix, run, month, body) VALUES ($1, $2, $3, $4)`, prefix, last.run, last.month, body)
	return err
}
