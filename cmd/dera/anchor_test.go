package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
)

// memoryAnchor fails while it is told to.
type memoryAnchor struct {
	err  atomic.Pointer[error]
	kept atomic.Int64
}

func (m *memoryAnchor) Name() string                                           { return "memory" }
func (m *memoryAnchor) Check(context.Context) (string, bool, error)            { return "", false, nil }
func (m *memoryAnchor) Kept(context.Context, func(audit.Anchored) error) error { return nil }
func (m *memoryAnchor) Keep(_ context.Context, _ audit.Source, c audit.Checkpoint, _ []byte) error {
	if err := m.err.Load(); err != nil && *err != nil {
		return *err
	}
	m.kept.Store(c.Size)
	return nil
}

// TestUnanchoredAlarm: while the log cannot be anchored an alarm stands, which says what that means, and it ends when the anchor works; a log that was forked ends the process.
func TestUnanchoredAlarm(t *testing.T) {
	cloud := awssim.New(awssim.Config{Seed: 7})
	serving(t, cloud, cloud.Account("111122223333").Credentials())
	a := &cli{in: strings.NewReader(""), out: io.Discard, err: io.Discard, now: time.Now}
	a.flags.data = t.TempDir()
	s, err := a.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.store.Close()
	if err := s.connect(t.Context(), options{}); err != nil {
		t.Fatal(err)
	}
	m := &memoryAnchor{}
	fail := func(err error) { m.err.Store(&err) }
	s.config.Anchor.BeforeWrites = true
	s.anchoring = engine.NewAnchoring(s.log, 0, m)
	tick, ended := make(chan time.Time), make(chan error, 1)
	go func() { ended <- s.sign(t.Context(), slog.New(slog.DiscardHandler), tick) }()
	sign := func() {
		t.Helper()
		for range 2 { // the second is taken when the first is done
			select {
			case tick <- time.Now():
			case err := <-ended:
				t.Fatalf("signing ended with %v", err)
			}
		}
	}
	stands := func() (dera.Alarm, bool) {
		t.Helper()
		list, err := s.store.Alarms(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(list, func(a dera.Alarm) bool { return a.Key == unanchoredAlarm })
		if i < 0 {
			return dera.Alarm{}, false
		}
		return list[i], true
	}
	fail(fmt.Errorf("the bucket does not answer: %w", context.DeadlineExceeded)) // no sign that the database does not
	sign()
	if alarm, there := stands(); !there || !strings.Contains(alarm.Why, "the bucket does not answer") || !strings.Contains(alarm.Why, "Nothing is fixed meanwhile") {
		t.Errorf("got %+v, %t", alarm, there)
	}
	fail(nil)
	sign()
	if _, there := stands(); there || m.kept.Load() == 0 {
		t.Errorf("the alarm stands: %t; %d records are anchored", there, m.kept.Load())
	}
	if err := (engine.Switch{Store: s.store, Now: time.Now}).Stop(t.Context(), dera.Stop{Reason: "a record"}, dera.Actor{Name: "ann", How: "sts"}); err != nil {
		t.Fatal(err)
	}
	fail(audit.ErrFork)
	for began := time.Now(); ; { // the one in hand may see it already
		select {
		case tick <- time.Now():
			if time.Since(began) < time.Minute {
				continue
			}
			t.Fatal("a forked log does not end it")
		case err := <-ended:
			if !errors.Is(err, audit.ErrFork) {
				t.Errorf("a forked log: got %v", err)
			}
		}
		return
	}
}
