package source

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// farQueue is a queue whose every call takes a while, that of hiding messages for longer too.
type farQueue struct{ *slowQueue }

func (q farQueue) Extend(ctx context.Context, list []Message, d time.Duration) error {
	sleep(ctx, q.call)
	return q.slowQueue.Extend(ctx, list, d)
}

// TestFarQueueKeepsWhatIsInHand: thousands of messages in hand stay hidden while the database is away, also where each
// call of the queue takes as long as over an ocean: one that comes again and again ends in the dead-letter queue.
func TestFarQueueKeepsWhatIsInHand(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := farQueue{&slowQueue{fakeQueue: backlog(many(4000, 100)), call: 150 * time.Millisecond, dies: 3}}
		back := time.Now().Add(10 * time.Minute)
		ready := func(context.Context) error {
			if time.Now().Before(back) {
				return errors.New("the database is away")
			}
			return nil
		}
		in := &inbox{}
		s, stop := start(t, SQSConfig{Queue: q, Ready: ready}, func(ctx context.Context, d Delivery) error {
			if err := ready(ctx); err != nil {
				sleep(ctx, 50*time.Second) // until somebody knows
				return err
			}
			return in.handle(ctx, d)
		})
		<-time.After(5 * time.Minute)
		if l := s.Load(); l.InHand < 3000 {
			t.Fatalf("got %d messages in hand, want thousands", l.InHand)
		}
		<-time.After(25 * time.Minute)
		if q.dead != 0 || received(in) != 4000 {
			t.Errorf("got %d messages dead and %d handled of 4000, want each once", q.dead, received(in))
		}
		stop()
	})
}
