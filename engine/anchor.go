package engine

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"dera.example/dera/audit"
	"dera.example/dera/store"
)

// Anchoring signs the audit log and keeps its checkpoints outside, in rounds that all who wait for one
// share. Make one with NewAnchoring. It is safe for concurrent use.
type Anchoring struct {
	log     Log
	anchors []audit.Anchor
	within  time.Duration

	mu   sync.Mutex
	next *round // that has not begun; nil for none
	busy bool   // one is under way
	kept map[string]keptAt
}

// round is one signature with what keeps it.
type round struct {
	done chan struct{}
	err  error
}

type keptAt struct {
	size    int64
	at      time.Time
	checked time.Time // when the anchor said that it keeps what it is given
}

const (
	// anchorWithin is how long one round may take.
	anchorWithin = 30 * time.Second
	// anchorAgain is after how long a checkpoint is kept although nothing was recorded since, and an
	// anchor is asked once more whether it keeps what it is given.
	anchorAgain = time.Hour
)

// NewAnchoring anchors a log; within is how long a round may take, 30 s for 0. Without anchors it
// only signs.
func NewAnchoring(log Log, within time.Duration, anchors ...audit.Anchor) *Anchoring {
	if within == 0 {
		within = anchorWithin
	}
	return &Anchoring{log: log, anchors: anchors, within: within, kept: map[string]keptAt{}}
}

// Anchors are those that it has.
func (a *Anchoring) Anchors() []audit.Anchor { return a.anchors }

// Anchor returns nil when all that was committed before the call is signed and kept by every anchor. An
// error says what was not. A round that begins while another is under way covers all who wait for it.
func (a *Anchoring) Anchor(ctx context.Context) error {
	a.mu.Lock()
	if a.next == nil {
		a.next = &round{done: make(chan struct{})}
	}
	mine := a.next
	if !a.busy {
		a.busy = true
		go a.rounds(context.WithoutCancel(ctx))
	}
	a.mu.Unlock()
	select {
	case <-mine.done:
		return mine.err
	case <-ctx.Done():
		return fmt.Errorf("wait for the anchor of the audit log: %w", ctx.Err())
	}
}

// rounds runs those that are asked for, one after the other.
func (a *Anchoring) rounds(ctx context.Context) {
	for {
		a.mu.Lock()
		r := a.next
		a.next = nil
		if r == nil {
			a.busy = false
			a.mu.Unlock()
			return
		}
		a.mu.Unlock()
		r.err = a.one(ctx)
		close(r.done)
	}
}

// one signs and keeps a checkpoint of all that is in the log.
func (a *Anchoring) one(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, a.within)
	defer cancel()
	signed, err := a.log.Sign(ctx)
	if err != nil {
		return fmt.Errorf("sign the audit log: %w", err)
	}
	if len(a.anchors) == 0 {
		return nil
	}
	c, err := audit.OpenCheckpoint(signed, a.log.PublicKey)
	if err != nil {
		return err
	}
	errs := make([]error, len(a.anchors))
	var wait sync.WaitGroup
	for i, anchor := range a.anchors {
		wait.Go(func() { errs[i] = a.keep(ctx, anchor, c, signed) })
	}
	wait.Wait()
	return errors.Join(errs...)
}

// keep has one anchor keep a checkpoint, unless it has it already.
func (a *Anchoring) keep(ctx context.Context, anchor audit.Anchor, c audit.Checkpoint, signed []byte) error {
	name := anchor.Name()
	a.mu.Lock()
	was, known := a.kept[name]
	a.mu.Unlock()
	if known && was.size == c.Size && c.Time.Sub(was.at) < anchorAgain {
		return nil
	}
	if now := a.log.Now(); was.checked.IsZero() || now.Sub(was.checked) >= anchorAgain || now.Before(was.checked) {
		if _, _, err := anchor.Check(ctx); err != nil { // what is not known to stay is not anchored
			return fmt.Errorf("check the anchor %s: %w", name, err)
		}
		was.checked = now
	}
	if err := anchor.Keep(ctx, a.log.Store, c, signed); err != nil {
		return fmt.Errorf("anchor the audit log at %s: %w", name, err)
	}
	a.mu.Lock()
	a.kept[name] = keptAt{c.Size, c.Time, was.checked}
	a.mu.Unlock()
	// For people and metrics: the anchor itself says what it has.
	return a.log.Store.Remember(ctx, map[string]string{store.AnchoredPrefix + name: strconv.FormatInt(c.Size, 10) + " " + store.Moment(c.Time)})
}

// ParseAnchored reads what is remembered of an anchor: up to which size it has the log, and since when.
func ParseAnchored(text string) (size int64, at time.Time, ok bool) {
	n, when, _ := strings.Cut(text, " ")
	size, err := strconv.ParseInt(n, 10, 64)
	if err != nil {
		return 0, at, false
	}
	at, err = time.Parse(time.RFC3339Nano, when)
	return size, at, err == nil
}
