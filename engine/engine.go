// Package engine is the loop: it turns events and sweeps into durable jobs, looks
// at resources, decides, and has remediations carried out, with leases, budgets
// and a clean end. Everything that it does goes through one path, whatever the
// trigger. Room: may import the words, resource, control, detect, evaluate,
// remediate, audit and store.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"dera"
	"dera/control"
	"dera/detect"
	"dera/evaluate"
	"dera/remediate"
	"dera/store"
)

// Config is what New needs.
type Config struct {
	Store    *store.Store
	Reader   detect.Reader
	Cloud    remediate.Cloud
	Controls []control.Control
	Settings control.Settings
	Gate     evaluate.Gate
	// Owners finds whom a finding concerns.
	Owners evaluate.Owners
	// Flapping says when a finding comes back too often.
	Flapping evaluate.Flapping
	// Own are ARN globs of dera's own principals: what they did is no hint at who
	// changes a resource.
	Own []string
	// Accounts are looked after in all Regions; an event from elsewhere is not
	// for us. No Regions means any.
	Accounts []dera.Account
	Regions  []string
	// Mode is how far to go for a control in an account.
	Mode func(a dera.Account, control string) dera.Mode
	// Tags are what a changed resource is tagged with; nil tags nothing.
	Tags func(a dera.Account, r dera.Resource, findings []dera.Finding) map[string]string
	// Actor stands in the records as the one who acts.
	Actor dera.Actor
	// Owner names this process in leases; it must differ between processes.
	Owner string
	// BudgetPerHour limits automatic remediations per account and control; 0
	// means 20, and less than 0 none.
	BudgetPerHour int
	// BudgetEverywhere limits those of all accounts and controls together in an
	// hour; 0 means no limit, and less than 0 none.
	BudgetEverywhere int
	// ApprovalTTL is how long a plan waits for an approval; 0 means 72 hours.
	ApprovalTTL time.Duration
	// Workers run jobs at the same time; 0 means 4.
	Workers int
	// LeaseTTL is how long a crashed engine's work stays untouched; 0 means 2
	// minutes. A lease in use is renewed.
	LeaseTTL time.Duration
	// Poll is how often jobs that other processes made are looked for; 0 means 1 s.
	Poll time.Duration
	// Settle, Patience, Validity and Wait are remediate.Config's.
	Settle   time.Duration
	Patience int
	Validity time.Duration
	Wait     func(ctx context.Context, d time.Duration) error
	Now      func() time.Time
	NewID    func() string // of a remediation; nil means random
	Log      *slog.Logger
	// Tell is called for what people want to see as it happens; it must be quick.
	Tell func(News)
}

// News is something that happened, for terminals and sinks.
type News struct {
	What        string // page, finding, flapping, decision, waiting, remediation, unread, job
	Finding     *dera.Finding
	Remediation *dera.Remediation
	Scope       *dera.Scope
	Resources   int
	Hidden      int // failures of a page that the own networks hide
	Err         error
}

// Engine is safe for concurrent use; several may share a store.
type Engine struct {
	cfg      Config
	detector detect.Detector
	runner   *remediate.Runner
	accounts map[string]dera.Account
	wake     chan struct{}
	// held are the resources that this process writes to, and running its jobs:
	// the store's leases keep processes apart, not what runs within one.
	held    claims
	running claims
	// noted are the first looks that are in the store for certain.
	noted sync.Map
	// deciding keeps the decision and the commit on one resource together.
	deciding [64]sync.Mutex
}

// New checks the configuration.
func New(cfg Config) (*Engine, error) {
	if cfg.Store == nil || cfg.Reader == nil || cfg.Cloud == nil {
		return nil, errors.New("engine: Store, Reader and Cloud are required")
	}
	if cfg.Owner == "" || cfg.Mode == nil {
		return nil, errors.New("engine: Owner and Mode are required")
	}
	cfg = cfg.defaults()
	e := &Engine{
		cfg: cfg, wake: make(chan struct{}, 1), accounts: map[string]dera.Account{},
		detector: detect.Detector{Reader: cfg.Reader, Controls: cfg.Controls, Settings: cfg.Settings},
	}
	for _, a := range cfg.Accounts {
		e.accounts[a.ID] = a
	}
	var err error
	e.runner, err = remediate.New(remediate.Config{
		Journal: journal{e}, Cloud: cfg.Cloud, Judge: judge{e}, Actor: cfg.Actor, Now: cfg.Now,
		Wait: cfg.Wait, Settle: cfg.Settle, Patience: cfg.Patience, Validity: cfg.Validity,
	})
	return e, err
}

func (c Config) defaults() Config {
	if c.BudgetPerHour == 0 {
		c.BudgetPerHour = 20
	}
	if c.ApprovalTTL == 0 {
		c.ApprovalTTL = 72 * time.Hour
	}
	if c.Workers == 0 {
		c.Workers = 4
	}
	if c.LeaseTTL <= 0 {
		c.LeaseTTL = 2 * time.Minute
	}
	if c.Poll == 0 {
		c.Poll = time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		c.NewID = randomID
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Tell == nil {
		c.Tell = func(News) {}
	}
	return c
}

// Work runs jobs until ctx is done, then ends the jobs in hand and returns.
func (e *Engine) Work(ctx context.Context) error {
	var workers sync.WaitGroup
	slots := make(chan struct{}, e.cfg.Workers)
	defer workers.Wait()
	tick := time.NewTicker(e.cfg.Poll)
	defer tick.Stop()
	for {
		for {
			free := cap(slots) - len(slots)
			if free == 0 || ctx.Err() != nil {
				break
			}
			jobs, err := e.cfg.Store.Claim(ctx, e.cfg.Owner, free, e.cfg.LeaseTTL)
			if err != nil && ctx.Err() == nil {
				e.cfg.Log.ErrorContext(ctx, "claim jobs", "err", err)
			}
			for _, j := range jobs {
				slots <- struct{}{}
				workers.Go(func() {
					defer func() { <-slots; e.poke() }()
					e.runJob(context.WithoutCancel(ctx), j)
				})
			}
			if len(jobs) == 0 {
				break
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-e.wake:
		case <-tick.C:
		}
	}
}

// Drain runs due jobs of the given kinds in the caller's goroutine until none is
// left. It is the deterministic engine of commands and tests.
func (e *Engine) Drain(ctx context.Context) error {
	for ctx.Err() == nil {
		jobs, err := e.cfg.Store.Claim(ctx, e.cfg.Owner, 1, e.cfg.LeaseTTL)
		if err != nil {
			return err
		}
		if len(jobs) == 0 {
			return nil
		}
		e.runJob(ctx, jobs[0])
	}
	return ctx.Err()
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
		return // its lease ran out while it runs here: whoever runs it ends it
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
	e.cfg.Log.WarnContext(ctx, "job goes back", "job", j.Kind+" "+j.Key, "attempt", j.Attempts, "err", err)
	e.cfg.Tell(News{What: "job", Err: err})
	if err := e.cfg.Store.Retry(context.WithoutCancel(ctx), j, at); err != nil {
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
	}
	return fmt.Errorf("job of the unknown kind %q", j.Kind)
}

// backoff is 1 s, 2 s, 4 s … up to 5 minutes.
func backoff(attempts int) time.Duration {
	return min(time.Second<<min(max(attempts-1, 0), maxBackoff), 5*time.Minute)
}

const maxBackoff = 12
