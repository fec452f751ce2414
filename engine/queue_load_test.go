package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
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
	"dera.example/dera/store"
)

// load says what is in the queue of a run.
type load struct {
	N        int     // messages
	Critical int     // of them open a group to the world, anywhere among the others
	Relevant int     // of a thousand others close something on one of 200 groups; no type listens to the rest
	PerS     float64 // how many arrive in a second; 0 means that all are there at once
	Call     time.Duration
	Workers  int // 0 for the default
}

// bigQueue is a queue of generated messages, each of whose calls takes a while, as over a network. What is received
// and not deleted in time comes again.
type bigQueue struct {
	load
	begin time.Time
	ids   []string // of the critical groups
	clean []string

	mu       sync.Mutex
	next     int
	flight   map[int]time.Time // visible again at
	again    []int
	deleted  int
	twice    int
	received map[string]time.Time // the first receipt of a critical message
	calls    atomic.Int64
}

var _ source.Queue = (*bigQueue)(nil)

// at is where the i-th message stands: the critical ones are spread by a number that has no factor in common.
func (q *bigQueue) critical(i int) int {
	step := q.N / q.Critical
	if k := i / step; i%step == (k*7919+step/2)%step && k < q.Critical {
		return k
	}
	return -1
}

// arrival is when the i-th message came into the queue.
func (q *bigQueue) arrival(i int) time.Time {
	if q.PerS == 0 {
		return q.begin
	}
	return q.begin.Add(time.Duration(float64(i) / q.PerS * float64(time.Second)))
}

const padding = `"userAgent":"aws-sdk-go-v2/1.48.0 os/linux lang/go#1.26 md/GOOS#linux md/GOARCH#amd64 api/ec2#1.250.0 m/E,g","sourceIPAddress":"198.51.100.7","eventVersion":"1.11","eventType":"AwsApiCall","managementEvent":true,"eventCategory":"Management","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"ec2.us-east-1.amazonaws.com"},"requestID":"3c4b0d1e-7c55-4a2e-9a4e-0f5f5a6b7c8d","sharedEventID":"0e6b0b0a-0b60-4d4e-8f39-1c1f0e2d3c4b"`

func (q *bigQueue) body(i int) string {
	source, name, request := "monitoring.amazonaws.com", "PutMetricData", `{"namespace":"app"}`
	if k := q.critical(i); k >= 0 {
		source, name, request = "ec2.amazonaws.com", "AuthorizeSecurityGroupIngress", `{"groupId":"`+q.ids[k]+`","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":22,"toPort":22,"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]}}]}}`
	} else if i%1000 < q.Relevant {
		source, name, request = "ec2.amazonaws.com", "RevokeSecurityGroupIngress", `{"groupId":"`+q.clean[i%len(q.clean)]+`"}`
	}
	n := strconv.Itoa(i)
	return `{"version":"0","id":"` + n + `","detail-type":"AWS API Call via CloudTrail","source":"aws.ec2","account":"` + account + `","time":"2026-11-30T09:00:00Z","region":"` + region + `","resources":[],"detail":{` +
		padding + `,"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::` + account + `:user/ann","accountId":"` + account + `"},"eventTime":"2026-11-30T09:00:00Z","eventSource":"` + source +
		`","eventName":"` + name + `","awsRegion":"` + region + `","recipientAccountId":"` + account + `","eventID":"e-` + n + `","requestParameters":` + request + `,"responseElements":{"_return":true}}}`
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

const hidden30 = 30 * time.Second

func (q *bigQueue) Receive(ctx context.Context, limit int, long time.Duration) ([]source.Message, error) {
	q.calls.Add(1)
	wait(ctx, q.Call)
	for until := time.Now().Add(long); ; wait(ctx, 20*time.Millisecond) {
		if list := q.take(limit); len(list) > 0 || ctx.Err() != nil || time.Now().After(until) {
			return list, ctx.Err()
		}
	}
}

func (q *bigQueue) take(limit int) []source.Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	var out []source.Message
	add := func(i int) {
		q.flight[i] = now.Add(hidden30)
		if k := q.critical(i); k >= 0 && q.received[q.ids[k]].IsZero() {
			q.received[q.ids[k]] = now
		}
		out = append(out, source.Message{ID: strconv.Itoa(i), Receipt: strconv.Itoa(i), Body: q.body(i), Received: 1, Sent: q.arrival(i)})
	}
	for len(out) < limit && len(q.again) > 0 {
		add(q.again[0])
		q.again = q.again[1:]
	}
	for len(out) < limit && q.next < q.N && !q.arrival(q.next).After(now) {
		add(q.next)
		q.next++
	}
	return out
}

// lapse brings back what was not deleted in time.
func (q *bigQueue) lapse() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, at := range q.flight {
		if time.Now().After(at) {
			delete(q.flight, i)
			q.again = append(q.again, i)
			q.twice++
		}
	}
}

func (q *bigQueue) Delete(ctx context.Context, list []source.Message) error {
	q.calls.Add(1)
	wait(ctx, q.Call)
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range list {
		i, _ := strconv.Atoi(m.Receipt)
		if _, ok := q.flight[i]; ok {
			delete(q.flight, i)
			q.deleted++
		}
	}
	return nil
}

func (q *bigQueue) Extend(ctx context.Context, list []source.Message, d time.Duration) error {
	q.calls.Add(1)
	wait(ctx, q.Call)
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range list {
		i, _ := strconv.Atoi(m.Receipt)
		if _, ok := q.flight[i]; ok {
			q.flight[i] = time.Now().Add(d)
		}
	}
	return nil
}

func (q *bigQueue) done() bool { q.mu.Lock(); defer q.mu.Unlock(); return q.deleted == q.N }

// figures are what a run came to.
type figures struct {
	Load       load
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
func drains(t *testing.T, l load) figures {
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
	q := &bigQueue{load: l, flight: map[int]time.Time{}, received: map[string]time.Time{}}
	for i := range l.Critical {
		q.ids = append(q.ids, w.group(fmt.Sprintf("open-%d", i), tcp(22, 22, "0.0.0.0/0")))
	}
	for i := range 200 {
		q.clean = append(q.clean, w.group(fmt.Sprintf("clean-%d", i), tcp(443, 443, "10.0.0.0/8")))
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
	src, err := source.NewSQS(source.SQSConfig{Queue: q, Accounts: []string{account}, Watch: services.Watch(), Visibility: hidden30, Ready: w.store.Ready})
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
			q.lapse()
		}
	})
	all.Go(func() { _ = w.engine.Work(ctx) })
	idle := resident("VmRSS:")
	began := cpu()
	q.begin = time.Now()
	all.Go(func() {
		_ = src.Run(ctx, func(ctx context.Context, d source.Delivery) error {
			return w.engine.Accept(ctx, d.Events, store.Batch{Counts: d.Counts.Names()}, d.Older...)
		})
	})
	for !q.done() {
		wait(ctx, 20*time.Millisecond)
	}
	f := figures{Load: l, Seconds: time.Since(q.begin).Seconds(), CPU: (cpu() - began).Seconds(), Commits: src.Load().Deliveries, Calls: q.calls.Load(), Twice: q.twice}
	w.await(func() bool { mu.Lock(); defer mu.Unlock(); return len(fixed) >= l.Critical })
	f.StoreSteps, f.Rate, f.RSS, f.Idle = steps.Load(), float64(l.N)/f.Seconds, resident("VmHWM:"), idle
	cancel()
	all.Wait()
	var took []float64
	for i := range l.N {
		if k := q.critical(i); k >= 0 {
			from := q.received[q.ids[k]]
			if l.PerS > 0 {
				from = q.arrival(i)
			}
			took = append(took, fixed[q.ids[k]].Sub(from).Seconds())
		}
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
	for _, id := range q.ids {
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
	f := drains(t, load{N: 5000, Critical: 10, Relevant: 10, Call: 2 * time.Millisecond, Workers: 16})
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
	var l load
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(drains(t, l))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", out)
}
