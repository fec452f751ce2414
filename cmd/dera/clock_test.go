package main

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"
)

// tells says how far ahead a database is.
type tells func() (time.Duration, error)

func (f tells) Ahead(context.Context) (time.Duration, error) { return f() }

// TestClock: the database's time counts, also when it is another one's; a jitter does not, and an error changes nothing.
func TestClock(t *testing.T) {
	t.Parallel()
	machine := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	c := &clock{machine: func() time.Time { return machine }}
	there := machine
	var failing error
	db := tells(func() (time.Duration, error) { return there.Sub(c.Now()), failing })
	for _, step := range []struct {
		there time.Duration
		err   error
		want  time.Duration
	}{
		{0, nil, 0},
		{3 * time.Minute, nil, 3 * time.Minute},
		{3*time.Minute + leastSkew/2, nil, 3 * time.Minute},
		{-time.Minute, errors.New("away"), 3 * time.Minute},
		{-time.Minute, nil, -time.Minute},
		{2 * time.Hour, errClocks, -time.Minute}, // after a failover to a machine with another clock
		{-2 * time.Hour, errClocks, -time.Minute},
		{time.Minute, nil, time.Minute},
	} {
		if there, failing = machine.Add(step.there), step.err; errors.Is(step.err, errClocks) {
			failing = nil // it tells a time that is not believed
		}
		if err := c.agree(t.Context(), db, slog.New(slog.DiscardHandler)); !errors.Is(err, step.err) {
			t.Errorf("%s: got %v", step.there, err)
		}
		if got := c.Now().Sub(machine); got != step.want {
			t.Errorf("%s: got %s, want %s", step.there, got, step.want)
		}
	}
}

// TestClockStartsWithNoWrongTime: a process whose machine and database are hours apart does not start, since which of
// the two is right nobody knows: an exemption could be over too soon.
func TestClockStartsWithNoWrongTime(t *testing.T) {
	t.Parallel()
	c := &clock{machine: time.Now}
	for _, off := range []time.Duration{5 * time.Hour, -5 * time.Hour} {
		db := tells(func() (time.Duration, error) { return off, nil })
		if err := c.agree(t.Context(), db, slog.New(slog.DiscardHandler)); !errors.Is(err, errClocks) || databaseAway(err) {
			t.Errorf("%s: got %v, want that it is not believed, and is no outage", off, err)
		}
		if got := time.Until(c.Now()).Abs(); got > time.Minute {
			t.Errorf("%s: the clock is off by %s", off, got)
		}
	}
}

// TestClockOutlivesItsMachine: a machine whose clock is set forward by hours while the process runs changes nothing: the
// database's time counts.
func TestClockOutlivesItsMachine(t *testing.T) {
	t.Parallel()
	set, real := time.Duration(0), time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	c := &clock{machine: func() time.Time { return real.Add(set) }, passed: func(_, _ time.Time) time.Duration { return 0 }}
	db := tells(func() (time.Duration, error) { return real.Sub(c.Now()), nil })
	for _, set = range []time.Duration{0, 3 * time.Hour, 0} {
		if err := c.agree(t.Context(), db, slog.New(slog.DiscardHandler)); err != nil {
			t.Errorf("set by %s: %v", set, err)
		}
		if got := c.Now().Sub(real).Abs(); got > time.Second {
			t.Errorf("set by %s: the clock is off by %s", set, got)
		}
	}
}
