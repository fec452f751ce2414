// Package sourcetest is a queue of any size for tests and benchmarks, whose messages are made when they are received.
// Layer: as source.
package sourcetest

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"dera.example/dera/source"
)

// Load says what is in a flood.
type Load struct {
	N        int     // messages
	Critical int     // of them open a group to the world, anywhere among the others
	Relevant int     // of a thousand others close something on one of 200 groups; no type listens to the rest
	PerS     float64 // how many arrive in a second; 0 means that all are there at once
	Call     time.Duration
	Workers  int // 0 for the default
}

// Flood is a queue of generated messages, each of whose calls takes a while, as over a network. What is received
// and not deleted in time comes again.
type Flood struct {
	Load
	Account, Region string
	Open            []string // IDs of the critical groups
	Clean           []string // and of those that are closed
	// Calls are the names of the call that opens a group and of one that closes something.
	Calls [2]string
	// Opens, where set, is called when a critical message is received for the first time, before it is given out.
	Opens func(k int)
	begin time.Time

	mu       sync.Mutex
	next     int
	flight   map[int]time.Time // visible again at
	again    []int
	deleted  int
	twice    int
	received map[string]time.Time // the first receipt of a critical message
	calls    atomic.Int64
}

var _ source.Queue = (*Flood)(nil)

// Which of the critical messages the i-th one is, or -1: they are spread, one in each part of the queue.
func (q *Flood) Which(i int) int {
	step := q.N / q.Critical
	if k := i / step; i%step == (k*7919+step/2)%step && k < q.Critical {
		return k
	}
	return -1
}

// Arrival is when the i-th message came into the queue.
func (q *Flood) Arrival(i int) time.Time {
	if q.PerS == 0 {
		return q.begin
	}
	return q.begin.Add(time.Duration(float64(i) / q.PerS * float64(time.Second)))
}

const padding = `"userAgent":"aws-sdk-go-v2/1.48.0 os/linux lang/go#1.26 md/GOOS#linux md/GOARCH#amd64 api/ec2#1.250.0 m/E,g","sourceIPAddress":"198.51.100.7","eventVersion":"1.11","eventType":"AwsApiCall","managementEvent":true,"eventCategory":"Management","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"ec2.us-east-1.amazonaws.com"},"requestID":"3c4b0d1e-7c55-4a2e-9a4e-0f5f5a6b7c8d","sharedEventID":"0e6b0b0a-0b60-4d4e-8f39-1c1f0e2d3c4b"`

func (q *Flood) body(i int) string {
	source, name, request := "monitoring.amazonaws.com", "PutMetricData", `{"namespace":"app"}`
	if k := q.Which(i); k >= 0 {
		source, name, request = "ec2.amazonaws.com", q.Calls[0], `{"groupId":"`+q.Open[k]+`","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":22,"toPort":22,"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]}}]}}`
	} else if i%1000 < q.Relevant {
		source, name, request = "ec2.amazonaws.com", q.Calls[1], `{"groupId":"`+q.Clean[i%len(q.Clean)]+`"}`
	}
	return Event{Account: q.Account, Region: q.Region, ID: strconv.Itoa(i), Time: "2026-11-30T09:00:00Z", Source: source, Name: name, Request: request}.Body()
}

// Event is a call as EventBridge sends it.
type Event struct {
	Account, Region, ID, Time string
	Source, Name, Request     string // of the call, as CloudTrail has them
}

// Body is the message.
func (e Event) Body() string {
	return `{"version":"0","id":"` + e.ID + `","detail-type":"AWS API Call via CloudTrail","source":"aws.ec2","account":"` + e.Account + `","time":"` + e.Time + `","region":"` + e.Region + `","resources":[],"detail":{` +
		padding + `,"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::` + e.Account + `:user/ann","accountId":"` + e.Account + `"},"eventTime":"` + e.Time + `","eventSource":"` + e.Source +
		`","eventName":"` + e.Name + `","awsRegion":"` + e.Region + `","recipientAccountId":"` + e.Account + `","eventID":"e-` + e.ID + `","requestParameters":` + e.Request + `,"responseElements":{"_return":true}}}`
}

// wait waits in real time.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// Visibility is for how long what is received is hidden.
const Visibility = 30 * time.Second

// Receive implements source.Queue.
func (q *Flood) Receive(ctx context.Context, limit int, long time.Duration) ([]source.Message, error) {
	q.calls.Add(1)
	wait(ctx, q.Call)
	for until := time.Now().Add(long); ; wait(ctx, 20*time.Millisecond) {
		if list := q.take(limit); len(list) > 0 || ctx.Err() != nil || time.Now().After(until) {
			return list, ctx.Err()
		}
	}
}

func (q *Flood) take(limit int) []source.Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	var out []source.Message
	add := func(i int) {
		q.flight[i] = now.Add(Visibility)
		if k := q.Which(i); k >= 0 && q.received[q.Open[k]].IsZero() {
			if q.Opens != nil {
				q.Opens(k)
			}
			q.received[q.Open[k]] = now
		}
		out = append(out, source.Message{ID: strconv.Itoa(i), Receipt: strconv.Itoa(i), Body: q.body(i), Received: 1, Sent: q.Arrival(i)})
	}
	for len(out) < limit && len(q.again) > 0 {
		add(q.again[0])
		q.again = q.again[1:]
	}
	for len(out) < limit && q.next < q.N && !q.Arrival(q.next).After(now) {
		add(q.next)
		q.next++
	}
	return out
}

// Lapse brings back what was not deleted in time.
func (q *Flood) Lapse() {
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

// Delete implements source.Queue.
func (q *Flood) Delete(ctx context.Context, list []source.Message) error {
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

// Extend implements source.Queue.
func (q *Flood) Extend(ctx context.Context, list []source.Message, d time.Duration) error {
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

// Done reports whether every message was deleted.
func (q *Flood) Done() bool { q.mu.Lock(); defer q.mu.Unlock(); return q.deleted == q.N }

// Start makes the messages arrive from now on.
func (q *Flood) Start() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.flight, q.received, q.begin = map[int]time.Time{}, map[string]time.Time{}, time.Now()
}

// Figures are the calls so far, and the messages that came again.
func (q *Flood) Figures() (calls int64, twice int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.calls.Load(), q.twice
}

// From is when the k-th critical message was received first or, of a flood that arrives over time, when it arrived.
func (q *Flood) From(k int) time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.PerS == 0 {
		return q.received[q.Open[k]]
	}
	for i := k * (q.N / q.Critical); ; i++ {
		if q.Which(i) == k {
			return q.Arrival(i)
		}
	}
}

// Received reports whether the k-th critical message was received.
func (q *Flood) Received(k int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !q.received[q.Open[k]].IsZero()
}
