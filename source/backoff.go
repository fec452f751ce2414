package source

import (
	"context"
	"log/slog"
	"time"
)

// backoff gives growing waits after errors: doubled each time from one second up
// to a minute, the upper half of each drawn at random so that many processes do
// not return at once.
type backoff struct {
	random func() float64
	errors int
}

const (
	firstWait = time.Second
	lastWait  = time.Minute
)

func (b *backoff) reset() { b.errors = 0 }

func (b *backoff) next() time.Duration {
	wait := lastWait
	if b.errors < 6 {
		wait = firstWait << b.errors
	}
	b.errors++
	return wait/2 + time.Duration(b.random()*float64(wait/2))
}

// pause says why the source is interrupted and waits before the next attempt.
func (b *backoff) pause(ctx context.Context, log *slog.Logger, source string, err error) {
	b.after(ctx, log, source, err, b.next())
}

// after is pause with the wait that is given.
func (b *backoff) after(ctx context.Context, log *slog.Logger, source string, err error, wait time.Duration) {
	log.WarnContext(ctx, "source interrupted", "source", source, "err", err, "attempt", b.errors, "wait", wait)
	sleep(ctx, wait)
}

// sleep waits for d or the end of ctx, whichever is first.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
