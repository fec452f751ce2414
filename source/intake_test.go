package source

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// slowQueue is a queue each of whose calls takes a while, as over a network, and whose messages go to a dead-letter
// queue when they are received too often.
type slowQueue struct {
	*fakeQueue
	call time.Duration
	dies int // how often a message is received before it is dead; 0 for any number

	at                     sync.Mutex
	receiving, most2, dead int
	calls                  int
}

func (q *slowQueue) Receive(ctx context.Context, limit int, wait time.Duration) ([]Message, error) {
	q.at.Lock()
	q.receiving++
	q.calls++
	q.most2 = max(q.most2, q.receiving)
	q.at.Unlock()
	defer func() { q.at.Lock(); q.receiving--; q.at.Unlock() }()
	sleep(ctx, q.call)
	list, err := q.fakeQueue.Receive(ctx, limit, wait)
	var out, dead []Message
	for _, m := range list {
		m.Sent = time.Now().Add(-time.Minute)
		if q.dies > 0 && m.Received > q.dies {
			dead = append(dead, m)
			continue
		}
		out = append(out, m)
	}
	if len(dead) > 0 {
		q.at.Lock()
		q.dead += len(dead)
		q.at.Unlock()
		_ = q.fakeQueue.Delete(context.WithoutCancel(ctx), dead)
	}
	return out, err
}

func (q *slowQueue) most() int  { q.at.Lock(); defer q.at.Unlock(); return q.most2 }
func (q *slowQueue) asked() int { q.at.Lock(); defer q.at.Unlock(); return q.calls }

func (q *slowQueue) Delete(ctx context.Context, list []Message) error {
	if len(list) > 10 {
		return errors.New("SQS takes ten at most")
	}
	sleep(ctx, q.call)
	return q.fakeQueue.Delete(ctx, list)
}

func (q *slowQueue) Extend(ctx context.Context, list []Message, d time.Duration) error {
	if len(list) > 10 {
		return errors.New("SQS takes ten at most")
	}
	return q.fakeQueue.Extend(ctx, list, d)
}

// many are bodies, of which the first few name a group, and all others a call that no type listens to.
func many(n, hints int) (out []string) {
	for i := range n {
		if i < hints {
			out = append(out, envelope(ours, authorize, fmt.Sprintf("sg-%d", i), 1))
			continue
		}
		out = append(out, envelope(ours, "DescribeInstances", "sg-x", 1))
	}
	return out
}

func backlog(bodies []string) *fakeQueue {
	q := &fakeQueue{visibility: 30 * time.Second, arrival: make(chan struct{}, len(bodies)+100)}
	q.put(bodies...)
	return q
}

// TestReceiversGrow: a full queue is received by many at once, of which one is left when it is empty; messages that no
// type listens to are committed together.
func TestReceiversGrow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := &slowQueue{fakeQueue: backlog(many(3000, 20)), call: 10 * time.Millisecond}
		in := &inbox{}
		s, stop := start(t, SQSConfig{Queue: q, Receivers: 8}, in.handle)
		<-time.After(3 * time.Second)
		if q.left() != 0 {
			t.Errorf("got %d messages left after 3 s; one receiver takes 6 s, eight less than one", q.left())
		}
		if n := q.most(); n != 8 {
			t.Errorf("got %d receivers at most, want 8", n)
		}
		hints, received, deliveries := 0, 0, in.all()
		for _, d := range deliveries {
			hints, received = hints+len(d.Events), received+d.Counts.Received
			if n := d.Counts.Received; n > 4*mostJoined {
				t.Errorf("got a delivery of %d messages", n)
			}
		}
		if hints != 20 || received != 3000 || len(deliveries) > 10 {
			t.Errorf("got %d hints of %d messages in %d deliveries, want 20 of 3000 in a few", hints, received, len(deliveries))
		}
		<-time.After(time.Minute)
		if l := s.Load(); l.Receivers != 1 || l.InHand != 0 || l.Bytes != 0 || l.Received != 3000 || l.Handled != 3000 || l.Deliveries != int64(len(deliveries)) || l.Lag < time.Minute {
			t.Errorf("got the load %+v, want one receiver and nothing in hand", l)
		}
		calls := q.asked()
		<-time.After(time.Minute)
		if n := q.asked() - calls; n > 4 {
			t.Errorf("got %d receives in a quiet minute, want those of one receiver that waits 20 s each time", n)
		}
		stop()
	})
}

// TestHintsPassTheOthers: what a type may listen to is handed over while thousands of other messages wait for each
// other, and while a commit of those takes long.
func TestHintsPassTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := &slowQueue{fakeQueue: backlog(many(500, 0)), call: time.Millisecond}
		var mu sync.Mutex
		var took time.Duration
		came, put := false, time.Now()
		_, stop := start(t, SQSConfig{Queue: q}, func(ctx context.Context, d Delivery) error {
			if len(d.Events) == 0 {
				sleep(ctx, 20*time.Second) // a commit that waits
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			came, took = true, time.Since(put)
			return nil
		})
		<-time.After(5 * time.Second)
		mu.Lock()
		put = time.Now()
		mu.Unlock()
		q.put(envelope(ours, authorize, "sg-1", 1))
		<-time.After(15 * time.Second)
		mu.Lock()
		if !came || took > time.Second {
			t.Errorf("got the hint after %s, want it at once", took)
		}
		mu.Unlock()
		<-time.After(time.Minute)
		stop()
	})
}

// TestPoisonAlone: of the neighbours of a message on which the handler always fails none is received often, and the
// message itself goes to the dead-letter queue.
func TestPoisonAlone(t *testing.T) {
	t.Parallel()
	for name, breaks := range map[string]bool{"fails": false, "breaks": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q := &slowQueue{fakeQueue: backlog(append(many(200, 200), envelope(ours, authorize, "sg-poison", 1))), call: time.Millisecond, dies: 5}
				var mu sync.Mutex
				done, often := map[string]bool{}, 0
				_, stop := start(t, SQSConfig{Queue: q, Ready: func(context.Context) error { return nil }}, func(_ context.Context, d Delivery) error {
					mu.Lock()
					defer mu.Unlock()
					for _, e := range d.Events {
						if e.Scope.IDs[0] == "sg-poison" {
							if often++; breaks {
								panic("poison")
							}
							return errors.New("poison")
						}
					}
					for _, e := range d.Events {
						done[e.Scope.IDs[0]] = true
					}
					return nil
				})
				<-time.After(10 * time.Second)
				mu.Lock()
				if len(done) != 200 || q.left() != 1 {
					t.Errorf("got %d of 200 neighbours and %d messages left, want all at the first receipt and the one", len(done), q.left())
				}
				mu.Unlock()
				<-time.After(30 * time.Minute)
				stop()
				if q.left() != 0 || q.dead != 1 || often < 5 {
					t.Errorf("got %d messages left and %d dead after %d tries, want the one dead after all its receipts", q.left(), q.dead, often)
				}
			})
		})
	}
}

// TestOftenReceivedAlone: a message that came often is handed over alone: it may be what ends the process each time.
func TestOftenReceivedAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := backlog(many(12, 8))
		for i, w := range q.waiting {
			if i%4 == 0 {
				w.Received = 2 // and once more now
			}
		}
		in := &inbox{}
		_, stop := start(t, SQSConfig{Queue: q, Authenticated: true}, in.handle)
		<-time.After(5 * time.Second)
		stop()
		alone := 0
		for _, d := range in.deliveries {
			for _, raw := range d.Raw {
				for _, id := range []string{"sg-0", "sg-4"} {
					if strings.Contains(string(raw), `"`+id+`"`) && d.Counts.Received == 1 {
						alone++
					}
				}
			}
		}
		if alone != 2 || q.left() != 0 {
			t.Errorf("got %d of 2 alone and %d messages left", alone, q.left())
		}
	})
}

// TestOutageKeepsWhatIsInHand: while the database is away, what was received waits, hidden, and is not received again
// and again.
func TestOutageKeepsWhatIsInHand(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := &slowQueue{fakeQueue: backlog(many(300, 100)), call: 5 * time.Millisecond, dies: 5}
		away := errors.New("the database is away")
		back := time.Now().Add(2 * time.Hour)
		ready := func(context.Context) error {
			if time.Now().Before(back) {
				return away
			}
			return nil
		}
		in := &inbox{}
		s, stop := start(t, SQSConfig{Queue: q, Ready: ready}, func(ctx context.Context, d Delivery) error {
			if err := ready(ctx); err != nil {
				return err
			}
			return in.handle(ctx, d)
		})
		<-time.After(time.Hour)
		if l := s.Load(); l.InHand == 0 || l.Oldest < time.Hour-time.Minute {
			t.Errorf("got the load %+v after an hour, want messages in hand since then", l)
		}
		<-time.After(time.Hour + 2*time.Minute)
		if sum := received(in); sum != 300 || q.left() != 0 || q.dead != 0 {
			t.Errorf("got %d messages handled, %d left and %d dead, want 300, each once", sum, q.left(), q.dead)
		}
		stop()
	})
}

func received(in *inbox) (sum int) {
	for _, n := range in.received() {
		sum += n
	}
	return sum
}

// TestInHandIsBounded: a handler that is slow stops the receiving.
func TestInHandIsBounded(t *testing.T) {
	t.Parallel()
	for name, bodies := range map[string][]string{
		"messages": many(2000, 2000),
		"bytes":    {strings.Repeat("x", mostBytes/4), strings.Repeat("y", mostBytes/4), strings.Repeat("z", mostBytes/4), strings.Repeat("x", mostBytes/4), strings.Repeat("y", mostBytes/4), strings.Repeat("z", mostBytes/4)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q, in := &slowQueue{fakeQueue: backlog(bodies), call: time.Millisecond}, &inbox{work: 10 * time.Second}
				s, stop := start(t, SQSConfig{Queue: q, InHand: 200, Batch: map[string]int{"messages": 10, "bytes": 1}[name]}, in.handle)
				for range 9 {
					<-time.After(time.Second)
					if l := s.Load(); l.InHand > 200 || l.Bytes > mostBytes {
						t.Errorf("got %d messages of %d bytes in hand", l.InHand, l.Bytes)
					}
				}
				<-time.After(20 * time.Minute)
				if received(in) != len(bodies) || q.left() != 0 {
					t.Errorf("got %d of %d handled, %d left", received(in), len(bodies), q.left())
				}
				stop()
			})
		})
	}
}
