package usage

import (
	"context"
	"fmt"
	"sync"

	"dera/cloudtrail"
)

// Event is one message of an event source.
type Event struct {
	Body []byte
	// Authenticated says that only AWS and we can write to where it came from.
	// An event counts only if its envelope is vouched for as well (design §6.1.5).
	Authenticated bool
}

// Counts says how many records became what.
type Counts map[Reason]int64

// Total is the number of all records.
func (c Counts) Total() int64 {
	var n int64
	for _, m := range c {
		n += m
	}
	return n
}

// Lost is the number of records that may have been a use that nobody knows of.
func (c Counts) Lost() int64 {
	var n int64
	for r, m := range c {
		if r.Lost() {
			n += m
		}
	}
	return n
}

func (c Counts) add(o Counts) {
	for r, n := range o {
		c[r] += n
	}
}

// Observer feeds the ledger from event sources, as they arrive. It remembers some
// event IDs, so that what is delivered twice soon after counts once; first and
// last use are right however often an event comes. It is safe for concurrent use.
type Observer struct {
	ledger *Ledger
	mu     sync.Mutex
	a      *aggregate
}

// Observer returns one; there is to be one for each process.
func (l *Ledger) Observer() *Observer {
	o := &Observer{ledger: l, a: newAggregate()}
	o.a.live = true
	return o
}

// Observe commits the events. When it returns nil they are durable and may be
// acknowledged; after an error the same events may come again.
func (o *Observer) Observe(ctx context.Context, events []Event) (Counts, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	counts := Counts{}
	for _, e := range events {
		counts[o.one(e)]++
	}
	b, err := o.a.batch(nil)
	o.a.reset()
	if err == nil && len(b.Runs) > 0 {
		err = o.ledger.store.CommitUsage(ctx, b)
	}
	if err == nil {
		err = o.ledger.store.CompactUsage(ctx, mostRuns, Second(0).Time())
	}
	if err != nil {
		clear(o.a.seen) // what was not committed may come again
		return nil, fmt.Errorf("observe %d events: %w", len(events), err)
	}
	return counts, nil
}

func (o *Observer) one(e Event) Reason {
	var f cloudtrail.Fields
	vouched, err := f.SkimEvent(e.Body)
	switch {
	case !e.Authenticated || err == nil && !vouched:
		return NotAuthenticated
	case err != nil:
		return Unreadable
	}
	return o.a.add(&f, Verified)
}

// Reasons lists every reason, in the order in which people are told.
func Reasons() []Reason {
	return []Reason{Counted, NotACall, Repeated, NotAuthenticated, NoAction, NoTime, NoPlace, NoPrincipal, TwiceNamed, Unreadable}
}
