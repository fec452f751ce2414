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
	} {
		there, failing = machine.Add(step.there), step.err
		if err := c.agree(t.Context(), db, slog.New(slog.DiscardHandler)); !errors.Is(err, step.err) {
			t.Errorf("%s: got %v", step.there, err)
		}
		if got := c.Now().Sub(machine); got != step.want {
			t.Errorf("%s: got %s, want %s", step.there, got, step.want)
		}
	}
}
