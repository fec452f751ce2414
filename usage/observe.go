package usage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"dera.example/dera/cloudtrail"
)

// Message is one message of an event source.
type Message struct {
	Body []byte
	// Authenticated says that only AWS and we can write to where it came from.
	// An event counts only if its envelope is trusted as well (design §6.1.5).
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

// ObserverConfig says what an observer may take for what.
type ObserverConfig struct {
	// Accounts are those whose events count; nil means all.
	Accounts []string
	// Complete says that the source delivers every management event: an hour in
	// which one arrived is then proved. Else it is only seen.
	Complete bool
}

// Observer feeds the ledger from event sources, as they arrive. It remembers some
// event IDs, so that what is delivered twice soon after counts once; first and
// last use are right however often an event comes. It is safe for concurrent use.
type Observer struct {
	ledger *Ledger
	cfg    ObserverConfig
	// accounts are those of cfg.
	accounts map[string]bool
	mu       sync.Mutex
	a        *aggregate
	runs     int // written since the last compaction
}

// runsBetween is how many runs an observer writes before it compacts: few enough
// for whoever reads, and many for whoever writes.
const runsBetween = 32

// Observer returns one; there is to be one for each process.
func (l *Ledger) Observer(cfg ObserverConfig) *Observer {
	o := &Observer{ledger: l, cfg: cfg, a: newAggregate(), runs: runsBetween, accounts: map[string]bool{}}
	for _, id := range cfg.Accounts {
		o.accounts[id] = true
	}
	o.a.live = cfg.Complete
	if l.watch.Days > 0 {
		o.a.watching = &watching{}
	}
	return o
}

// Observe commits the events. When it returns nil they are durable and may be
// acknowledged; after an error the same events may come again.
func (o *Observer) Observe(ctx context.Context, events []Message) (Counts, error) {
	return o.Through(ctx, events, func(ctx context.Context, b Batch, _ Counts) error {
		if b.Empty() {
			return nil
		}
		return o.ledger.store.CommitUsage(ctx, b)
	})
}

// Through is Observe with the caller's commit, which may hold more than the
// batch. It is called once.
func (o *Observer) Through(ctx context.Context, events []Message, commit func(context.Context, Batch, Counts) error) (Counts, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	counts := Counts{}
	for _, e := range events {
		counts[o.one(e)]++
	}
	b, err := o.ledger.packed(ctx, o.a, nil)
	o.a.reset()
	if err == nil {
		b.Facts, err = o.lost(b.Facts, counts)
	}
	if err == nil {
		err = commit(ctx, b, counts)
	}
	if err != nil {
		clear(o.a.seen) // what was not committed may come again
		return nil, fmt.Errorf("observe %d events: %w", len(events), err)
	}
	o.ledger.found(ctx, b.Denials)
	if o.runs += len(b.Runs); o.runs >= runsBetween {
		o.runs = 0
		if err := o.ledger.store.CompactUsage(ctx, mostRuns, Second(0).Time()); err != nil {
			return counts, fmt.Errorf("compact the usage ledger: %w", err)
		}
	}
	return counts, nil
}

// Loss is use that nobody knows of, for a reason, in an hour. Account and Region are
// empty where they are not known either.
type Loss struct {
	At      Second `json:"at"`
	Why     Reason `json:"why"`
	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`
}

// fact is the loss as one fact, however often it is noted.
func (l Loss) fact() (Fact, error) {
	id := fmt.Sprintf("%d/%s", l.At, l.Why)
	if l.Account != "" {
		id += "/" + l.Account + "/" + l.Region
	}
	return newFact(factLost, id, l.At, l)
}

// lost notes what could not be attributed and whose place is not known: once for
// each hour and reason.
func (o *Observer) lost(facts []Fact, counts Counts) ([]Fact, error) {
	at := SecondOf(o.ledger.now()) / 3600 * 3600
	for _, why := range Reasons() {
		if counts[why] == 0 || !why.Lost() || why.placed() {
			continue
		}
		f, err := Loss{At: at, Why: why}.fact()
		if err != nil {
			return nil, err
		}
		facts = append(facts, f)
	}
	return facts, nil
}

func (o *Observer) one(e Message) Reason {
	var f cloudtrail.Fields
	trusted, err := f.SkimEvent(e.Body)
	switch {
	case !e.Authenticated || err == nil && !trusted:
		return NotAuthenticated
	case err != nil:
		return reasonOf(err)
	case o.cfg.Accounts != nil && !o.accounts[string(cloudtrail.Text(f.Account))]:
		return Foreign
	}
	return o.a.add(&f, Verified)
}

// reasonOf says why an event that could not be read is no use of an action.
func reasonOf(err error) Reason {
	switch {
	case errors.Is(err, cloudtrail.ErrOtherEvent):
		return NotACall
	case errors.Is(err, cloudtrail.ErrDuplicateName):
		return TwiceNamed
	case errors.Is(err, cloudtrail.ErrTooLarge):
		return TooLarge
	}
	return Unreadable
}

// Reasons lists every reason, in the order in which people are told.
func Reasons() []Reason {
	return []Reason{Counted, NotACall, Repeated, NotAuthenticated, Foreign, NoAction, NoTime, NoPlace, NoPrincipal, TwiceNamed, TooLarge, Unreadable}
}

// Name is the reason in JSON.
func (r Reason) Name() string {
	switch r {
	case Counted:
		return "counted"
	case NotACall:
		return "not_a_call"
	case Repeated:
		return "repeated"
	case NotAuthenticated:
		return "not_authenticated"
	case Foreign:
		return "foreign"
	case NoAction:
		return "no_action"
	case NoTime:
		return "no_time"
	case NoPlace:
		return "no_place"
	case NoPrincipal:
		return "no_principal"
	case TwiceNamed:
		return "member_twice"
	case TooLarge:
		return "too_large"
	case Unreadable:
		return "unreadable"
	}
	return string(r)
}

// MarshalJSON writes the number of each reason under its name, zeros included.
func (c Counts) MarshalJSON() ([]byte, error) {
	out := map[string]int64{}
	for _, r := range Reasons() {
		out[r.Name()] = c[r]
	}
	return json.Marshal(out)
}
