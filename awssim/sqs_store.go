package awssim

import (
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"
)

// queue is one standard queue. It is safe for concurrent use.
type queue struct {
	arn, url string
	now      func() time.Time
	created  time.Time

	mu         sync.Mutex
	attributes map[string]string
	messages   []*message // in order of sending
	changed    chan struct{}
	closed     bool
}

type message struct {
	id, body string
	sent     time.Time
	visible  time.Time // may be received from then on
	receipt  string    // of the latest receive
	receives int
	first    time.Time // received first
}

func newQueue(arn, url string, now func() time.Time, attributes map[string]string) *queue {
	if attributes == nil {
		attributes = map[string]string{}
	}
	return &queue{arn: arn, url: url, now: now, created: now(), attributes: attributes, changed: make(chan struct{})}
}

// number returns a numeric attribute, or its default.
func (q *queue) number(name string) int {
	if n, err := strconv.Atoi(q.attributes[name]); err == nil {
		return n
	}
	_, _, standard, _ := attributeBounds(name)
	return standard
}

func (q *queue) duration(name string) time.Duration {
	return time.Duration(q.number(name)) * time.Second
}

// wake lets everyone who waits look again. The caller holds q.mu.
func (q *queue) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// send appends a message. A negative delay stands for the queue's own.
func (q *queue) send(id, body string, delay time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if delay < 0 {
		delay = q.duration("DelaySeconds")
	}
	now := q.now()
	q.messages = append(q.messages, &message{id: id, body: body, sent: now, visible: now.Add(delay)})
	q.wake()
}

// received is a message as one receive saw it.
type received struct {
	message
}

// receive takes up to limit visible messages. If there are none it returns a channel that closes when that may have
// changed, and when the next message becomes visible (zero: none is known).
func (q *queue) receive(limit int, timeout time.Duration, receipt func() string) (got []received, changed <-chan struct{}, next time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	q.expire(now)
	if timeout < 0 {
		timeout = q.duration("VisibilityTimeout")
	}
	for _, m := range q.messages {
		if m.visible.After(now) {
			if next.IsZero() || m.visible.Before(next) {
				next = m.visible
			}
			continue
		}
		if len(got) == limit {
			break
		}
		if m.receives == 0 {
			m.first = now
		}
		m.receives++
		m.visible = now.Add(timeout)
		m.receipt = receipt()
		got = append(got, received{*m})
	}
	return got, q.changed, next
}

// expire drops messages that are older than the retention period.
func (q *queue) expire(now time.Time) {
	oldest := now.Add(-q.duration("MessageRetentionPeriod"))
	q.messages = slices.DeleteFunc(q.messages, func(m *message) bool { return m.sent.Before(oldest) })
}

// remove deletes the message that was received with the receipt; an older receipt of it deletes nothing, as SQS may do,
// and is no error.
func (q *queue) remove(receipt string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := q.find(receipt); i >= 0 {
		q.messages = slices.Delete(q.messages, i, i+1)
	}
}

// delay changes when a received message becomes visible again. It reports whether the message is in flight.
func (q *queue) delay(receipt string, timeout time.Duration) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i, now := q.find(receipt), q.now()
	if i < 0 || !q.messages[i].visible.After(now) {
		return false
	}
	q.messages[i].visible = now.Add(timeout)
	q.wake()
	return true
}

func (q *queue) find(receipt string) int {
	return slices.IndexFunc(q.messages, func(m *message) bool { return m.receipt != "" && m.receipt == receipt })
}

func (q *queue) purge() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.messages = nil
}

// close ends all waiting: the queue is deleted.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.wake()
}

func (q *queue) isClosed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

func (q *queue) set(attributes map[string]string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	maps.Copy(q.attributes, attributes)
}

// agrees reports whether the given attributes are those of the queue.
func (q *queue) agrees(given map[string]string) bool {
	all := q.describe()
	for name, value := range given {
		if all[name] != value {
			return false
		}
	}
	return true
}

// describe returns all attributes; its counts are exact where those of SQS are approximate.
func (q *queue) describe() map[string]string {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	q.expire(now)
	ready, flight, delayed := 0, 0, 0
	for _, m := range q.messages {
		switch {
		case !m.visible.After(now):
			ready++
		case m.receives == 0:
			delayed++
		default:
			flight++
		}
	}
	all := map[string]string{
		"QueueArn": q.arn, "CreatedTimestamp": strconv.FormatInt(q.created.Unix(), 10),
		"ApproximateNumberOfMessages":           strconv.Itoa(ready),
		"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(flight),
		"ApproximateNumberOfMessagesDelayed":    strconv.Itoa(delayed),
	}
	for _, name := range []string{"VisibilityTimeout", "ReceiveMessageWaitTimeSeconds", "DelaySeconds", "MessageRetentionPeriod", "MaximumMessageSize"} {
		all[name] = strconv.Itoa(q.number(name))
	}
	maps.Copy(all, q.attributes)
	return all
}
