package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/store"
)

// WhyStore is what dera why reads: the audit log, and of each remediation that it names what
// the database has.
type WhyStore interface {
	audit.Source
	Remediation(ctx context.Context, id string) (dera.Remediation, error)
	Intents(ctx context.Context, remediation string) ([]dera.Intent, error)
	Evidence(ctx context.Context, hash string) ([]byte, error)
}

// recorded is what the audit log has of the writes of a remediation.
type recorded struct {
	id     string
	digest string
	first  int64                // the first record
	begun  map[move]recordIndex // the earliest intent of each write
}

// move is a write of a remediation: a change of its plan, or the undo of one.
type move struct {
	step int
	undo bool
}

type recordIndex struct {
	index int64
	at    time.Time
}

// recordedWrites reads the audit log and returns every remediation that wrote anything, or
// was about to, in the order of their first records. The log is to be verified before.
func recordedWrites(ctx context.Context, from audit.Source, size int64) ([]*recorded, error) {
	const page = 1000
	byID := map[string]*recorded{}
	var out []*recorded
	for at := int64(0); at < size; {
		leaves, err := from.Leaves(ctx, at, min(page, size-at))
		if err != nil {
			return nil, err
		}
		if len(leaves) == 0 {
			return nil, fmt.Errorf("read audit log: record %d is missing", at)
		}
		for i, leaf := range leaves {
			if !bytes.Contains(leaf, []byte(`"intent"`)) {
				continue
			}
			var rec dera.AuditRecord
			if err := json.Unmarshal(leaf, &rec); err != nil {
				return nil, fmt.Errorf("read audit record %d: %w", at+int64(i), err)
			}
			if rec.Kind != dera.RecordIntent {
				continue
			}
			r := byID[rec.Remediation]
			if r == nil {
				r = &recorded{rec.Remediation, rec.Digest, at + int64(i), map[move]recordIndex{}}
				byID[r.id] = r
				out = append(out, r)
			}
			if rec.Step == nil {
				return nil, fmt.Errorf("audit record %d is an intent that names no change", at+int64(i))
			}
			m := move{*rec.Step, rec.Undo}
			if _, ok := r.begun[m]; !ok {
				r.begun[m] = recordIndex{at + int64(i), rec.Time}
			}
		}
		at += int64(len(leaves))
	}
	return out, nil
}

// load returns the remediation and its writes as the database has them, or why they do not
// say what the log does.
func (r *recorded) load(ctx context.Context, from WhyStore) (dera.Remediation, map[move]dera.Intent, error) {
	rem, err := from.Remediation(ctx, r.id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return rem, nil, r.unreadable("the database does not have it any more")
	case errors.Is(err, store.ErrTorn):
		return rem, nil, r.unreadable("it is damaged, or of another version of dera")
	case err != nil:
		return rem, nil, err
	}
	if digest, err := rem.Plan.Digest(); err != nil || digest != r.digest {
		return rem, nil, r.unreadable("its plan is not the one that the record names")
	}
	list, err := from.Intents(ctx, r.id)
	if err != nil {
		return rem, nil, err
	}
	intents := map[move]dera.Intent{}
	for _, in := range list {
		intents[move{in.Step, in.Undo}] = in
	}
	for m := range r.begun {
		if _, ok := intents[m]; !ok || m.step < 0 || m.step >= len(rem.Plan.Changes) {
			return rem, nil, r.unreadable(fmt.Sprintf("how the write of change %d ended is not in the database", m.step+1))
		}
	}
	for m := range intents {
		if _, ok := r.begun[m]; !ok {
			return rem, nil, r.unreadable("the audit log does not have all of its writes")
		}
	}
	return rem, intents, nil
}

// unreadableError means that what a remediation took away is not known.
type unreadableError struct{ text string }

// Error implements error.
func (e *unreadableError) Error() string { return e.text }

func (r *recorded) unreadable(why string) error {
	return &unreadableError{fmt.Sprintf("what %s changed (record %d) cannot be read: %s", r.id, r.first, why)}
}

// settling is how far the clocks of AWS, of dera and of whoever reports a denial may be apart,
// and how long a change takes to be in effect everywhere.
const settling = 5 * time.Minute

// effect is whether a change was in effect at a time.
type effect uint8

const (
	effectNone effect = iota
	effectMaybe
	effectSure
)

// during says whether the change of a step was in effect at some time from since to until;
// why says what is in doubt.
func (r *recorded) during(step int, intents map[move]dera.Intent, since, until time.Time) (e effect, why string) {
	in, ok := intents[move{step, false}]
	begun := r.begun[move{step, false}].at
	switch {
	case !ok, begun.After(until.Add(settling)):
		return effectNone, ""
	case in.State == dera.IntentNotApplied && !in.Unanswered:
		return effectNone, ""
	}
	e = effectSure
	doubt := func(text string) { e, why = effectMaybe, text }
	switch {
	case in.State != dera.IntentApplied || in.DoneAt == nil:
		doubt("whether the write took effect is not known")
	case in.DoneAt.After(since.Add(-settling)):
		doubt("it was made within minutes of that time, or after it")
	}
	undo, ok := intents[move{step, true}]
	switch {
	case !ok:
	case undo.State == dera.IntentNotApplied && !undo.Unanswered:
	case undo.State != dera.IntentApplied || undo.DoneAt == nil:
		doubt("whether its undo took effect is not known")
	case !undo.DoneAt.Add(settling).After(since):
		return effectNone, ""
	case !r.begun[move{step, true}].at.After(until.Add(settling)):
		doubt("it was undone at " + Stamp(*undo.DoneAt) + ", so that it may not have been in effect")
	}
	return e, why
}

// without leaves out of both lists what stands in both, once for each time.
func without(before, after []string) (b, a []string) {
	a = slices.Clone(after)
	for _, text := range before {
		if i := slices.Index(a, text); i >= 0 {
			a = slices.Delete(a, i, i+1)
			continue
		}
		b = append(b, text)
	}
	return b, a
}
