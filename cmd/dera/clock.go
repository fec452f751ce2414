package main

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// clock is the clock of a process that shares a database: what it adds to the machine's is what brings it to the database's, so
// that processes whose machines disagree do not take each other's leases for over. It is safe for concurrent use.
type clock struct {
	machine func() time.Time
	ahead   atomic.Int64 // nanoseconds
}

// Now is the agreed time.
func (c *clock) Now() time.Time { return c.machine().Add(time.Duration(c.ahead.Load())) }

// timed tells by how much a database is ahead of the agreed time.
type timed interface {
	Ahead(ctx context.Context) (time.Duration, error)
}

// agreeEvery is how often a process asks for the database's time, notedSkew from when on it says that its machine is
// off, and leastSkew what it does not correct, which a round trip may be.
const (
	agreeEvery = time.Minute
	notedSkew  = 2 * time.Second
	leastSkew  = 200 * time.Millisecond
)

// agree takes over the database's time.
func (c *clock) agree(ctx context.Context, db timed, log *slog.Logger) error {
	more, err := db.Ahead(ctx)
	if err != nil || more.Abs() < leastSkew {
		return err
	}
	ahead := time.Duration(c.ahead.Add(int64(more)))
	if more.Abs() >= notedSkew {
		log.WarnContext(ctx, "the clocks of this machine and of the database disagree; the database's counts", "ahead", ahead.Round(time.Millisecond).String())
	}
	return nil
}

// keep agrees again and again until ctx is done. While the database is away the last difference holds.
func (c *clock) keep(ctx context.Context, db timed, log *slog.Logger) error {
	tick := time.NewTicker(agreeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := c.agree(ctx, db, log); err != nil && ctx.Err() == nil {
			log.DebugContext(ctx, "the database does not tell the time", "err", databaseText(err))
		}
	}
}
