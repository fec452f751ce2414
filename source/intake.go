package source

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// mostJoined and mostJoinedBytes bound the messages that are handed over together: those that a type may
	// listen to, and of all others four times as many.
	mostJoined      = 512
	mostJoinedBytes = 4 << 20
	// mostBytes bounds the bodies in hand.
	mostBytes = 16 << 20
	// deletesAtOnce is how many deletions run at the same time.
	deletesAtOnce = 32
	// extendsAtOnce is how many calls that hide messages for longer do.
	extendsAtOnce = 32
)

// item is a message in hand.
type item struct {
	m        Message
	at       time.Time // when it was received
	came     time.Time // the same by the clock of the machine, which goes on in tests too
	until    time.Time // hidden from others until then
	deleting bool      // its deletion has begun
}

// lane is what waits for the handler.
type lane struct {
	items []*item
	bytes int
	alone bool // what was handed over last came often
}

// intake is one Run: receivers put messages into lanes, and one goroutine for each lane hands them over. All
// fields below mu are under it; changed is told of every change.
type intake struct {
	*SQS
	handle  Handler
	beside  *aside
	itself  sync.Mutex // of the receiver that reads log files itself
	deletes chan struct{}
	work    sync.WaitGroup // deletions

	mu        sync.Mutex
	changed   *sync.Cond
	urgent    lane // what a type may listen to
	plain     lane // all others
	held      map[*item]bool
	bytes     int
	asked     int // receives that run
	largest   int // bytes of the largest batch so far
	receivers int
	failed    error // what the first receiver is to pause for
	failing   bool  // from a failure until the next success
	ended     bool  // no receiver is left
	retry     backoff
}

func newIntake(ctx context.Context, s *SQS, handle Handler) *intake {
	in := &intake{
		SQS: s, handle: handle, beside: newAside(), deletes: make(chan struct{}, deletesAtOnce),
		held: map[*item]bool{}, largest: 64 << 10, retry: backoff{random: s.cfg.Random},
	}
	in.changed = sync.NewCond(&in.mu)
	context.AfterFunc(ctx, in.tell)
	return in
}

// tell wakes whoever waits for a change.
func (in *intake) tell() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.changed.Broadcast()
}

// run is Run.
func (in *intake) run(ctx context.Context) {
	var receiving, handing sync.WaitGroup
	in.receivers = 1
	receiving.Go(func() { in.first(ctx, &receiving) })
	for _, l := range []*lane{&in.urgent, &in.plain} {
		handing.Go(func() {
			for list := in.next(ctx, l); list != nil; list = in.next(ctx, l) {
				in.take(ctx, l, list)
			}
		})
	}
	stop := in.keep(ctx)
	receiving.Wait()
	in.mu.Lock()
	in.ended = true
	in.changed.Broadcast()
	in.mu.Unlock()
	handing.Wait()
	in.work.Wait()
	stop()
	in.beside.wait.Wait()
}

// first is the receiver that always runs: it alone receives after a failure, one batch at a time.
func (in *intake) first(ctx context.Context, all *sync.WaitGroup) {
	for ctx.Err() == nil {
		if err := in.failure(ctx); err != nil {
			in.mu.Lock()
			wait := in.retry.next()
			retry := in.retry
			in.mu.Unlock()
			retry.after(ctx, in.cfg.Log, in.cfg.Name, err, wait)
			continue
		}
		in.receive(ctx, all, true)
	}
}

// failure is what went wrong since it was asked last, or nil where a batch can be taken over. The handler goes on
// with what is in hand then.
func (in *intake) failure(ctx context.Context) error {
	if err := in.beside.err(); err != nil {
		return err
	}
	in.mu.Lock()
	err, failing := in.failed, in.failing
	in.failed = nil
	in.mu.Unlock()
	if err == nil && failing && in.cfg.Ready != nil {
		if e := in.cfg.Ready(ctx); e != nil {
			err = fmt.Errorf("nothing is received: %w", e)
		}
	}
	if err == nil && failing {
		in.tell()
	}
	return err
}

// fail notes a failure; the first receiver pauses.
func (in *intake) fail(err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.failed == nil {
		in.failed = err
	}
	in.failing = true
	in.changed.Broadcast()
}

// went notes that something went well.
func (in *intake) went() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.failed == nil {
		in.failing = false
		in.retry.reset()
	}
	in.changed.Broadcast()
}

// admit waits until there is place for a batch; false means that this receiver is to end or, of the first one,
// that there is a failure to look at.
func (in *intake) admit(ctx context.Context, first bool) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	for {
		n := in.asked + 1
		switch {
		case ctx.Err() != nil, in.failed != nil, in.failing && !first:
			return false
		case in.failing && len(in.held)+in.asked > 0:
		case len(in.held)+n*in.cfg.Batch <= max(in.cfg.InHand, in.cfg.Batch) && (in.bytes+n*in.largest <= mostBytes || len(in.held)+in.asked == 0):
			in.asked++
			return true
		}
		in.changed.Wait()
	}
}

// receive takes one batch in hand; false means that the receiver is to end, unless it is the first one.
func (in *intake) receive(ctx context.Context, all *sync.WaitGroup, first bool) bool {
	if !in.admit(ctx, first) {
		return false
	}
	messages, err := in.cfg.Queue.Receive(ctx, in.cfg.Batch, in.cfg.Wait)
	now := in.cfg.Now().UTC()
	plain, announcing := in.logs.split(messages)
	in.arrived(plain, now)
	switch {
	case err != nil && ctx.Err() != nil:
		return false
	case err != nil:
		in.fail(fmt.Errorf("receive messages: %w", err))
		return false
	case len(messages) == 0:
		in.went()
		return false
	case len(messages) == in.cfg.Batch:
		in.grow(ctx, all)
	}
	if len(announcing) > 0 {
		if err := in.logFiles(ctx, announcing, now); err != nil {
			in.fail(err)
		}
	}
	return true
}

// arrived puts messages into their lanes.
func (in *intake) arrived(messages []Message, now time.Time) {
	urgent := make([]bool, len(messages))
	for i, m := range messages {
		urgent[i] = in.sieve.watch.Triage([]byte(m.Body)) || m.Received >= in.cfg.Alone
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.asked--
	in.gauge.received(now, messages)
	size := 0
	for i, m := range messages {
		came := time.Now()
		x := &item{m: m, at: now, came: came, until: came.Add(in.cfg.Visibility)}
		l := &in.plain
		if urgent[i] {
			l = &in.urgent
		}
		l.items = append(l.items, x)
		l.bytes += len(m.Body)
		in.held[x] = true
		size += len(m.Body)
	}
	in.bytes, in.largest = in.bytes+size, max(in.largest, size)
	in.changed.Broadcast()
}

// grow adds a receiver.
func (in *intake) grow(ctx context.Context, all *sync.WaitGroup) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.receivers >= in.cfg.Receivers || in.failing || ctx.Err() != nil {
		return
	}
	in.receivers++
	all.Go(func() {
		for in.receive(ctx, all, false) {
		}
		in.mu.Lock()
		defer in.mu.Unlock()
		in.receivers--
	})
}

// logFiles reads what messages announce beside the events. Where as many are read already as may be, this receiver
// reads them itself, one receiver at a time.
func (in *intake) logFiles(ctx context.Context, messages []Message, now time.Time) error {
	return in.beside.do(func() error {
		release := in.hold(context.WithoutCancel(ctx), messages)
		in.itself.Lock()
		release()
		defer in.itself.Unlock()
		return in.announced(ctx, messages, now, in.handle)
	}, func() error { return in.announced(ctx, messages, now, in.handle) })
}
