package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dera.example/dera/awssim"
	"dera.example/dera/engine"
	"dera.example/dera/evaluate"
	"dera.example/dera/services"
	"dera.example/dera/source"
	"dera.example/dera/source/sourcetest"
	"dera.example/dera/store"
)

// wait waits in real time.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// figures are what a run came to.
type figures struct {
	Load       sourcetest.Load
	Seconds    float64 // until the last message was deleted
	Rate       float64 // messages a second
	P50, P100  float64 // seconds from receipt, of a stream from arrival, to the fix of a critical group
	Idle, RSS  string  // memory before the run, and the most, with the generator and the simulated AWS
	CPU        float64 // seconds of all of that
	Commits    int64   // deliveries, each of which is one commit
	StoreSteps int64
	Calls      int64 // of the queue
	Twice      int   // messages that came again
}

// drains runs an engine on a queue, in real time, until all is deleted and all that is critical is closed.
func drains(t *testing.T, l sourcetest.Load) figures {
	t.Helper()
	var mu sync.Mutex
	fixed := map[string]time.Time{}
	w := newWorldWith(t, func(w *world) {
		w.config = func(c *engine.Config) {
			c.Wait, c.BudgetPerHour, c.Poll, c.Workers = nil, 1<<30, 100*time.Millisecond, l.Workers
			c.Tell = func(engine.News) {}
		}
		w.gate = func(g *evaluate.Gate) { g.Plan = g.Plan[:3] }
	})
	q := &sourcetest.Flood{Load: l, Account: account, Region: region, Calls: [2]string{"AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"}}
	for i := range l.Critical {
		q.Open = append(q.Open, w.group(fmt.Sprintf("open-%d", i), tcp(22, 22, "0.0.0.0/0")))
	}
	for i := range 200 {
		q.Clean = append(q.Clean, w.group(fmt.Sprintf("clean-%d", i), tcp(443, 443, "10.0.0.0/8")))
	}
	match := byEngine(revoke)
	where := match.Where
	match.Where = func(c awssim.Call) bool {
		if !where(c) {
			return false
		}
		mu.Lock()
		defer mu.Unlock()
		if id := c.Parameters["GroupId"]; fixed[id].IsZero() {
			fixed[id] = time.Now()
		}
		return false // it is only noted
	}
	w.cloud.Inject(awssim.Fault{Match: match, Kind: awssim.Hook, Func: func() {}})
	var steps atomic.Int64
	w.step = func(step string) error {
		if step == stepStore {
			steps.Add(1)
		}
		return nil
	}
	src, err := source.NewSQS(source.SQSConfig{Queue: q, Accounts: []string{account}, Watch: services.Watch(), Visibility: sourcetest.Visibility, Ready: w.store.Ready})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	last := time.Now()
	all.Go(func() { // the clock of the world follows that of the machine
		for ctx.Err() == nil {
			wait(ctx, 5*time.Millisecond)
			now := time.Now()
			w.clock.Advance(now.Sub(last))
			last = now
			q.Lapse()
		}
	})
	all.Go(func() { _ = w.engine.Work(ctx) })
	idle := resident("VmRSS:")
	began := cpu()
	q.Start()
	begin := time.Now()
	all.Go(func() {
		_ = src.Run(ctx, func(ctx context.Context, d source.Delivery) error {
			return w.engine.Accept(ctx, d.Events, store.Batch{Counts: d.Counts.Names()}, d.Older...)
		})
	})
	for !q.Done() {
		wait(ctx, 20*time.Millisecond)
	}
	f := figures{Load: l, Seconds: time.Since(begin).Seconds(), CPU: (cpu() - began).Seconds(), Commits: src.Load().Deliveries}
	f.Calls, f.Twice = q.Figures()
	w.await(func() bool { mu.Lock(); defer mu.Unlock(); return len(fixed) >= l.Critical })
	f.StoreSteps, f.Rate, f.RSS, f.Idle = steps.Load(), float64(l.N)/f.Seconds, resident("VmHWM:"), idle
	cancel()
	all.Wait()
	var took []float64
	for k, id := range q.Open {
		took = append(took, fixed[id].Sub(q.From(k)).Seconds())
	}
	slices.Sort(took)
	f.P50, f.P100 = took[len(took)/2], took[len(took)-1]
	w.step = nil
	counted, err := w.store.Counters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := counted["events_received"]; n < int64(l.N) || n > int64(l.N+f.Twice) || len(took) != l.Critical {
		t.Errorf("got %d messages counted and %d critical ones of %d, of which %d came again: nothing may be lost", n, len(took), l.N, f.Twice)
	}
	for _, id := range q.Open {
		if rules := w.ingress(id); len(rules) != 0 {
			t.Errorf("group %s is open: %v", id, rules)
		}
	}
	return f
}

// resident is the memory of the process: VmRSS: now, VmHWM: at most.
func resident(what string) string {
	text, _ := os.ReadFile("/proc/self/status") // nothing where there is none
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, what); ok {
			return strings.TrimSpace(rest)
		}
	}
	return "?"
}

// TestQueueIsDrained: every message of a queue is committed and deleted, whatever is in it, the irrelevant ones by the
// hundred, and what is critical among them is closed.
func TestQueueIsDrained(t *testing.T) {
	t.Parallel()
	f := drains(t, sourcetest.Load{N: 5000, Critical: 10, Relevant: 10, Call: 2 * time.Millisecond, Workers: 16})
	if f.Commits > 500 {
		t.Errorf("got %d commits of 5,000 messages", f.Commits)
	}
}

// TestBenchQueue measures what DERA_BENCH_QUEUE says, a load as JSON, in a process of its own (make bench-queue).
func TestBenchQueue(t *testing.T) {
	text := os.Getenv("DERA_BENCH_QUEUE")
	if text == "" {
		text = `{"N":2000,"Critical":4,"Relevant":1,"Call":1000000}`
	}
	var l sourcetest.Load
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(drains(t, l))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", out)
}
