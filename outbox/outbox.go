// Package outbox carries what the audit log says to receivers. The log is written in
// the same commit as the state, so that no change is without its message: Post reads on
// where the last posting ended, asks the router who is to hear of a record, and adds
// what it says together with how far it came. Send hands what is due to the sinks: each
// message at least once, under an ID that stays the same, after errors with growing
// waits, and given up (dead, which a person sees) only where a receiver refuses it for
// good or could not be reached for days. Layer: may import the words, store and sink.
package outbox

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"dera.example/dera"
	"dera.example/dera/sink"
	"dera.example/dera/store"
)

// Store is what an outbox reads and writes; *store.Store is one.
type Store interface {
	Posted(ctx context.Context) (next int64, ok bool, err error)
	LogSize(ctx context.Context) (int64, error)
	Leaves(ctx context.Context, from, n int64) ([][]byte, error)
	Commit(ctx context.Context, b store.Batch) error
	ClaimNotices(ctx context.Context, sink string, n int, ttl time.Duration) ([]store.Notice, error)
	Sent(ctx context.Context, list []store.Notice) error
	Postpone(ctx context.Context, list []store.Notice, at time.Time, why string) error
	Untried(ctx context.Context, list []store.Notice, at time.Time) error
	Bury(ctx context.Context, list []store.Notice, why string) error
	Finding(ctx context.Context, id string) (dera.Finding, error)
	Remediation(ctx context.Context, id string) (dera.Remediation, error)
	Access(ctx context.Context, id string) (dera.Access, error)
	Alarms(ctx context.Context) ([]dera.Alarm, error)
}

// Escalator is a router that also says who is to hear of what nobody answered.
type Escalator interface {
	Escalations(m sink.Message, since time.Time) []sink.Delivery
}

// Config is what New needs. Store and Router are mandatory.
type Config struct {
	Store  Store
	Router sink.Router
	Sinks  map[string]sink.Sink // by the name that the router uses
	// Flags are added to the commands in messages.
	Flags string
	// Lease is how long a process has for what it claimed; 2 minutes if zero. One call of
	// a sink has a quarter of it.
	Lease time.Duration
	// Poll is how often Run looks; 1 s if zero.
	Poll   time.Duration
	Now    func() time.Time
	Random func() float64 // in [0, 1); spreads retries
	Log    *slog.Logger
}

// Outbox is safe for concurrent use; several processes may share a store.
type Outbox struct {
	cfg  Config
	away map[string]*away // by sink
}

// away is how long a receiver that takes nothing is left in peace.
type away struct {
	mu    sync.Mutex
	times int
	until time.Time
}

// due reports whether the receiver is to be tried.
func (a *away) due(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !now.Before(a.until)
}

// note is what a pass came to.
func (a *away) note(gone bool, now time.Time, wait func(times int) time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !gone {
		a.times, a.until = 0, time.Time{}
		return
	}
	a.times++
	a.until = now.Add(wait(a.times))
}

// New returns an outbox.
func New(cfg Config) (*Outbox, error) {
	if cfg.Store == nil || cfg.Router == nil {
		return nil, errors.New("outbox: Store and Router are required")
	}
	cfg.Lease = cmp.Or(cfg.Lease, 2*time.Minute)
	cfg.Poll = cmp.Or(cfg.Poll, time.Second)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Float64
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	o := &Outbox{cfg: cfg, away: map[string]*away{}}
	for name := range cfg.Sinks {
		o.away[name] = &away{}
	}
	return o, nil
}

// Run posts and sends until ctx ends. Errors are logged and tried again.
func (o *Outbox) Run(ctx context.Context) error {
	var wait sync.WaitGroup
	loop := func(what string, f func(context.Context) (int, error)) {
		wait.Go(func() {
			said := ""
			for ctx.Err() == nil {
				n, err := f(ctx)
				if err != nil && ctx.Err() == nil && err.Error() != said {
					o.cfg.Log.ErrorContext(ctx, "messages wait", "step", what, "err", err)
				}
				if said = ""; err != nil {
					said = err.Error() // a receiver that is away is logged once
				}
				if n == 0 || err != nil {
					pause(ctx, o.cfg.Poll)
				}
			}
		})
	}
	loop("post", o.Post)
	for name := range o.cfg.Sinks {
		loop(name, func(ctx context.Context) (int, error) { return o.send(ctx, name) })
	}
	wait.Wait()
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// postMost is how many records one posting takes over.
const postMost = 200

// Post takes over what the audit log says since the last posting, up to 200 records, and
// returns how many. The first posting of a database takes over none: messages begin with
// what is recorded from then on.
func (o *Outbox) Post(ctx context.Context) (int, error) {
	from, ok, err := o.cfg.Store.Posted(ctx)
	if err != nil {
		return 0, err
	}
	size, err := o.cfg.Store.LogSize(ctx)
	switch {
	case err != nil:
		return 0, err
	case !ok:
		return 0, o.post(ctx, store.Posting{From: size, Next: size})
	case from > size:
		return 0, fmt.Errorf("messages were posted up to record %d, and the audit log has %d: it was cut, or another one took its place", from, size)
	case from == size:
		return 0, nil
	}
	leaves, err := o.cfg.Store.Leaves(ctx, from, min(size-from, postMost))
	if err != nil {
		return 0, err
	}
	p := store.Posting{From: from, Next: from + int64(len(leaves))}
	for i, leaf := range leaves {
		m, open, ok, err := o.message(ctx, from+int64(i), leaf)
		if err != nil {
			return 0, fmt.Errorf("message of record %d: %w", from+int64(i), err)
		}
		if !ok {
			continue
		}
		notices, err := o.notices(m, open)
		if err != nil {
			return 0, err
		}
		p.Notices = append(p.Notices, notices...)
	}
	if err := o.post(ctx, p); err != nil {
		return 0, err
	}
	return len(leaves), nil
}

// post commits a posting. That another process was first is no error.
func (o *Outbox) post(ctx context.Context, p store.Posting) error {
	err := o.cfg.Store.Commit(ctx, store.Batch{Posting: &p})
	if errors.Is(err, store.ErrConflict) {
		return nil
	}
	return err
}

// body is what is kept of a message until it is sent.
type body struct {
	Message sink.Message `json:"message"`
	// Open, where set, is what must be unanswered when it is sent.
	Open *open `json:"open,omitempty"`
}

// notices is the message for each sink that is to have it, and for those that are to have it
// later should nobody answer.
func (o *Outbox) notices(m sink.Message, asks *open) (out []store.Notice, err error) {
	add := func(id string, b body, list []sink.Delivery) {
		text, e := json.Marshal(b)
		if e != nil {
			err = fmt.Errorf("message %s: %w", m.ID, e)
		}
		for _, d := range list {
			n := store.Notice{ID: id, Sink: d.Sink, Due: d.Due, Digest: d.Digest, Body: text}
			if !slices.ContainsFunc(out, func(x store.Notice) bool { return x.Sink == n.Sink && x.ID == n.ID }) {
				out = append(out, n)
			}
		}
	}
	add(m.ID, body{Message: m}, o.cfg.Router.Route(m, o.cfg.Now()))
	if e, ok := o.cfg.Router.(Escalator); ok && asks != nil {
		later := m
		later.ID, later.What, later.Title = m.ID+"-escalation", sink.WhatEscalation, "nobody answered: "+m.Title
		add(later.ID, body{later, asks}, e.Escalations(m, m.At))
	}
	return out, err
}

// Send hands what is due to every sink once, and returns how many messages were sent.
func (o *Outbox) Send(ctx context.Context) (int, error) {
	var errs []error
	sent := 0
	for _, name := range slices.Sorted(maps.Keys(o.cfg.Sinks)) {
		n, err := o.send(ctx, name)
		sent, errs = sent+n, append(errs, err)
	}
	return sent, errors.Join(errs...)
}

// claimMost is how many notices are claimed at once, and so how many a digest joins.
const claimMost = 100

// send hands what is due to one sink: those of a digest as one, each other one alone. One
// that the receiver does not take holds up none that it may take; where it takes two
// in a row not, it is left in peace.
func (o *Outbox) send(ctx context.Context, name string) (int, error) {
	if !o.away[name].due(o.cfg.Now()) {
		return 0, nil
	}
	claimed, err := o.cfg.Store.ClaimNotices(ctx, name, claimMost, o.cfg.Lease)
	if err != nil || len(claimed) == 0 {
		return 0, err
	}
	begun := o.cfg.Now()
	var errs []error
	var last error
	var sent []store.Notice // and not recorded yet: after a crash they go once more
	failed, n := 0, 0
	record := func() {
		if len(sent) > 0 {
			errs = append(errs, o.settle(ctx, func(ctx context.Context) error { return o.cfg.Store.Sent(ctx, sent) }))
		}
		n, sent = n+len(sent), nil
	}
	groups := together(claimed)
	for i, group := range groups {
		// What is not begun in time is another's to send.
		if failed == 2 || ctx.Err() != nil || o.cfg.Now().Sub(begun) > o.cfg.Lease/2 {
			record()
			errs = append(errs, o.settle(ctx, func(ctx context.Context) error {
				return o.cfg.Store.Untried(ctx, slices.Concat(groups[i:]...), o.cfg.Now())
			}))
			break
		}
		took, err := o.hand(ctx, name, group, begun.Add(o.cfg.Lease/2))
		sent = append(sent, took...)
		if failed++; err == nil || sink.Permanent(err) {
			failed = 0
		}
		if err != nil {
			errs, last = append(errs, err), err
		}
	}
	record()
	o.away[name].note(failed == 2, o.cfg.Now(), func(times int) time.Duration { return o.wait(last, times) })
	return n, errors.Join(errs...)
}

// settle records what became of notices. The receiver may have them: the end of ctx stops
// nothing.
func (o *Outbox) settle(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.cfg.Lease/8)
	defer cancel()
	return f(ctx)
}

// together are the groups in which notices go: those of one digest, and each other one.
func together(list []store.Notice) (out [][]store.Notice) {
	at := map[string]int{}
	for _, n := range list {
		if i, ok := at[n.Digest]; ok && n.Digest != "" {
			out[i] = append(out[i], n)
			continue
		}
		at[n.Digest] = len(out)
		out = append(out, []store.Notice{n})
	}
	return out
}

// mostTries is how often a message is tried that gets no answer: at the waits between
// them, for about three days.
const mostTries = 300

// hand sends one group and returns what the receiver took; what became of the rest it
// records. Of a digest that goes one by one what is not begun by until comes again when the lease
// is over. The error is that of the receiver, or of the store.
func (o *Outbox) hand(ctx context.Context, name string, group []store.Notice, until time.Time) ([]store.Notice, error) {
	var messages []sink.Message
	for _, n := range group {
		var b body
		if err := json.Unmarshal(n.Body, &b); err != nil {
			return nil, o.cfg.Store.Bury(ctx, group, "the message cannot be read: "+err.Error())
		}
		if b.Open != nil {
			switch waits, err := o.unanswered(ctx, *b.Open); {
			case err != nil:
				return nil, err // it comes again when the lease is over
			case !waits:
				return group, nil // an escalation is a group of its own
			}
		}
		messages = append(messages, b.Message)
	}
	to, cancel := context.WithTimeout(ctx, o.cfg.Lease/4)
	err := o.cfg.Sinks[name].Send(to, messages)
	cancel()
	if after, ok := sink.AgainAfter(err); ok {
		return nil, o.settle(ctx, func(ctx context.Context) error { return o.cfg.Store.Untried(ctx, group, o.cfg.Now().Add(after)) })
	}
	switch n := group[0]; {
	case err == nil:
		return group, nil
	case sink.Permanent(err) && len(group) > 1: // one of a digest may be what is refused
		var sent []store.Notice
		for i := range group {
			if o.cfg.Now().After(until) || ctx.Err() != nil {
				break
			}
			one, err2 := o.hand(ctx, name, group[i:i+1], until)
			sent, err = append(sent, one...), errors.Join(err, err2)
		}
		return sent, err
	case sink.Permanent(err), n.Attempts >= mostTries:
		return nil, errors.Join(err, o.settle(ctx, func(ctx context.Context) error { return o.cfg.Store.Bury(ctx, group, err.Error()) }))
	default:
		at := o.cfg.Now().Add(o.wait(err, n.Attempts))
		return nil, errors.Join(err, o.settle(ctx, func(ctx context.Context) error { return o.cfg.Store.Postpone(ctx, group, at, err.Error()) }))
	}
}

// wait is for how long a receiver is left in peace after an error: what it asked for, up
// to an hour, or 2 s and then twice as long each time up to 15 minutes.
func (o *Outbox) wait(err error, attempts int) time.Duration {
	if d, ok := sink.RetryAfter(err); ok {
		return min(max(d, time.Second), time.Hour)
	}
	d := min(2*time.Second<<min(max(attempts-1, 0), 9), 15*time.Minute)
	return d/2 + time.Duration(o.cfg.Random()*float64(d)/2)
}
