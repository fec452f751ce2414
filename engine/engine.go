// Package engine is the loop: it turns events and sweeps into durable jobs, looks
// at resources, decides, and has remediations carried out, with leases, budgets
// and a clean end. Everything that it does goes through one path, whatever the
// trigger. Layer: may import the words, resource, control, detect, evaluate,
// remediate, audit and store.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/detect"
	"dera.example/dera/evaluate"
	"dera.example/dera/remediate"
	"dera.example/dera/resource"
	"dera.example/dera/store"
)

// Config is what New needs.
type Config struct {
	Store    *store.Store
	Reader   detect.Reader
	Cloud    remediate.Cloud
	Controls []control.Control
	// Types are the resource types of the controls.
	Types    resource.Registry
	Settings control.Settings
	Gate     evaluate.Gate
	// Owners finds whom a finding concerns.
	Owners evaluate.Owners
	// Flapping says when a finding comes back too often.
	Flapping evaluate.Flapping
	// Own are ARN globs of dera's own principals: what they did is no hint at who
	// changes a resource.
	Own []string
	// Accounts are covered in all Regions; an event from elsewhere is not
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
	// Others reports whether other processes work on the same database: what this one does not cover is left to them
	// for a while. It must be quick; nil means that there are none.
	Others func() bool
	// BudgetPerHour limits automatic remediations per account and control; 0
	// means 20, and less than 0 none.
	BudgetPerHour int
	// BudgetEverywhere limits those of all accounts and controls together in an
	// hour; 0 means no limit, and less than 0 none.
	BudgetEverywhere int
	// Anchor keeps the record of a write outside before the write follows; nil asks for nothing.
	Anchor *Anchoring
	// Custom binds and runs custom fixes; nil where there are none.
	Custom Custom
	// ApprovalTTL is how long a plan waits for an approval; 0 means 72 hours.
	ApprovalTTL time.Duration
	// AccessMost is the longest time for which something is given back; 0 means 12 hours.
	AccessMost time.Duration
	// CenterNames says that an identity provider names people as AWS IAM Identity Center does, so that two names
	// are two people. Without it a person of the provider grants nothing that somebody asked for in AWS.
	CenterNames bool
	// Workers run jobs at the same time; 0 means 16. They wait for AWS most of the time.
	Workers int
	// LeaseTTL is how long a crashed engine's work stays untouched; 0 means 2
	// minutes. A lease in use is renewed.
	LeaseTTL time.Duration
	// Grace is how long Work lets the jobs in hand go on once its context is done; 0
	// means 8 s. What is not over then is cut off, and settled by the next start.
	Grace time.Duration
	// DrainMost is how many jobs Drain runs at most; 0 means 100,000.
	DrainMost int
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
	// Unread is what the store keeps of a place that could not be read, until it can
	// be; nil means the error's text.
	Unread func(dera.Scope, error) string
}

// News is something that happened, for terminals and sinks.
type News struct {
	What        string // page, finding, flapping, decision, waiting, remediation, unread, job, alarm, alarm_ended
	Finding     *dera.Finding
	Remediation *dera.Remediation
	Alarm       *dera.Alarm
	Scope       *dera.Scope
	Resources   int
	Hidden      int // failures of a page that the own networks hide
	// Unrecorded are principals of a page, by ARN, that were not judged since nothing
	// is recorded of their use.
	Unrecorded []dera.ARN
	Err        error
}

// Engine is safe for concurrent use; several may share a store.
type Engine struct {
	cfg      Config
	detector detect.Detector
	runner   *remediate.Runner
	accounts map[string]dera.Account
	worst    map[string]dera.Severity // of the controls of a type
	own      dera.Principals
	wake     chan struct{}
	// urgent says that a job was enqueued that goes before looks.
	urgent atomic.Bool
	// held are the resources that this process writes to, and running its jobs:
	// the store's leases keep processes apart, not what runs within one.
	held    claims
	running claims
	keepers keepers
	shares  shares
	// noted are the first looks that are in the store for certain.
	noted sync.Map
	// deciding keeps the decision and the commit on one resource together.
	deciding locks
}

// New checks the configuration.
func New(cfg Config) (*Engine, error) {
	if cfg.Store == nil || cfg.Reader == nil || cfg.Cloud == nil {
		return nil, errors.New("engine: Store, Reader and Cloud are required")
	}
	if cfg.Owner == "" || cfg.Mode == nil {
		return nil, errors.New("engine: Owner and Mode are required")
	}
	for _, c := range cfg.Controls {
		if _, err := cfg.Types.Lookup(c.Type); err != nil {
			return nil, fmt.Errorf("engine: control %s: %w", c.ID, err)
		}
	}
	cfg = cfg.defaults()
	e := &Engine{
		cfg: cfg, wake: make(chan struct{}, 1), accounts: map[string]dera.Account{},
		detector: detect.Detector{Reader: cfg.Reader, Controls: cfg.Controls, Settings: cfg.Settings},
	}
	e.worst, e.own = worst(cfg.Controls), dera.NewPrincipals(cfg.Own)
	for _, a := range cfg.Accounts {
		e.accounts[a.ID] = a
	}
	var err error
	e.runner, err = remediate.New(remediate.Config{
		Types:   cfg.Types,
		Journal: journal{e}, Cloud: cfg.Cloud, Judge: judge{e}, Actor: cfg.Actor, Now: cfg.Now,
		Wait: cfg.Wait, Settle: cfg.Settle, Patience: cfg.Patience, Validity: cfg.Validity, Custom: custom(cfg.Custom),
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
	if c.AccessMost == 0 {
		c.AccessMost = 12 * time.Hour
	}
	if c.Workers == 0 {
		c.Workers = 16
	}
	if c.LeaseTTL <= 0 {
		c.LeaseTTL = 2 * time.Minute
	}
	if c.Grace == 0 {
		c.Grace = 8 * time.Second
	}
	if c.DrainMost == 0 {
		c.DrainMost = 100_000
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
	if c.Unread == nil {
		c.Unread = func(_ dera.Scope, err error) string { return err.Error() }
	}
	if c.Tell == nil {
		c.Tell = func(News) {}
	}
	return c
}
