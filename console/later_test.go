package console

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestLater: what becomes of an order that nobody waits for is shown and does not show more than it must;
// one that panics fails alone, and none begins when dera ends.
func TestLater(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		order func() error
		slow  bool
		want  string // of the page, empty for nothing
		err   string
	}{
		"at_once":      {order: func() error { return nil }},
		"refused":      {order: func() error { return &Refused{Why: "four eyes"} }, err: "four eyes"},
		"late":         {order: func() error { return nil }, slow: true},
		"late_refused": {order: func() error { return &Refused{Why: "AWS denies it"} }, slow: true, want: "AWS denies it"},
		"late_failed":  {order: func() error { return errors.New("a secret") }, slow: true, want: "the log says"},
		"panics":       {order: func() error { panic("wrong") }, err: "panicked"},
		"late_panics":  {order: func() error { panic("wrong") }, slow: true, want: "the log says"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var shown atomic.Int32
				l := newLater(patience, func(_ context.Context, _ string, err error) string {
					var refused *Refused
					switch {
					case err == nil:
						return ""
					case errors.As(err, &refused):
						return refused.Why
					}
					return "the log says"
				}, func() { shown.Add(1) })
				err := l.do(t.Context(), "r-1", func() error {
					if tt.slow {
						<-time.After(2 * patience)
					}
					return tt.order()
				})
				if got := text(err); tt.err == "" && err != nil || !strings.Contains(got, tt.err) {
					t.Errorf("got %v, want %q", err, tt.err)
				}
				if tt.slow {
					if err := l.do(t.Context(), "r-1", tt.order); err == nil {
						t.Error("a second order began while the first goes on")
					}
				}
				<-time.After(3 * patience)
				if got := l.of("r-1"); got != tt.want || (shown.Load() == 1) != tt.slow {
					t.Errorf("got %q, shown %d times, want %q", got, shown.Load(), tt.want)
				}
				c := &Console{later: l}
				if err := c.Wait(t.Context()); err != nil {
					t.Error(err)
				}
				if err := l.do(t.Context(), "r-1", tt.order); text(err) != "dera is ending" {
					t.Errorf("after the end: got %v", err)
				}
			})
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
