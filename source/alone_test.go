package source

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestOftenReceivedHoldsNobodyUp: messages that came often are handed over alone, each with a commit; what came for the
// first time does not wait behind thousands of them, as there are after an outage.
func TestOftenReceivedHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bodies := many(2000, 0)
		q := &slowQueue{fakeQueue: backlog(bodies), call: time.Millisecond}
		for _, w := range q.waiting {
			w.Received = 5
		}
		for i, b := range many(20, 20) {
			q.waiting = append(q.waiting, &waiting{Message: Message{ID: fmt.Sprintf("new-%d", i), Body: b}})
		}
		began := time.Now()
		var mu sync.Mutex
		var hinted time.Duration
		n := 0
		_, stop := start(t, SQSConfig{Queue: q}, func(ctx context.Context, d Delivery) error {
			sleep(ctx, 100*time.Millisecond) // a commit
			mu.Lock()
			defer mu.Unlock()
			if n += d.Counts.Hinted; n == 20 && hinted == 0 {
				hinted = time.Since(began)
			}
			return nil
		})
		<-time.After(10 * time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if n != 20 || hinted > 10*time.Second || q.left() != 0 {
			t.Errorf("got %d hints after %s, and %d messages left, want 20 within seconds", n, hinted, q.left())
		}
		stop()
	})
}
