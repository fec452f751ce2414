package outbox

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/sink"
	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
)

// receiver is a sink that can be down, and remembers how often it got each message.
type receiver struct {
	mu     sync.Mutex
	answer func(m []sink.Message) error
	got    map[string]int
	calls  int
	most   int // messages at once
}

func (r *receiver) Send(_ context.Context, m []sink.Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	r.most = max(r.most, len(m))
	if r.answer != nil {
		if err := r.answer(m); err != nil {
			return err
		}
	}
	for _, x := range m {
		r.got[x.ID]++
	}
	return nil
}

// everything routes every message to one sink.
type everything struct{ digest string }

func (e everything) Route(_ sink.Message, now time.Time) []sink.Delivery {
	return []sink.Delivery{{Sink: "chat", Due: now, Digest: e.digest}, {Sink: "chat", Due: now}}
}

type fixture struct {
	*testing.T
	clock *storetest.Clock
	store *store.Store
	to    *receiver
	box   *Outbox
}

func newFixture(t *testing.T, r sink.Router) *fixture {
	t.Helper()
	f := &fixture{T: t, clock: storetest.NewClock(), to: &receiver{got: map[string]int{}}}
	f.store = storetest.Open(t, storetest.Database{URL: "sqlite:" + filepath.Join(t.TempDir(), "dera.db")}, f.clock)
	f.box = f.open(r)
	if _, err := f.box.Post(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fixture) open(r sink.Router) *Outbox {
	f.Helper()
	o, err := New(Config{Store: f.store, Router: r, Sinks: map[string]sink.Sink{"chat": f.to}, Now: f.clock.Now, Random: func() float64 { return 0.5 }})
	if err != nil {
		f.Fatal(err)
	}
	return o
}

// record adds n records to the audit log.
func (f *fixture) record(n int) {
	f.Helper()
	for n > 0 {
		var b store.Batch
		for range min(n, 500) {
			b.Records = append(b.Records, dera.AuditRecord{Version: 1, Kind: dera.RecordStop, Time: f.clock.Now(), Account: "111122223333", Why: fmt.Sprint("stop ", n)})
			n--
		}
		if err := f.store.Commit(f.Context(), b); err != nil {
			f.Fatal(err)
		}
	}
}

func (f *fixture) post() {
	f.Helper()
	for {
		n, err := f.box.Post(f.Context())
		if err != nil {
			f.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

// drain sends until nothing waits, and returns how long that took.
func (f *fixture) drain() time.Duration {
	f.Helper()
	begun := f.clock.Now()
	for range 100_000 {
		n, _ := f.box.Send(f.Context())
		left, err := f.store.Backlogs(f.Context())
		if err != nil {
			f.Fatal(err)
		}
		if len(left) == 0 || left[0].Waiting == 0 {
			return f.clock.Now().Sub(begun)
		}
		if n == 0 {
			f.clock.Advance(15 * time.Second)
		}
	}
	f.Fatal("something waits for ever")
	return 0
}

// What a receiver that is down for an hour missed it gets: each of 10,000 messages once,
// by not many more calls than messages.
func TestReceiverAway(t *testing.T) {
	t.Parallel()
	const many = 10_000
	f := newFixture(t, everything{})
	f.record(many)
	back := f.clock.Now().Add(time.Hour)
	f.to.answer = func([]sink.Message) error {
		if f.clock.Now().Before(back) {
			return errors.New("connection refused")
		}
		return nil
	}
	f.post()
	took := f.drain()
	if len(f.to.got) != many {
		t.Errorf("%d messages arrived, want %d", len(f.to.got), many)
	}
	for id, n := range f.to.got {
		if n != 1 {
			t.Errorf("%s arrived %d times", id, n)
		}
	}
	if tried := f.to.calls - many; tried > 2*many/10 {
		t.Errorf("a receiver that was away was called %d times in vain", tried)
	}
	if took > 2*time.Hour {
		t.Errorf("it took %s until all arrived", took)
	}
}

// A message that the receiver refuses for good is dead at once, and holds up no other;
// revived it is sent under the same ID.
func TestDeadLetter(t *testing.T) {
	t.Parallel()
	f := newFixture(t, everything{})
	f.record(30)
	refuse := true
	f.to.answer = func(m []sink.Message) error {
		if refuse && strings.HasSuffix(m[0].Why, "0") {
			return &sink.PermanentError{Err: errors.New("no such channel")}
		}
		return nil
	}
	f.post()
	f.drain()
	b, err := f.store.Backlogs(t.Context())
	if err != nil || len(b) != 1 || b[0].Dead != 3 || b[0].Why != "no such channel" || len(f.to.got) != 27 {
		t.Fatalf("backlog %+v, %v, and %d arrived; want 3 dead and 27", b, err, len(f.to.got))
	}
	refuse = false
	if _, err := f.store.Revive(t.Context(), "chat"); err != nil {
		t.Fatal(err)
	}
	if f.drain(); len(f.to.got) != 30 {
		t.Errorf("%d arrived, want all 30", len(f.to.got))
	}
}

// One that never gets an answer holds up no other, and is given up in the end.
func TestPoison(t *testing.T) {
	t.Parallel()
	f := newFixture(t, everything{})
	f.record(12)
	f.to.answer = func(m []sink.Message) error {
		if strings.HasSuffix(m[0].Why, " 7") || strings.HasSuffix(m[0].Why, " 8") {
			return errors.New("timeout")
		}
		return nil
	}
	f.post()
	for range 60 {
		_, _ = f.box.Send(t.Context())
		f.clock.Advance(time.Second)
	}
	if len(f.to.got) != 10 {
		t.Errorf("%d arrived within a minute, want the 10 others", len(f.to.got))
	}
	if took := f.drain(); took < 2*24*time.Hour || took > 5*24*time.Hour {
		t.Errorf("it was given up after %s, want some days", took)
	}
}

// A crash after the receiver took messages and before that is recorded sends them again,
// under the same IDs, and loses none.
func TestCrashAfterSending(t *testing.T) {
	t.Parallel()
	f := newFixture(t, everything{})
	f.record(5)
	f.post()
	ctx, crash := context.WithCancel(t.Context())
	f.box.cfg.Store = forgetful{f.store, crash}
	_, _ = f.box.Send(ctx)
	f.box = f.open(everything{})
	f.clock.Advance(5 * time.Minute)
	f.drain()
	for id, n := range f.to.got {
		if n != 2 {
			t.Errorf("%s arrived %d times, want twice under one ID", id, n)
		}
	}
	if len(f.to.got) != 5 {
		t.Errorf("%d IDs, want 5", len(f.to.got))
	}
}

// forgetful crashes where it should record that messages were sent.
type forgetful struct {
	*store.Store
	crash func()
}

func (s forgetful) Sent(context.Context, []store.Notice) error {
	s.crash()
	return errors.New("crashed")
}

// What one digest joins goes as one; where the receiver refuses it, one by one.
func TestDigest(t *testing.T) {
	t.Parallel()
	f := newFixture(t, everything{digest: "daily"})
	f.record(20)
	f.to.answer = func(m []sink.Message) error {
		for _, x := range m {
			if strings.HasSuffix(x.Why, " 7") {
				return &sink.PermanentError{Err: errors.New("refused")}
			}
		}
		return nil
	}
	f.post()
	f.drain()
	if len(f.to.got) != 19 || f.to.most != 20 {
		t.Errorf("%d arrived, at most %d at once; want 19 and 20", len(f.to.got), f.to.most)
	}
}

// A digest that a slow receiver refuses goes one by one, within the lease: none is sent twice.
func TestSlowDigest(t *testing.T) {
	t.Parallel()
	f := newFixture(t, everything{digest: "daily"})
	f.record(20)
	f.to.answer = func(m []sink.Message) error {
		f.clock.Advance(25 * time.Second)
		if len(m) > 1 {
			return &sink.PermanentError{Err: errors.New("too long")}
		}
		return nil
	}
	f.post()
	f.drain()
	for id, n := range f.to.got {
		if n != 1 {
			t.Errorf("%s arrived %d times", id, n)
		}
	}
	if len(f.to.got) != 20 {
		t.Errorf("%d arrived, want 20", len(f.to.got))
	}
}

// Two processes post each record once.
func TestTwoPost(t *testing.T) {
	t.Parallel()
	f := newFixture(t, everything{})
	f.record(400)
	other := f.open(everything{})
	var wait sync.WaitGroup
	for _, o := range []*Outbox{f.box, other, f.box, other} {
		wait.Go(func() {
			for range 10 {
				if _, err := o.Post(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	f.drain()
	if len(f.to.got) != 400 {
		t.Errorf("%d messages, want 400", len(f.to.got))
	}
}

// A log that is shorter than what was posted of it is an error, and posts nothing.
func TestLogWasCut(t *testing.T) {
	t.Parallel()
	f := newFixture(t, everything{})
	if err := f.store.Commit(t.Context(), store.Batch{Posting: &store.Posting{From: 0, Next: 9}}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.box.Post(t.Context()); err == nil {
		t.Error("it was posted from a log that is too short")
	}
}
