package engine

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/store"
)

// The kinds of jobs.
const (
	lookJob      = "look"
	remediateJob = "remediate"
	expireJob    = "expire"
	accessJob    = "access" // the time of an access is over
)

// Priorities: a hint at one resource goes before a page of a sweep (rank says which
// hint first), and a critical remediation before everything.
const (
	nowPriority   = -1 // what a person asked for now
	lookPriority  = 10
	sweepPriority = 20
)

// sweepName is the name of events that ask for a sweep (package source): these
// tell of no change.
const sweepName = "sweep"

func remediatePriority(s dera.Severity) int { return int(dera.Critical - s) }

func lookAt(ev dera.Event, now time.Time) (dera.Job, error) { return request{Event: ev}.job(now) }

// lookAgain asks for a re-read at the resource of a plan.
func lookAgain(p dera.Plan, now time.Time) (dera.Job, error) {
	return lookAt(dera.Event{
		Source: "engine", Name: "look again", Time: now,
		Scope: dera.Scope{Partition: p.Partition, Account: p.Account, Region: p.Region, Type: p.Type, IDs: []string{p.Resource.Name()}},
	}, now)
}

// lookAtOne asks for a look at one resource, for the same reason as o.
func lookAtOne(o order, r dera.Resource) dera.Event {
	ev := o.Event
	ev.Scope.IDs, ev.Scope.Page = []string{r.ID}, ""
	return ev
}

// Ingest makes one look of each event, in one commit; when it returns nil the
// source may forget the events (invariant I8).
func (e *Engine) Ingest(ctx context.Context, events []dera.Event, kept []store.KeptEvent, counts map[string]int64) error {
	return e.Accept(ctx, events, store.Batch{Kept: kept, Counts: counts})
}

// Accept is Ingest with whatever else is to be in that commit. older are events
// whose scopes are looked at because of events anyway.
func (e *Engine) Accept(ctx context.Context, events []dera.Event, b store.Batch, older ...dera.Event) error {
	for _, ev := range e.everywhere(events) {
		j, err := request{Event: ev, Hint: ev.Name != sweepName, Rank: e.rank(ev)}.job(e.cfg.Now())
		if err != nil {
			return err
		}
		b.Jobs = append(b.Jobs, j)
	}
	for _, ev := range slices.Concat(older, events) {
		if err := e.overwritten(ctx, ev, &b); err != nil {
			return err
		}
	}
	if err := e.cfg.Store.Commit(ctx, b); err != nil {
		return err
	}
	e.asked(b.Jobs)
	return nil
}

// Sweep asks for a look at everything: one job for the first page of each type
// in each account and region; each page asks for the next.
func (e *Engine) Sweep(ctx context.Context, source string) error {
	var events []dera.Event
	for _, scope := range e.Scopes() {
		events = append(events, dera.Event{Source: source, Name: sweepName, Scope: scope, Time: e.cfg.Now()})
	}
	return e.Ingest(ctx, events, nil, nil)
}

// everywhere turns an event that concerns every region into one for each region
// that is covered. Where none is named it stays, and its look fails aloud.
func (e *Engine) everywhere(events []dera.Event) []dera.Event {
	var out []dera.Event
	for _, ev := range events {
		if ev.Scope.Region != dera.EveryRegion || len(e.cfg.Regions) == 0 {
			out = append(out, ev)
			continue
		}
		for _, region := range e.cfg.Regions {
			ev.Scope.Region = region
			out = append(out, ev)
		}
	}
	return out
}

// regionsOf are the regions in which resources of a type are looked at.
func (e *Engine) regionsOf(typ string) []string {
	if kind, err := e.cfg.Types.Lookup(typ); err == nil && kind.Global {
		return []string{dera.GlobalRegion}
	}
	return e.cfg.Regions
}

// Scopes are the first pages of a sweep over everything.
func (e *Engine) Scopes() []dera.Scope {
	types := map[string]bool{}
	var out []dera.Scope
	for _, c := range e.cfg.Controls {
		if types[c.Type] {
			continue
		}
		types[c.Type] = true
		for _, a := range e.cfg.Accounts {
			for _, region := range e.regionsOf(c.Type) {
				out = append(out, dera.Scope{Partition: a.Partition, Account: a.ID, Region: region, Type: c.Type})
			}
		}
	}
	return out
}

func randomID() string {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return "r-" + hex.EncodeToString(b[:])
}
