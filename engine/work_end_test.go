package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
)

// TestWorkEndsWhileACallHangs: a server that never answers must not hold the end
// of the process. A write that hangs, with its effect or without, leaves an open
// intent, and the next start settles it.
func TestWorkEndsWhileACallHangs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault awssim.Fault
		open  int // intents
	}{
		{name: "read", fault: awssim.Fault{Match: byEngine("DescribeSecurityGroups"), Kind: awssim.Hang, Times: 1}},
		{name: "read_for_a_remediation", fault: awssim.Fault{Match: byEngine("DescribeSecurityGroupRules"), Kind: awssim.Hang, Times: 1, After: 2}, open: 0},
		{name: "write", fault: awssim.Fault{Match: byEngine(revoke), Kind: awssim.Hang, Times: 1}, open: 1},
		{name: "write_with_effect", fault: awssim.Fault{Match: byEngine(revoke), Kind: awssim.HangAfter, Times: 1}, open: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorldWith(t, func(w *world) {
				w.timeout = time.Hour
				w.config = func(c *engine.Config) { c.Grace, c.Poll, c.Workers = time.Millisecond, time.Millisecond, 1 }
			})
			id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
			hangs := w.cloud.Inject(tt.fault)
			w.ingest(w.event(id))
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- w.engine.Work(ctx) }()
			tick := time.NewTicker(time.Millisecond)
			defer tick.Stop()
			for hangs.Fired() == 0 {
				select {
				case <-tick.C:
				case <-t.Context().Done():
					t.Fatal("nothing hangs")
				}
			}
			stop()
			if err := <-ended; err != nil { // or the test itself runs out of time
				t.Fatal(err)
			}
			open, err := w.store.OpenIntents(t.Context())
			if err != nil || len(open) != tt.open {
				t.Errorf("open intents: got %d, %v, want %d", len(open), err, tt.open)
			}
			w.reborn()
			w.sweep()
			w.quiet()
			if f := w.findings(id)[sshKey]; f.State != dera.FindingResolved || len(w.ingress(id)) != 0 {
				t.Errorf("after the next start: got %q with %q, want it fixed", f.State, w.ingress(id))
			}
			if open, err := w.store.OpenIntents(t.Context()); err != nil || len(open) != 0 {
				t.Errorf("open intents after the next start: got %d, %v", len(open), err)
			}
		})
	}
}

// TestDrainHasABound: jobs that keep coming end it with an error.
func TestDrainHasABound(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) {
		w.config = func(c *engine.Config) {
			c.DrainMost = 20
			c.Tell = func(n engine.News) {
				if n.What == "page" { // whoever looks is asked to look again
					w.ingest(w.event(n.Scope.IDs...))
				}
			}
		}
	})
	w.ingest(w.event(w.group("web", tcp(443, 443, "10.0.0.0/8"))))
	if err := w.engine.Drain(t.Context()); err == nil || errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "20") {
		t.Errorf("got %v, want an error after 20 jobs", err)
	}
	if n := len(w.ours("DescribeSecurityGroups")); n != 20 {
		t.Errorf("looks: got %d, want 20", n)
	}
}
