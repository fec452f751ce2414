package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"dera.example/dera"
	"dera.example/dera/usage"
)

// turn is one transaction with the changes that are joined in it. It reads what refuses a
// change once for all of them, judges them one after the other in memory, and writes those
// that go through: what is there then is what there would be had they been committed one
// by one, in their order. No two of them touch the same thing where the order counts.
type turn struct {
	*Store
	session session
	changes []*change
	// verdicts are why a change is refused, or nil.
	verdicts []error
	// now is the time of the turn, not of the request: a lease that ran out in the queue
	// is over.
	now   time.Time
	known known
	// spent are the spends of the changes that go through, before they are written.
	spent []Spend
	// denied is what the denials of a change come to.
	denied map[*change]denied
	// guess is the size of the log that its edge was read for, and grown that after the turn.
	guess, grown int64
}

// known is what the database says before the turn.
type known struct {
	leases    map[string]dera.Lease
	revisions map[string]int64
	decided   map[string]int64
	ended     map[string]int64
	names     map[string]string
	spends    []spends
	size      int64
	edge      map[int64][]byte
	runs      map[int64]int64
	hours     map[string]usage.Hours
	marks     map[string]usage.Mark
	denials   map[[2]string]string
	fixes     map[string]stored
}

// spends is what counts against a spend.
type spends struct{ near, everywhere, reserve, own int64 }

// stored is a remediation as it lies in the database.
type stored struct {
	state string
	body  []byte
}

// take begins the transaction, reads, and judges. Without loop it waits for other writers of
// the ledger alone.
func (t *turn) take(ctx context.Context, loop bool) error {
	f := &t.forms
	steps := []step{{form: f.begin}}
	if loop && f.lock != nil {
		steps = append(steps, step{form: f.lock})
	}
	steps = append(steps, t.reads()...)
	if err := t.session.run(ctx, steps...); err != nil {
		return err
	}
	if loop {
		t.now = t.Store.now()
	}
	t.verdicts, t.denied = make([]error, len(t.changes)), map[*change]denied{}
	num := 0
	for i, c := range t.changes {
		t.verdicts[i] = t.judge(c, num)
		num += len(c.batch.Spends)
	}
	return nil
}

// fits are the changes that go through.
func (t *turn) fits() []*change {
	var out []*change
	for i, c := range t.changes {
		if t.verdicts[i] == nil {
			out = append(out, c)
		}
	}
	return out
}

// reads are the steps that read what the changes are judged by.
func (t *turn) reads() []step {
	f, k := &t.forms, &t.known
	var fences, fixes, decided, accesses, names, spent [][]any
	records := false
	for _, c := range t.changes {
		b := c.batch
		if b.Fence != nil {
			fences = append(fences, []any{b.Fence.Resource})
		}
		for _, r := range b.Remediations {
			fixes = append(fixes, []any{r.ID})
		}
		for _, key := range slices.Sorted(maps.Keys(b.Known)) {
			decided = append(decided, []any{key})
		}
		for _, a := range b.Accesses {
			accesses = append(accesses, []any{a.ID})
		}
		for _, name := range b.names() {
			names = append(names, []any{name})
		}
		for _, s := range b.Spends {
			spent = append(spent, spentRow(len(spent), s))
		}
		records = records || len(c.leaves)+len(c.denied) > 0
	}
	var out []step
	ask := func(form *form, rows [][]any, scan func(scanner) error) {
		if len(rows) > 0 {
			out = append(out, step{form: form, rows: rows, scan: scan})
		}
	}
	k.leases, k.revisions, k.decided, k.ended, k.names, k.spends = map[string]dera.Lease{}, map[string]int64{}, map[string]int64{}, map[string]int64{}, map[string]string{}, make([]spends, len(spent))
	ask(f.leases, fences, func(s scanner) error {
		var l dera.Lease
		var until int64
		err := s.Scan(&l.Resource, &l.Owner, &l.Token, &until)
		l.Until = fromMicros(until)
		k.leases[l.Resource] = l
		return err
	})
	ask(f.revisions, fixes, func(s scanner) error { return pair(s, k.revisions) })
	ask(f.decided, decided, func(s scanner) error { return pair(s, k.decided) })
	ask(f.ended, accesses, func(s scanner) error { return pair(s, k.ended) })
	ask(f.names, names, func(s scanner) error { return pair(s, k.names) })
	ask(f.spent, spent, func(s scanner) error {
		var num int64
		var x spends
		err := s.Scan(&num, &x.near, &x.everywhere, &x.reserve, &x.own)
		if err == nil {
			k.spends[num] = x
		}
		return err
	})
	if records {
		out = append(out, t.logReads()...)
	}
	out = append(out, t.denialReads()...)
	return append(out, t.useReads()...)
}

// pair reads a name and what belongs to it.
func pair[T any](s scanner, into map[string]T) error {
	var name string
	var v T
	err := s.Scan(&name, &v)
	into[name] = v
	return err
}

// names are those under which it is remembered whether the batch may be committed.
func (b Batch) names() []string {
	var out []string
	if b.Alarm != nil {
		out = append(out, alarmName(b.Alarm.Key))
	}
	if b.AlarmEnded != "" {
		out = append(out, alarmName(b.AlarmEnded))
	}
	if b.Taken != "" {
		out = append(out, takenName(b.Taken))
	}
	if b.Posting != nil {
		out = append(out, rememberPrefix+postedName)
	}
	return out
}

func spentRow(num int, s Spend) []any {
	row := []any{int64(num), s.Account, s.Control, micros(s.At.Add(-time.Hour)), s.Remediation, int64(s.Everywhere), int64(0), "", int64(0)}
	if r := s.Reserve; r != nil {
		row[6], row[7], row[8] = int64(1), r.Account, micros(r.Since)
	}
	return row
}

// judge says why a change must not be written, with all before it that go through written;
// num is the number of its first spend in the turn.
func (t *turn) judge(c *change, num int) error {
	b := c.batch
	if b.Fence != nil {
		if _, err := holds(t.known.leases[b.Fence.Resource], *b.Fence, t.now); err != nil {
			return err
		}
	}
	spent, err := t.spends(b, num)
	if err != nil {
		return err
	}
	for key, n := range b.Known {
		if t.known.decided[key] != n {
			return fmt.Errorf("%s has %d remediations, not %d: %w", key, t.known.decided[key], n, ErrConflict)
		}
	}
	revisions := map[string]int64{}
	for _, r := range b.Remediations {
		now, there := revisions[r.ID]
		if !there {
			now = t.known.revisions[r.ID]
		}
		if now != r.Revision {
			return fmt.Errorf("remediation %s at revision %d: %w", r.ID, r.Revision, ErrConflict)
		}
		revisions[r.ID] = now + 1
	}
	over := map[string]bool{}
	for _, a := range b.Accesses {
		if over[a.ID] || t.known.ended[a.ID] != 0 { // somebody else recorded its end
			return fmt.Errorf("access %s: %w", a.ID, ErrConflict)
		}
		over[a.ID] = a.End != nil && micros(a.End.At) != 0
	}
	if err := t.named(b); err != nil {
		return err
	}
	if err := t.marked(b.Use.Marks); err != nil {
		return err
	}
	if err := t.denials(c); err != nil {
		return err
	}
	t.spent = append(t.spent, spent...)
	return nil
}

// spends counts and refuses within the transaction, so that a budget holds over all
// replicas (I12). It returns the spends that are new.
func (t *turn) spends(b Batch, num int) ([]Spend, error) {
	var fresh []Spend
	for i, s := range b.Spends {
		k := t.known.spends[num+i]
		hour := micros(s.At.Add(-time.Hour))
		count := func(since int64, is func(Spend) bool) (n int64) {
			for _, list := range [][]Spend{t.spent, fresh} {
				for _, o := range list {
					if o.Remediation != s.Remediation && micros(o.At) > since && is(o) {
						n++
					}
				}
			}
			return n
		}
		near := k.near + count(hour, func(o Spend) bool { return o.Account == s.Account && o.Control == s.Control })
		if s.Limit < 0 || s.Limit > 0 && near >= int64(s.Limit) {
			return nil, fmt.Errorf("account %s, control %s: %w", s.Account, s.Control, ErrBudget)
		}
		if s.Everywhere != 0 && k.everywhere+count(hour, func(Spend) bool { return true }) >= int64(s.Everywhere) {
			return nil, fmt.Errorf("all accounts: %w", ErrBudget)
		}
		if r := s.Reserve; r != nil && k.reserve+count(micros(r.Since), func(o Spend) bool { return r.Account == "" || o.Account == r.Account }) >= int64(r.Most) {
			return nil, fmt.Errorf("reserve of %d: %w", r.Most, ErrBudget)
		}
		if k.own == 0 && !slices.ContainsFunc(fresh, func(o Spend) bool { return o.Remediation == s.Remediation }) {
			fresh = append(fresh, s)
		}
	}
	return fresh, nil
}

// named judges by what is remembered: each alarm begins and ends once over all replicas, of
// two processes that have the same message one commits it, and of two that read on in the
// log one posts.
func (t *turn) named(b Batch) error {
	if b.Alarm != nil {
		if _, stands := t.known.names[alarmName(b.Alarm.Key)]; stands {
			return fmt.Errorf("alarm %s: %w", b.Alarm.Key, ErrAlarm)
		}
	}
	if key := b.AlarmEnded; key != "" {
		if _, stands := t.known.names[alarmName(key)]; !stands && (b.Alarm == nil || b.Alarm.Key != key) {
			return fmt.Errorf("alarm %s: %w", key, ErrAlarm)
		}
	}
	if b.Taken != "" {
		if at, taken := t.known.names[takenName(b.Taken)]; taken && at >= takenCut(t.now) {
			return fmt.Errorf("message %q: %w", b.Taken, ErrTaken)
		}
	}
	if p := b.Posting; p != nil {
		if at, ever := t.known.names[rememberPrefix+postedName]; ever && at != strconv.FormatInt(p.From, 10) {
			return fmt.Errorf("post from %d: %w", p.From, ErrConflict)
		}
	}
	return nil
}

// holds returns until when the lease is held as it stands now, or ErrFenced.
func holds(now, ours dera.Lease, at time.Time) (time.Time, error) {
	switch {
	case now.Token == 0:
		return time.Time{}, fmt.Errorf("%w: nobody holds %s", ErrFenced, ours.Resource)
	case now.Owner != ours.Owner || now.Token != ours.Token:
		return time.Time{}, fmt.Errorf("%w: %s went to %q with token %d, ours is %d", ErrFenced, ours.Resource, now.Owner, now.Token, ours.Token)
	case !now.Until.After(at):
		return time.Time{}, fmt.Errorf("%w: that of %s with token %d is over", ErrFenced, ours.Resource, ours.Token)
	}
	return now.Until, nil
}
