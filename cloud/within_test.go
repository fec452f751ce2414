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
