package source

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeQueue is a queue in memory that hides, delivers again and forgets as SQS
// does. Its clock is that of the test's bubble.
type fakeQueue struct {
	mu         sync.Mutex
	waiting    []*waiting
	visibility time.Duration
	receive    error // what Receive fails with
	remove     error // what Delete fails with, before or after taking effect
	effect     bool  // a failing Delete takes effect
	receives   []time.Time
	extended   int
	arrival    chan struct{}
}

type waiting struct {
	Message
	visible time.Time
}

var _ Queue = (*fakeQueue)(nil)

func newQueue(bodies ...string) *fakeQueue {
	q := &fakeQueue{visibility: 30 * time.Second, arrival: make(chan struct{}, 100)}
	q.put(bodies...)
	return q
}

func (q *fakeQueue) put(bodies ...string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, b := range bodies {
		q.waiting = append(q.waiting, &waiting{Message: Message{ID: fmt.Sprintf("m-%d", len(q.waiting)), Body: b}})
		q.arrival <- struct{}{}
	}
}

func (q *fakeQueue) Receive(ctx context.Context, limit int, wait time.Duration) ([]Message, error) {
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	q.mu.Lock()
	q.receives = append(q.receives, time.Now())
	q.mu.Unlock()
	for {
		if got, err := q.visible(limit); len(got) > 0 || err != nil {
			return got, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-timeout.C:
			return nil, nil
		case <-q.arrival:
		case <-tick.C:
		}
	}
}

func (q *fakeQueue) visible(limit int) ([]Message, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.receive != nil {
		return nil, q.receive
	}
	var out []Message
	for _, w := range q.waiting {
		if len(out) < limit && !w.visible.After(time.Now()) {
			w.visible = time.Now().Add(q.visibility)
			w.Received++
			w.Receipt = fmt.Sprintf("%s-%d", w.ID, w.Received)
			out = append(out, w.Message)
		}
	}
	return out, nil
}

func (q *fakeQueue) Delete(ctx context.Context, messages []Message) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if q.remove == nil || q.effect {
		for _, m := range messages {
			q.waiting = slices.DeleteFunc(q.waiting, func(w *waiting) bool { return w.ID == m.ID })
		}
	}
	return q.remove
}

func (q *fakeQueue) Extend(_ context.Context, messages []Message, visibility time.Duration) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.extended++
	for _, w := range q.waiting {
		if slices.ContainsFunc(messages, func(m Message) bool { return m.ID == w.ID && m.Receipt == w.Receipt }) {
			w.visible = time.Now().Add(visibility)
		}
	}
	return nil
}

func (q *fakeQueue) left() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

func (q *fakeQueue) fail(receive, remove error, effect bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.receive, q.remove, q.effect = receive, remove, effect
}
