package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"dera.example/dera"
)

// clock is the clock of a process that shares a database: what it adds to the machine's is what brings it to the database's, so
// that processes whose machines disagree do not take each other's leases for over. Now is safe for concurrent use.
type clock struct {
	machine func() time.Time
	ahead   atomic.Int64 // nanoseconds
	// last is when the database was asked last, by the machine's clock.
	last time.Time
	// passed is the time between two moments of the machine by what nobody can set; the difference of the two if nil,
	// which is that of the clock that time.Now reads beside.
	passed func(since, now time.Time) time.Duration
}

// agreeing has the process go by a clock that can be brought to the database's. Nothing else may go by the time yet.
func (a *cli) agreeing() {
	if a.clock == nil {
		a.clock = &clock{machine: a.now}
		a.now = a.clock.Now
	}
}

// Now is the agreed time.
func (c *clock) Now() time.Time { return c.machine().Add(time.Duration(c.ahead.Load())) }

// timed tells by how much a database is ahead of the agreed time.
type timed interface {
	Ahead(ctx context.Context) (time.Duration, error)
}

// agreeEvery is how often a process asks for the database's time, notedSkew from when on it says that its machine is
// off, and leastSkew what it does not correct, which a round trip may be. A database that is off by more than mostSkew,
// from the machine at the start and later from what was agreed, is not believed: with its time exemptions, approvals
// and leases would be over hours too soon, or jobs due hours too late. AWS too refuses requests that are off by as much
// (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, RequestTimeTooSkewed).
const (
	agreeEvery = time.Minute
	notedSkew  = 2 * time.Second
	leastSkew  = 200 * time.Millisecond
	mostSkew   = 15 * time.Minute
)

// errClocks means that the time of the database is not believed.
var errClocks = errors.New("the clock of the database is wrong, or that of this machine")

// agree takes over the database's time, or returns errClocks and goes on with what was agreed. It is called by one
// goroutine at a time.
func (c *clock) agree(ctx context.Context, db timed, log *slog.Logger) error {
	machine, ahead := c.machine(), c.ahead.Load()
	more, err := db.Ahead(ctx)
	if err != nil {
		return err
	}
	// What the machine's clock was set forward by is no doing of the database.
	var jumped time.Duration
	if !c.last.IsZero() {
		passed := c.passed
		if passed == nil {
			passed = func(since, now time.Time) time.Duration { return now.Sub(since) }
		}
		jumped = machine.Round(0).Sub(c.last.Round(0)) - passed(c.last, machine)
	}
	c.last = machine
	if off := more + jumped; off.Abs() > mostSkew {
		c.ahead.Store(ahead - int64(jumped))
		return fmt.Errorf("%w: the database's is %s ahead, and at most %s are believed. Set both clocks, as by NTP", errClocks, off.Round(time.Second), mostSkew)
	}
	if more.Abs() < leastSkew {
		return nil
	}
	c.ahead.Store(ahead + int64(more))
	if more.Abs() >= notedSkew {
		log.WarnContext(ctx, "the clocks of this machine and of the database disagree; the database's counts", "ahead", time.Duration(ahead+int64(more)).Round(time.Millisecond).String())
	}
	return nil
}

// keep agrees again and again until ctx is done, and tells off each time whether the database's time is believed. While
// the database is away the last difference holds.
func (c *clock) keep(ctx context.Context, db timed, log *slog.Logger, off func(error)) error {
	tick := time.NewTicker(agreeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		switch err := c.agree(ctx, db, log); {
		case ctx.Err() != nil:
		case errors.Is(err, errClocks):
			log.ErrorContext(ctx, "the time of the database is not believed; what was agreed before goes on", "err", err)
			off(err)
		case err != nil:
			log.DebugContext(ctx, "the database does not tell the time", "err", databaseText(err))
		default:
			off(nil)
		}
	}
}

// keepTime keeps the clock, with an alarm while the database's is not believed.
func (s *session) keepTime(ctx context.Context, log *slog.Logger) error {
	stands := true // of an earlier run, as far as is known
	return s.app.clock.keep(ctx, s.store, log, func(err error) {
		switch {
		case err != nil:
			s.alarm(ctx, log, dera.Alarm{Key: clocksAlarm, Severity: dera.High, Title: "The clock of the database is not believed", Why: err.Error() + ". The time that was agreed before goes on; a controller that starts does not go on without."})
			stands = true
		case stands:
			s.alarmEnded(ctx, log, clocksAlarm)
			stands = false
		}
	})
}
