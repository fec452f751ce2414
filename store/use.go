package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"dera.example/dera/usage"
)

// changeUse makes the part of a batch ready that goes to the usage ledger.
func (s *Store) changeUse(c *change) error {
	use := c.batch.Use
	for _, m := range use.Marks {
		var body *string // of a file that was not read whole
		if m.Damage != "" || m.Lost > 0 || !m.Done {
			text, err := json.Marshal(m)
			if err != nil {
				return fmt.Errorf("mark %s: %w", m.Name, err)
			}
			body = new(string(text))
		}
		c.touch("mark", m.File, true)
		c.add(s.forms.setMarks, fileKey(m.File), int64(m.At), body)
	}
	for _, f := range use.Facts {
		c.add(s.forms.facts, f.ID, f.Kind, int64(f.At), string(f.Body))
	}
	for _, run := range use.Runs {
		c.size, c.count = c.size+len(run), c.count+1
	}
	c.count += len(use.Hours)
	return nil
}

// useReads are the steps that read what the ledger has of what a turn adds to. The first
// keeps other writers of it out: it comes last of all, since whoever holds the ledger waits
// for nobody.
func (t *turn) useReads() []step {
	var runs, hours, marks [][]any
	any := false
	for _, c := range t.changes {
		use := c.batch.Use
		any = any || len(use.Runs)+len(use.Hours)+len(use.Marks)+len(use.Facts) > 0
		for _, part := range slices.Sorted(maps.Keys(use.Runs)) {
			runs = append(runs, row(int64(part)))
		}
		for _, h := range use.Hours {
			hours = append(hours, row(h.Account, h.Region, int64(h.Month)))
		}
		for _, m := range use.Marks {
			marks = append(marks, row(fileKey(m.File)))
		}
	}
	if !any {
		return nil
	}
	k := &t.known
	k.runs, k.hours, k.marks = map[int64]int64{}, map[string]usage.Hours{}, map[string]usage.Mark{}
	var out []step
	if t.forms.lockUsage != nil {
		out = append(out, step{form: t.forms.lockUsage})
	}
	if len(runs) > 0 {
		out = append(out, step{form: t.forms.lastRuns, rows: runs, scan: func(s scanner) error {
			var part, last int64
			err := s.Scan(&part, &last)
			k.runs[part] = last
			return err
		}})
	}
	if len(hours) > 0 {
		out = append(out, step{form: t.forms.hours, rows: hours, scan: func(s scanner) error {
			h, err := scanHours(s)
			k.hours[hoursKey(h)] = h
			return err
		}})
	}
	if len(marks) > 0 {
		out = append(out, step{form: t.forms.marks, rows: marks, scan: func(s scanner) error {
			var key []byte
			m, err := scanMark(s, &key)
			k.marks[string(key)] = m
			return err
		}})
	}
	return out
}

func row(values ...any) []any { return values }

func hoursKey(h usage.Hours) string {
	return h.Account + "\x00" + h.Region + "\x00" + strconv.Itoa(h.Month)
}

func scanHours(s scanner) (usage.Hours, error) {
	var h usage.Hours
	var seen, proved []byte
	err := s.Scan(&h.Account, &h.Region, &h.Month, &seen, &proved)
	copy(h.Seen[:], seen)
	copy(h.Proved[:], proved)
	return h, err
}

// scanMark reads a mark whose file is known, and more in front of it.
func scanMark(s scanner, more ...any) (usage.Mark, error) {
	var body sql.NullString
	m := usage.Mark{Done: true}
	err := s.Scan(append(more, &m.At, &body)...)
	if err == nil && body.Valid {
		err = json.Unmarshal([]byte(body.String), &m)
	}
	return m, err
}

// marked returns usage.ErrMarked where someone else has read the same part of a file.
func (t *turn) marked(list []usage.Mark) error {
	here := map[string]usage.Mark{}
	for _, m := range list {
		key := string(fileKey(m.File))
		old, there := here[key]
		if !there {
			old, there = t.known.marks[key]
		}
		if there && (old.Done || old.Records != m.From) {
			return fmt.Errorf("%w: %s", usage.ErrMarked, m.Name)
		}
		here[key] = m
	}
	return nil
}

// use are the rows that depend on what the ledger has: runs with their numbers, and hours
// merged; bits of these are only ever set.
func (t *turn) use(list []*change, rows map[*form][][]any) {
	merged := map[string]usage.Hours{}
	for _, c := range list {
		for _, part := range slices.Sorted(maps.Keys(c.batch.Use.Runs)) {
			t.known.runs[int64(part)]++
			rows[t.forms.runs] = append(rows[t.forms.runs], row(int64(part), t.known.runs[int64(part)], c.batch.Use.Runs[part]))
		}
		for _, h := range c.batch.Use.Hours {
			key := hoursKey(h)
			old, there := merged[key]
			if !there {
				old, there = t.known.hours[key]
			}
			if there {
				h.Merge(old)
			}
			merged[key] = h
		}
	}
	for _, key := range slices.Sorted(maps.Keys(merged)) {
		h := merged[key]
		rows[t.forms.setHours] = append(rows[t.forms.setHours], row(h.Account, h.Region, int64(h.Month), h.Seen[:], h.Proved[:]))
	}
}
