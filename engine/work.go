package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"dera.example/dera"
	"dera.example/dera/remediate"
	"dera.example/dera/store"
)

// Start makes sure that every remediation that is under way has a job, so that a
// crash leaves none behind (invariant I2). The version says which engine it is.
func (e *Engine) Start(ctx context.Context, version string) error {
	now := e.cfg.Now()
	b := store.Batch{Records: []dera.AuditRecord{{
		Version: 1, Kind: dera.RecordStart, Time: now.UTC(), Actor: e.cfg.Actor, Why: "engine " + version + " starts as " + e.cfg.Owner,
	}}}
	for _, state := range []dera.State{dera.Ready, dera.Applying, dera.Verifying, dera.Undoing} {
		list, err := e.cfg.Store.RemediationsIn(ctx, state)
		if err != nil {
			return err
		}
		for _, r := range list {
			b.Jobs = append(b.Jobs, dera.Job{Kind: remediateJob, Key: r.ID, Priority: remediatePriority(r.Severity), RunAt: now})
		}
	}
	due, err := e.cfg.Store.AccessesDue(ctx)
	if err != nil {
		return err
	}
	for _, a := range due {
		b.Jobs = append(b.Jobs, dera.Job{Kind: accessJob, Key: a.ID, RunAt: now})
	}
	return e.commit(ctx, b)
}

// Work runs jobs until ctx is done, then ends the jobs in hand and returns. A job
// that hangs is cut off after the grace time: an intent that it leaves open is
// settled by the next start. While the database is away, it waits.
func (e *Engine) Work(ctx context.Context) error {
	var workers sync.WaitGroup
	slots := make(chan struct{}, e.cfg.Workers)
	inHand, cut := outlive(ctx, e.cfg.Grace)
	defer cut()
	defer workers.Wait()
	tick := time.NewTicker(e.cfg.Poll)
	defer tick.Stop()
	var h hand
	defer func() { e.giveBack(ctx, h.jobs) }()
	for fails := 0; ; {
		for ctx.Err() == nil {
			e.giveBack(ctx, h.late(e.cfg.Now(), e.cfg.LeaseTTL))
			for len(h.jobs) > 0 && len(slots) < cap(slots) {
				slots <- struct{}{}
				j := h.next()
				workers.Go(func() {
					defer func() { e.shares.ended(j); <-slots; e.poke() }()
					e.runJob(inHand, j)
				})
			}
			h.urgent = h.urgent || e.urgent.Swap(false)
			n := h.toClaim(cap(slots) - len(slots))
			if n == 0 {
				break
			}
			jobs, err := e.claim(ctx, n)
			if err != nil && ctx.Err() == nil {
				fails++
				e.cfg.Log.ErrorContext(ctx, "claim jobs", "err", err, "attempt", fails)
				pause(ctx, min(backoff(fails), mostPause))
				continue
			}
			fails = 0
			h.add(jobs)
			e.giveBack(ctx, h.over(cap(slots)-len(slots)))
			if len(jobs) == 0 {
				break
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-e.wake:
		case <-tick.C:
			e.giveBack(ctx, h.poll())
		}
	}
}

// mostPause is the longest wait for a database that is away.
const mostPause = 30 * time.Second

// pause waits in real time, or for the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// outlive is a context that ends a while after ctx.
func outlive(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	hand, cut := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		t := time.AfterFunc(grace, cut)
		context.AfterFunc(hand, func() { t.Stop() })
	})
	return hand, func() { stop(); cut() }
}

// lastWords is how long the store has for what must be written although the
// context is over: what it cannot take then runs out automatically.
const lastWords = 2 * time.Second

// bounded gives a context that nothing ends an end.
func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx.Done() != nil {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, lastWords)
}

// errDrain means that jobs kept coming.
var errDrain = errors.New("the jobs do not come to an end")

// Drain runs due jobs in the caller's goroutine until none is left, and an error
// where they do not come to an end. It is the deterministic engine of commands and
// tests.
func (e *Engine) Drain(ctx context.Context) error {
	for range e.cfg.DrainMost {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		jobs, err := e.cfg.Store.Claim(ctx, e.cfg.Owner, 1, e.cfg.LeaseTTL)
		if err != nil {
			return err
		}
		if len(jobs) == 0 {
			return nil
		}
		e.runJob(ctx, jobs[0])
	}
	return fmt.Errorf("%w: %d were run", errDrain, e.cfg.DrainMost)
}

// asked lets Work look at once for jobs that were enqueued.
func (e *Engine) asked(jobs []dera.Job) {
	if slices.ContainsFunc(jobs, func(j dera.Job) bool { return j.Priority < lookPriority }) {
		e.urgent.Store(true)
	}
	e.poke()
}

// poke lets Work look for jobs at once.
func (e *Engine) poke() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// runJob is the job boundary: it recovers, logs, and gives a failed job back
// with a growing delay. Only what is in a committed batch's Done is finished.
func (e *Engine) runJob(ctx context.Context, j dera.Job) {
	if !e.running.take(j.Kind + " " + j.Key) {
		e.notYet(ctx, j)
		return
	}
	defer e.running.give(j.Kind + " " + j.Key)
	err := e.safely(ctx, j)
	if err == nil {
		return
	}
	at := e.cfg.Now().Add(backoff(j.Attempts))
	var later *remediate.LaterError
	if errors.As(err, &later) {
		at = later.At
	}
	if later != nil && later.Expected {
		e.cfg.Log.InfoContext(ctx, "job waits", "job", j.Kind+" "+j.Key, "why", err)
	} else {
		e.cfg.Log.WarnContext(ctx, "job goes back", "job", j.Kind+" "+j.Key, "attempt", j.Attempts, "err", err)
		e.cfg.Tell(News{What: "job", Err: err})
	}
	ctx, cancel := bounded(context.WithoutCancel(ctx))
	defer cancel()
	if err := e.cfg.Store.Retry(ctx, j, at); err != nil {
		e.cfg.Log.ErrorContext(ctx, "give a job back", "job", j.Kind+" "+j.Key, "err", err)
	}
}

// notYet gives back a job that runs here already, for a moment that grows with each try. Most of the time the one that runs
// has ended the job in the database, and somebody asked for it again before it returned; else its claim ran out.
func (e *Engine) notYet(ctx context.Context, j dera.Job) {
	ctx, cancel := bounded(context.WithoutCancel(ctx))
	defer cancel()
	if err := e.cfg.Store.Retry(ctx, j, e.cfg.Now().Add(backoff(j.Attempts)/20)); err != nil {
		e.cfg.Log.ErrorContext(ctx, "give a job back", "job", j.Kind+" "+j.Key, "err", err)
	}
}

func (e *Engine) safely(ctx context.Context, j dera.Job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s %s broke: %v", j.Kind, j.Key, p)
		}
	}()
	switch j.Kind {
	case lookJob:
		return e.runLook(ctx, j)
	case remediateJob:
		return e.runRemediate(ctx, j)
	case expireJob:
		return e.runExpire(ctx, j)
	case accessJob:
		return e.runAccess(ctx, j)
	}
	return fmt.Errorf("job of the unknown kind %q", j.Kind)
}

// backoff is 1 s, 2 s, 4 s … up to 5 minutes.
func backoff(attempts int) time.Duration {
	return min(time.Second<<min(max(attempts-1, 0), maxBackoff), 5*time.Minute)
}

const maxBackoff = 12
