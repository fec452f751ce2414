package awssim

import (
	"slices"
	"sync"
)

// recorder keeps the latest calls and events, and counts all of them.
type recorder struct {
	mu     sync.Mutex
	keep   int
	calls  []Call
	events []TrailEvent
	counts map[countKey]int
}

type countKey struct{ service, operation, account, region string }

func newRecorder(keep int) *recorder {
	return &recorder{keep: keep, counts: map[countKey]int{}}
}

func (r *recorder) call(c Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = appendLatest(r.calls, c, r.keep)
	r.counts[countKey{c.Service, c.Operation, c.Account, c.Region}]++
}

func (r *recorder) event(e TrailEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = appendLatest(r.events, e, r.keep)
}

// appendLatest appends and lets the oldest go, in batches, once there are twice as many as shall be kept.
func appendLatest[T any](list []T, item T, keep int) []T {
	if len(list) >= 2*keep {
		list = slices.Clone(list[len(list)-keep+1:])
	}
	return append(list, item)
}

// Calls returns the recorded calls, oldest first: those that could be authenticated, also if they were then refused.
// Only the latest Config.KeepCalls are sure to be there.
func (c *Cloud) Calls() []Call {
	c.recorder.mu.Lock()
	defer c.recorder.mu.Unlock()
	return slices.Clone(c.recorder.calls)
}

// Count returns how many calls matched since the cloud was made. Match.Where is not used.
func (c *Cloud) Count(m Match) int {
	c.recorder.mu.Lock()
	defer c.recorder.mu.Unlock()
	total := 0
	for key, n := range c.recorder.counts {
		if m.covers(key) {
			total += n
		}
	}
	return total
}

// Events returns the CloudTrail events, oldest first. Only the latest Config.KeepCalls are sure to be there.
func (c *Cloud) Events() []TrailEvent {
	c.recorder.mu.Lock()
	defer c.recorder.mu.Unlock()
	return slices.Clone(c.recorder.events)
}
