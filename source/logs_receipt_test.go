package source

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"dera.example/dera/services"
)

// staleQueue has a message whose receipt does not hold any more.
type staleQueue struct {
	Queue
	stale   string
	deleted []string
}

func (q *staleQueue) Extend(_ context.Context, list []Message, _ time.Duration) error {
	if slices.ContainsFunc(list, func(m Message) bool { return m.ID == q.stale }) {
		return errors.New("extend messages: 1 was not: the receipt handle has expired")
	}
	return nil
}

func (q *staleQueue) Delete(_ context.Context, list []Message) error {
	for _, m := range list {
		q.deleted = append(q.deleted, m.ID)
	}
	return nil
}

// TestStaleReceiptCostsNoOther: of announcements that were received together one has a receipt that does not hold any
// more. The others are read: each receipt that comes to nothing takes them nearer to the dead-letter queue.
func TestStaleReceiptCostsNoOther(t *testing.T) {
	t.Parallel()
	o := &objects{text: map[string]string{bucketOfLogs + "/" + logKey: logOf(opened(ours, "eu-west-1", "sg-1"))}}
	q := &staleQueue{stale: "b"}
	s, err := NewSQS(SQSConfig{Queue: q, Accounts: []string{ours}, Watch: services.Watch(), Logs: &LogsConfig{Objects: o, Buckets: []string{bucketOfLogs}}})
	if err != nil {
		t.Fatal(err)
	}
	body := notification("ObjectCreated:Put", bucketOfLogs, logKey)
	in := &inbox{}
	if err := s.announced(t.Context(), []Message{{ID: "a", Body: body}, {ID: "b", Body: body}, {ID: "c", Body: body}}, time.Now(), in.handle); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(q.deleted, []string{"a", "c"}) || len(in.deliveries) == 0 {
		t.Errorf("read and deleted: got %q with %d deliveries, want a and c", q.deleted, len(in.deliveries))
	}
}
