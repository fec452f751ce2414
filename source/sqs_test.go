package source

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dera.example/dera/services"

	"github.com/google/go-cmp/cmp"
)

// start runs a source over q in the test's bubble; stop ends it and waits.
func start(t *testing.T, cfg SQSConfig, handle Handler) (s *SQS, stop func()) {
	t.Helper()
	cfg.Accounts, cfg.Watch = []string{ours}, services.Watch()
	cfg.Random = func() float64 { return 0.5 }
	s, err := NewSQS(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, handle) }()
	return s, func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("got error %v from Run, want none", err)
		}
	}
}

// inbox is a handler that remembers deliveries and fails when told.
type inbox struct {
	mu         sync.Mutex
	deliveries []Delivery
	err        error
	work       time.Duration
}

func (i *inbox) handle(ctx context.Context, d Delivery) error {
	i.mu.Lock()
	work := i.work
	i.mu.Unlock()
	sleep(ctx, work)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.deliveries = append(i.deliveries, d)
	return errors.Join(i.err, ctx.Err())
}

func (i *inbox) set(err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.err = err
}

func (i *inbox) received() []int {
	i.mu.Lock()
	defer i.mu.Unlock()
	var out []int
	for _, d := range i.deliveries {
		out = append(out, d.Counts.Received)
	}
	return out
}

func TestSQS_handles_each_batch_once_and_deletes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var bodies []string
		for range 12 {
			bodies = append(bodies, envelope(ours, authorize, "sg-1", 1))
		}
		q, in := newQueue(bodies...), &inbox{}
		_, stop := start(t, SQSConfig{Queue: q, Authenticated: true}, in.handle)
		<-time.After(time.Minute)
		q.put("hello")
		<-time.After(time.Minute)
		stop()
		sum, got := 0, in.received()
		for _, n := range got {
			sum += n
		}
		if sum != 13 || len(got) > 3 || got[len(got)-1] != 1 {
			t.Errorf("messages of each delivery: got %v, want 12 in one or two, and 1", got)
		}
		if q.left() != 0 {
			t.Errorf("got %d messages left, want 0", q.left())
		}
		if first := in.deliveries[0]; len(first.Events) == 0 || first.Source != "sqs" || first.At.Location() != time.UTC {
			t.Errorf("got first delivery %+v, want one event at a time in UTC", first)
		}
	})
}

func TestSQS_keeps_messages_when_the_handler_fails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, in := newQueue(envelope(ours, authorize, "sg-1", 1)), &inbox{err: errors.New("database is away")}
		_, stop := start(t, SQSConfig{Queue: q}, in.handle)
		<-time.After(70 * time.Second)
		if q.left() != 1 || len(in.received()) < 2 {
			t.Errorf("got %d messages left after deliveries %v, want 1 after several", q.left(), in.received())
		}
		in.set(nil)
		<-time.After(2 * time.Minute)
		stop()
		if q.left() != 0 {
			t.Errorf("got %d messages left, want 0 once the handler works", q.left())
		}
	})
}

func TestSQS_delivers_again_when_deleting_fails(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]bool{"fails": false, "fails_after_it_took_effect": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q, in := newQueue(envelope(ours, authorize, "sg-1", 1)), &inbox{}
				q.fail(nil, errors.New("throttled"), effect)
				_, stop := start(t, SQSConfig{Queue: q}, in.handle)
				<-time.After(10 * time.Second)
				q.fail(nil, nil, false)
				<-time.After(2 * time.Minute)
				stop()
				want := []int{1, 1}
				if effect {
					want = []int{1}
				}
				if d := cmp.Diff(want, in.received()); d != "" || q.left() != 0 {
					t.Errorf("%d messages left; deliveries (-want +got):\n%s", q.left(), d)
				}
			})
		})
	}
}

func TestSQS_backs_off_while_the_queue_fails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, in := newQueue(), &inbox{}
		q.fail(errors.New("no route"), nil, false)
		_, stop := start(t, SQSConfig{Queue: q}, in.handle)
		<-time.After(4 * time.Minute)
		stop()
		var waits []time.Duration
		for i := 1; i < len(q.receives); i++ {
			waits = append(waits, q.receives[i].Sub(q.receives[i-1]))
		}
		// Half of each wait is fixed and half of the rest is drawn: three quarters.
		want := []time.Duration{750 * time.Millisecond, 1500 * time.Millisecond, 3 * time.Second, 6 * time.Second, 12 * time.Second, 24 * time.Second, 45 * time.Second, 45 * time.Second, 45 * time.Second, 45 * time.Second}
		if d := cmp.Diff(want, waits); d != "" {
			t.Errorf("waits (-want +got):\n%s", d)
		}
	})
}

func TestSQS_starts_over_after_a_success(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, in := newQueue(), &inbox{}
		q.fail(errors.New("no route"), nil, false)
		_, stop := start(t, SQSConfig{Queue: q}, in.handle)
		<-time.After(2 * time.Minute)
		q.fail(nil, nil, false)
		<-time.After(2 * time.Minute)
		q.fail(errors.New("no route"), nil, false)
		<-time.After(40 * time.Second)
		stop()
		n := len(q.receives)
		if wait := q.receives[n-1].Sub(q.receives[n-2]); wait > 24*time.Second {
			t.Errorf("got a wait of %s after a success, want short ones again", wait)
		}
	})
}

func TestSQS_receives_nothing_until_it_is_ready(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		away := errors.New("the database is away")
		q := newQueue(envelope(ours, authorize, "sg-1", 1))
		back := time.Now().Add(time.Hour)
		ready := func(context.Context) error {
			if time.Now().Before(back) {
				return away
			}
			return nil
		}
		in := &inbox{}
		handle := func(ctx context.Context, d Delivery) error {
			if err := ready(ctx); err != nil {
				return err
			}
			return in.handle(ctx, d)
		}
		_, stop := start(t, SQSConfig{Queue: q, Ready: ready}, handle)
		<-time.After(59 * time.Minute)
		q.mu.Lock()
		n := len(q.receives)
		q.mu.Unlock()
		if n > 2 {
			t.Errorf("receives while it is away: got %d, want the first one and that which ran already", n)
		}
		<-time.After(3 * time.Minute)
		stop()
		if q.left() != 0 || len(in.received()) != 1 {
			t.Errorf("got %d messages left after deliveries %v, want it delivered", q.left(), in.received())
		}
	})
}

func TestSQS_finishes_the_batch_in_hand(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, in := newQueue(envelope(ours, authorize, "sg-1", 1)), &inbox{work: 8 * time.Second}
		_, stop := start(t, SQSConfig{Queue: q}, in.handle)
		<-time.After(time.Second)
		begin := time.Now()
		stop()
		if took := time.Since(begin); took != 7*time.Second {
			t.Errorf("got %s until Run returned, want the 7s that were left", took)
		}
		if q.left() != 0 || len(in.received()) != 1 {
			t.Errorf("got %d messages left after deliveries %v, want the batch committed and deleted", q.left(), in.received())
		}
	})
}

func TestSQS_ends_at_once_without_a_batch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, stop := start(t, SQSConfig{Queue: newQueue()}, (&inbox{}).handle)
		<-time.After(time.Second)
		begin := time.Now()
		stop()
		if took := time.Since(begin); took != 0 {
			t.Errorf("got %s until Run returned, want none", took)
		}
	})
}

func TestSQS_gives_up_on_a_handler_that_hangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, in := newQueue(envelope(ours, authorize, "sg-1", 1)), &inbox{work: time.Hour}
		_, stop := start(t, SQSConfig{Queue: q, Timeout: 40 * time.Second}, in.handle)
		<-time.After(time.Second)
		begin := time.Now()
		stop()
		if took := time.Since(begin); took != grace || q.left() != 1 {
			t.Errorf("got %s until Run returned and %d messages left, want the grace time and 1", took, q.left())
		}
	})
}

func TestSQS_hides_messages_while_the_handler_works(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, in := newQueue(envelope(ours, authorize, "sg-1", 1)), &inbox{work: 50 * time.Second}
		_, first := start(t, SQSConfig{Queue: q}, in.handle)
		_, second := start(t, SQSConfig{Queue: q}, in.handle)
		<-time.After(3 * time.Minute)
		first()
		second()
		if d := cmp.Diff([]int{1}, in.received()); d != "" {
			t.Errorf("deliveries to two consumers (-want +got):\n%s", d)
		}
		if q.extended != 3 {
			t.Errorf("got %d extensions in 50s of a visibility of 30s, want 3", q.extended)
		}
	})
}

func TestNewSQS_refuses(t *testing.T) {
	t.Parallel()
	q, accounts, watch := newQueue(), []string{ours}, services.Watch()
	for name, tc := range map[string]struct {
		cfg  SQSConfig
		want string
	}{
		"no_queue":           {SQSConfig{Accounts: accounts, Watch: watch}, "no queue"},
		"no_accounts":        {SQSConfig{Queue: q, Watch: watch}, "no accounts"},
		"no_calls":           {SQSConfig{Queue: q, Accounts: accounts}, "no calls are watched"},
		"account_short":      {SQSConfig{Queue: q, Accounts: []string{"1"}, Watch: watch}, "12 digits"},
		"batch_too_large":    {SQSConfig{Queue: q, Accounts: accounts, Watch: watch, Batch: 11}, "batch of 11"},
		"wait_too_long":      {SQSConfig{Queue: q, Accounts: accounts, Watch: watch, Wait: 21 * time.Second}, "wait of 21s"},
		"negative":           {SQSConfig{Queue: q, Accounts: accounts, Watch: watch, Timeout: -1}, "negative"},
		"visibility_as_past": {SQSConfig{Queue: q, Accounts: accounts, Watch: watch, Visibility: -1}, "negative"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := NewSQS(tc.cfg); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got error %v, want one with %q", err, tc.want)
			}
		})
	}
	if _, err := NewSQS(SQSConfig{Queue: q, Accounts: accounts, Watch: watch}); err != nil {
		t.Errorf("got error %v for zero values, want none", err)
	}
}
