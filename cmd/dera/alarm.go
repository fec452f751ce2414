package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/audit"
	"dera.example/dera/services"
)

// unsignedAlarm is the key of the alarm that the audit log cannot be signed, unanchoredAlarm of the
// one that it cannot be anchored, clocksAlarm that the database's time is not believed, and breakerAlarm begins those of
// breakers.
const (
	unsignedAlarm   = "audit-log-unsigned"
	clocksAlarm     = "clock-of-the-database"
	unanchoredAlarm = "audit-log-unanchored"
	breakerAlarm    = "breaker/"
)

// alarm records what a person must hear. That it could not be is said in the log, and the caller
// tries again when it looks again.
func (s *session) alarm(ctx context.Context, log *slog.Logger, a dera.Alarm) {
	if s.engine == nil || ctx.Err() != nil {
		return
	}
	if err := s.engine.Alarm(ctx, a); err != nil {
		log.ErrorContext(ctx, "record an alarm", "alarm", a.Key, "title", a.Title, "err", err)
	}
}

func (s *session) alarmEnded(ctx context.Context, log *slog.Logger, key string) {
	if s.engine == nil || ctx.Err() != nil {
		return
	}
	if err := s.engine.AlarmEnded(ctx, key); err != nil {
		log.ErrorContext(ctx, "record that an alarm is over", "alarm", key, "err", err)
	}
}

// watchOwn looks each minute for what a person must hear of dera itself: sources that are silent,
// breakers that are open, and reviews of controls that are overdue.
func (s *session) watchOwn(ctx context.Context, log *slog.Logger, expect map[string]time.Duration) error {
	silence := app.Silence{Store: s.store, Now: s.app.now, Expect: expect, Alarm: s.engine.Alarm, Ended: s.engine.AlarmEnded}
	reviews := app.ReviewsOverdue{Controls: services.Controls(), Now: s.app.now, Alarm: s.engine.Alarm, Ended: s.engine.AlarmEnded}
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		if err := reviews.Check(ctx); err != nil && ctx.Err() == nil {
			log.ErrorContext(ctx, "look for overdue reviews", "err", err)
		}
		if err := silence.Check(ctx); err != nil && ctx.Err() == nil {
			log.ErrorContext(ctx, "look for silent sources", "err", err)
		}
		if err := s.breakersOpen(ctx); err != nil && ctx.Err() == nil {
			log.ErrorContext(ctx, "look for open breakers", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// breakersOpen raises an alarm for each breaker that is open, and ends those of others.
func (s *session) breakersOpen(ctx context.Context) error {
	open, err := s.breaker().Opened(ctx)
	if err != nil {
		return err
	}
	for account, since := range open {
		where := "account " + account
		if account == "" {
			where = "all accounts"
		}
		if err := s.engine.Alarm(ctx, dera.Alarm{
			Key: breakerAlarm + account, Severity: dera.High, Title: "A breaker is open: nothing is fixed automatically in " + where, Account: account,
			Why: "Fixes kept failing, and it is open since " + app.Stamp(since) + ". dera findings has what failed; dera resume closes it.",
		}); err != nil {
			return err
		}
	}
	alarms, err := s.store.Alarms(ctx)
	if err != nil {
		return err
	}
	for _, a := range alarms {
		account, ours := strings.CutPrefix(a.Key, breakerAlarm)
		if _, still := open[account]; ours && !still {
			if err := s.engine.AlarmEnded(ctx, a.Key); err != nil {
				return err
			}
		}
	}
	return nil
}

// unsignedText says why the audit log could not be signed.
func unsignedText(ctx context.Context, err error) string {
	if errors.Is(err, audit.ErrSigner) {
		return strings.TrimSuffix(plainError(ctx, err), ".")
	}
	return databaseText(err)
}
