package store

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"
)

// write writes what goes through and ends the transaction.
func (t *turn) write(ctx context.Context) error {
	f := &t.forms
	list := t.fits()
	rows := map[*form][][]any{}
	var leaves [][]byte
	for _, c := range list {
		for form, more := range c.rows {
			rows[form] = append(rows[form], more...)
		}
		d := t.denied[c]
		rows[f.denials] = append(rows[f.denials], d.rows...)
		for _, l := range d.leaves {
			leaves = append(leaves, l.body)
			if l.sealsSomething {
				rows[f.sealed] = append(rows[f.sealed], row(l.commitment, l.sealed))
			}
		}
		leaves = append(leaves, c.leaves...)
		t.late(c.batch, rows)
	}
	for _, s := range t.spent {
		rows[f.spends] = append(rows[f.spends], row(s.Remediation, s.Account, s.Control, micros(s.At)))
	}
	for i := range rows[f.notices] {
		rows[f.notices][i] = slices.Clone(rows[f.notices][i]) // the change may be written once more
		rows[f.notices][i][4] = micros(t.now)
	}
	if len(rows[f.kept]) > 0 {
		rows[f.keptBound] = [][]any{row(int64(t.kept))}
	}
	rows[f.jobs], rows[f.counts] = asked(rows[f.jobs]), counted(rows[f.counts])
	byName := func(a, b []any) int { return cmp.Compare(a[0].(string), b[0].(string)) }
	slices.SortStableFunc(rows[f.remember], byName) // in one order, so that two callers cannot block each other
	slices.SortStableFunc(rows[f.first], byName)
	t.use(list, rows)
	if err := t.append(ctx, leaves, rows); err != nil {
		return err
	}
	var steps []step
	doubt := false
	for _, form := range f.writes {
		if len(rows[form]) == 0 {
			continue
		}
		for _, round := range rounds(rows[form], form.unique) {
			steps, doubt = append(steps, step{form: form, rows: round}), doubt || form.short != nil
		}
	}
	if doubt { // what is short must be known before the end
		if err := t.session.run(ctx, steps...); err != nil {
			return err
		}
		steps = nil
	}
	if err := t.session.run(ctx, append(steps, step{form: f.commit})...); err != nil {
		return err
	}
	if t.grown > 0 {
		t.logged.Store(t.grown)
	}
	return nil
}

// late are the rows that depend on when they are written.
func (t *turn) late(b Batch, rows map[*form][][]any) {
	f := &t.forms
	if b.Taken != "" {
		prefix := rememberPrefix + takenPrefix
		rows[f.forget] = [][]any{row(int64(len(prefix)), prefix, takenCut(t.now))}
		rows[f.taken] = append(rows[f.taken], row(takenName(b.Taken), Moment(t.now.Truncate(time.Second))))
	}
	if b.Posting != nil {
		rows[f.posted] = append(rows[f.posted], row(rememberPrefix+postedName, strconv.FormatInt(b.Posting.Next, 10)))
	}
}

// The columns of the rows of form jobs that asked looks at.
const (
	jobKind, jobKeyID             = 0, 1
	jobSeq, jobPriority, jobRunAt = 3, 4, 5
	jobPayload                    = 9
)

// asked makes one row of all that ask for the same job: it was asked for so often, with the
// highest priority, at the earliest time, and for the last reason.
func asked(rows [][]any) [][]any {
	at := make(map[[2]string]int, len(rows))
	var out [][]any
	for _, r := range rows {
		id := [2]string{r[jobKind].(string), r[jobKeyID].(string)}
		i, there := at[id]
		if !there {
			at[id] = len(out)
			out = append(out, slices.Clone(r))
			continue
		}
		o := out[i]
		o[jobSeq] = o[jobSeq].(int64) + r[jobSeq].(int64)
		o[jobPriority] = min(o[jobPriority].(int64), r[jobPriority].(int64))
		o[jobRunAt] = min(o[jobRunAt].(int64), r[jobRunAt].(int64))
		o[jobPayload] = r[jobPayload]
	}
	return out
}

// counted makes one row of all that add to the same counter, in the order of their names.
func counted(rows [][]any) [][]any {
	sums := map[string]int64{}
	for _, r := range rows {
		sums[r[0].(string)] += r[1].(int64)
	}
	var out [][]any
	for name, n := range sums {
		out = append(out, row(name, n))
	}
	slices.SortFunc(out, func(a, b []any) int { return cmp.Compare(a[0].(string), b[0].(string)) })
	return out
}
