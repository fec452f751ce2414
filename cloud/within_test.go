package cloud

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestWithin ends in time, with its parent, or when it is told to, and what is made of it ends too; waiting for a turn
// does not count.
func TestWithin(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		waits, parent, cancel time.Duration
		want                  time.Duration
		err                   error
	}{
		"in_time":            {want: 10 * time.Second, err: context.DeadlineExceeded},
		"with_its_parent":    {parent: 3 * time.Second, want: 3 * time.Second, err: context.Canceled},
		"when_told":          {cancel: 4 * time.Second, want: 4 * time.Second, err: context.Canceled},
		"after_a_turn":       {waits: time.Minute, want: 70 * time.Second, err: context.DeadlineExceeded},
		"parent_of_a_waiter": {waits: time.Minute, parent: 3 * time.Second, want: 3 * time.Second, err: context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				parent, end := context.WithCancel(t.Context())
				defer end()
				outer, stopOuter := within(parent, 10*time.Second)
				defer stopOuter()
				ctx, cancel := within(outer, 10*time.Second)
				defer cancel()
				child, stop := context.WithTimeout(ctx, time.Hour)
				defer stop()
				if tc.parent > 0 {
					time.AfterFunc(tc.parent, end)
				}
				if tc.cancel > 0 {
					time.AfterFunc(tc.cancel, cancel)
				}
				if tc.waits > 0 {
					go func() {
						defer pausing(child)()
						_ = waitFor(child, tc.waits)
					}()
				}
				<-child.Done()
				if took := time.Since(begin); took != tc.want || !errors.Is(child.Err(), tc.err) || !errors.Is(ctx.Err(), tc.err) {
					t.Errorf("got the end after %s with %v (%v), want %s with %v", took, child.Err(), ctx.Err(), tc.want, tc.err)
				}
			})
		})
	}
}

// TestReadOfManyTurns: a read of many calls that each wait a little is put off, before somebody else takes its job for
// that of a dead process.
func TestReadOfManyTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, err := NewLimits(LimitsConfig{Share: 0.1})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := within(t.Context(), time.Second)
		defer cancel()
		begin, calls := time.Now(), 0
		for err == nil {
			err = l.turn(ctx, bucketKey{"111122223333", "eu-west-1", "organizations"}, false) // one in 12.5 s
			calls++
		}
		var later *LaterError
		if took := time.Since(begin); !errors.As(err, &later) || took < 40*time.Second || took > time.Minute || calls < 4 {
			t.Errorf("got %v after %s and %d calls, want that it comes later after about a minute", err, took, calls)
		}
		if ctx.Err() != nil {
			t.Errorf("got %v: waiting counts against no timeout", ctx.Err())
		}
	})
}
