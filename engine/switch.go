package engine

import (
	"context"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/evaluate"
	"dera.example/dera/store"
)

// Switch stops and resumes. It needs the store alone, so that it works when AWS,
// the configuration and every engine are down.
type Switch struct {
	Store *store.Store
	Now   func() time.Time
}

// Stop records a stop; it holds from the next write on, in every process that
// shares the store.
func (w Switch) Stop(ctx context.Context, s dera.Stop, by dera.Actor) error {
	s.By, s.At = by.Name, w.Now().UTC()
	return w.Store.Commit(ctx, store.Batch{Stops: []dera.Stop{s}, Records: []dera.AuditRecord{w.record(dera.RecordStop, s, by)}})
}

// Resume lifts a stop, and closes the breakers of where it held. Where there
// is nothing of both, it records nothing.
func (w Switch) Resume(ctx context.Context, s dera.Stop, by dera.Actor) error {
	if something, err := w.Resumable(ctx, s); err != nil || !something {
		return err
	}
	return w.Store.Commit(ctx, store.Batch{Resumes: []dera.Stop{s}, Remember: w.closes(s), Records: []dera.AuditRecord{w.record(dera.RecordResume, s, by)}})
}

// Resumable reports whether there is anything to resume in the very scope: a stop,
// or fixes that failed and that a breaker counts.
func (w Switch) Resumable(ctx context.Context, s dera.Stop) (bool, error) {
	stops, err := w.Store.Stops(ctx)
	if err != nil {
		return false, err
	}
	if slices.ContainsFunc(stops, func(o dera.Stop) bool { return o.Account == s.Account && o.Control == s.Control }) {
		return true, nil
	}
	if s.Control != "" {
		return false, nil // the breakers know no controls
	}
	fixes, err := w.Store.FailedFixes(ctx, w.Now().Add(-evaluate.BreakerPast))
	if err != nil {
		return false, err
	}
	resumed, err := w.Store.Resumed(ctx)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(fixes, func(f dera.FailedFix) bool {
		return (s.Account == "" || f.Account == s.Account) && f.At.After(resumed[f.Account]) && f.At.After(resumed[""])
	}), nil
}

// closes remembers the resume, from which on the breakers count again. One of a
// control alone says nothing about the others.
func (w Switch) closes(s dera.Stop) map[string]string {
	if s.Control != "" {
		return nil
	}
	return map[string]string{store.ResumedName(s.Account): store.Moment(w.Now())}
}

func (w Switch) record(kind dera.RecordKind, s dera.Stop, by dera.Actor) dera.AuditRecord {
	return dera.AuditRecord{Version: 1, Kind: kind, Time: w.Now().UTC(), Actor: by, Account: s.Account, Control: s.Control, Why: s.Where() + reasonText(s.Reason)}
}
