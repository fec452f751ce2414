package engine

import (
	"context"
	"errors"
	"slices"

	"dera.example/dera"
	"dera.example/dera/store"
)

// Alarm records what a person must hear of dera itself, and tells it as News. While an alarm
// with its key stands, it does nothing, over all processes that share the store. After an error
// it is not recorded, and the caller may try again.
func (e *Engine) Alarm(ctx context.Context, a dera.Alarm) error {
	a.Since, a.Ended = e.cfg.Now().UTC(), false
	a.Why = shortText(a.Why)
	return e.alarm(ctx, "alarm", a, store.Batch{Alarm: &a})
}

// AlarmEnded records that the alarm with the key is over, and tells it; where none stands it
// does nothing.
func (e *Engine) AlarmEnded(ctx context.Context, key string) error {
	list, err := e.cfg.Store.Alarms(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(a dera.Alarm) bool { return a.Key == key })
	if i < 0 {
		return nil
	}
	a := list[i]
	a.Ended = true
	return e.alarm(ctx, "alarm_ended", a, store.Batch{AlarmEnded: key})
}

func (e *Engine) alarm(ctx context.Context, what string, a dera.Alarm, b store.Batch) error {
	why := a.Title
	if a.Why != "" {
		why += ": " + a.Why
	}
	if a.Ended {
		why = "over: " + a.Title
	}
	b.Records = []dera.AuditRecord{fit(dera.AuditRecord{
		Version: 1, Kind: dera.RecordAlarm, Time: e.cfg.Now().UTC(), Actor: e.cfg.Actor, Account: a.Account, Region: a.Region, Severity: a.Severity.String(), Alarm: &a, Why: why,
	})}
	if err := e.cfg.Store.Commit(ctx, b); errors.Is(err, store.ErrAlarm) {
		return nil
	} else if err != nil {
		return err
	}
	e.cfg.Tell(News{What: what, Alarm: &a})
	return nil
}

// alarmOf raises the alarm of an undo that failed, and ends it when a person's order is over, as it
// ends that of holdsUp. The remediation is recorded: that its alarm could not be is said in the log.
func (e *Engine) alarmOf(ctx context.Context, r dera.Remediation) {
	key := "undo-failed/" + r.ID
	var err error
	switch {
	case r.State == dera.UndoFailed:
		err = e.Alarm(ctx, dera.Alarm{
			Key: key, Severity: dera.Critical, Title: "The undo of a change failed", Account: r.Plan.Account, Region: r.Plan.Region,
			Why: string(r.Plan.Resource) + ": " + r.Failure + ". Look at the resource; dera rollback " + r.ID + " tries again.",
		})
	case r.State.Final() && slices.ContainsFunc(r.Steps, func(s dera.Step) bool { return s.State == dera.UndoFailed }):
		err = e.AlarmEnded(ctx, key)
	}
	if r.State.Final() && heldUp(r) {
		err = errors.Join(err, e.AlarmEnded(ctx, heldUpAlarm+r.ID))
	}
	if err != nil {
		e.cfg.Log.ErrorContext(ctx, "record an alarm", "alarm", key, "err", err)
	}
}
