package remediate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
)

var (
	// ErrStopped means that a stop covers the remediation; nothing was written
	// since, and it goes on when the stop is lifted.
	ErrStopped = errors.New("dera is stopped")
	// ErrUnanchored means that the record of a write could not be kept outside, as is asked of each
	// write; nothing was written since, and it goes on when it can.
	ErrUnanchored = errors.New("the record of the write is not anchored")
	// ErrChanged means that the remediation itself was changed since it was loaded,
	// for example by an event that names another writer.
	ErrChanged = errors.New("the remediation was changed by someone else")
	// ErrBusy means that someone else holds the resource.
	ErrBusy = errors.New("someone else is working on the resource")
)

// LaterError asks for the remediation to be run again at a time.
type LaterError struct {
	At  time.Time
	Why string
	// Expected says that nothing is wrong: what was started has not ended.
	Expected bool
}

// Error implements error.
func (e *LaterError) Error() string {
	return e.Why + "; again at " + e.At.UTC().Format(time.RFC3339)
}

// Journal is what the state machine needs to be durable. Write commits an entry
// in one transaction and refuses it when the lease is lost, and with ErrChanged
// when the remediation is not the one any more that was loaded.
type Journal interface {
	Load(ctx context.Context, id string) (dera.Remediation, []dera.Intent, error)
	Write(ctx context.Context, e Entry) error
	Lease(ctx context.Context, resource string) (dera.Lease, error)
	Release(ctx context.Context, l dera.Lease) error
	// Allowed returns nil if the lease is still held and no stop covers the
	// account and control; it is asked before every attempt of a write.
	Allowed(ctx context.Context, l dera.Lease, account, control string) error
	// Anchored returns nil when what was written so far is kept where it has to be before a write
	// follows, else an ErrUnanchored. It is asked after the intent of every write.
	Anchored(ctx context.Context) error
	// Later are the remediations, made after this one, that are still in effect: of
	// the same resource, and of what stands above it in the account.
	Later(ctx context.Context, r dera.Remediation) (same, above []string, err error)
	// Beside are the other remediations of the same resource that were begun: those that are
	// under way, and those made after this one that are, or may be, in effect; one that is
	// both is in both.
	Beside(ctx context.Context, r dera.Remediation) (under, later []string, err error)
}

// Entry is one step that commits as a whole.
type Entry struct {
	Lease       *dera.Lease
	Remediation *dera.Remediation
	Intent      *dera.Intent
	Record      dera.AuditRecord
	// Settled says that the outcome changes findings; LookAgain asks for a look
	// at the resource.
	Settled   bool
	LookAgain bool
	// Resume asks for the remediation to be run again in a while, in case that
	// this process does not get to its end.
	Resume bool
}

// Cloud reads and writes one resource.
type Cloud interface {
	// Read reads the resource in full; ok is false if it does not exist.
	Read(ctx context.Context, p dera.Plan) (r dera.Resource, ok bool, err error)
	// Do sends the operation once. allowed is called right before the request is
	// sent; an error of it stops the request. An error of Do may have a method
	// Refused() bool, true where the service said that it did not carry out the
	// request, Passing() bool, true where the reason has nothing to do with the
	// request (throttled, another change in progress, credentials run out), and
	// Moved() bool, true where nothing was sent since the resource changed since it
	// was read. requestID is the service's ID of the request, where it answered.
	Do(ctx context.Context, p dera.Plan, op resource.Operation, allowed func(context.Context) error) (requestID string, err error)
	// DryRun asks the service whether it would carry out the operation; nil where
	// it would, and where it has no dry run. An error may have a method Denied()
	// bool, true where the permission is missing, or CarriedOut() bool, true where
	// the service ignored that it was a dry run.
	DryRun(ctx context.Context, p dera.Plan, op resource.Operation) error
}

// Judge looks at a fresh resource again for a decided remediation.
type Judge interface {
	// Again makes the plan and runs every guardrail again.
	Again(ctx context.Context, r dera.Remediation, fresh dera.Resource) (Reassessment, error)
	// Gone reports which of the remediation's findings are still there.
	Gone(ctx context.Context, r dera.Remediation, fresh dera.Resource) (still []string, err error)
	// Opened says what is open of the resource, or cannot be judged any more, that was
	// not so before the remediation began: nothing of its own findings but what is wider.
	Opened(ctx context.Context, r dera.Remediation, fresh dera.Resource) (opened []string, err error)
}

// Reassessment is what Judge.Again found.
type Reassessment struct {
	Gone     bool // the findings are resolved already
	Digest   string
	Decision dera.Decision
	Refusal  string
	// Stood are the findings of the resource that are open or unknown, for a custom fix.
	Stood []dera.EarlierFinding
}

// Config is what New needs; all interfaces are required but Custom.
type Config struct {
	// Types are the resource types that plans are about.
	Types   resource.Registry
	Journal Journal
	Cloud   Cloud
	Judge   Judge
	// Custom runs custom fixes; nil where there are none.
	Custom Custom
	// Actor stands in the records.
	Actor dera.Actor
	Now   func() time.Time
	// Wait waits between two reads; nil waits in real time.
	Wait func(ctx context.Context, d time.Duration) error
	// Settle is how long two equal reads must lie apart to count as the truth; 0
	// means 2 s, negative means no time at all.
	Settle time.Duration
	// Patience is how often a read is repeated until a write shows; 0 means 10.
	Patience int
	// Validity is how long a request that a crashed engine signed may still
	// arrive; 0 means 5 minutes, the life of a signature (AWS Signature Version
	// 4), negative means no time at all.
	Validity time.Duration
}

// Runner carries out remediations. It is safe for concurrent use; the lease
// keeps two runners apart.
type Runner struct{ cfg Config }

// New checks the configuration.
func New(cfg Config) (*Runner, error) {
	if cfg.Journal == nil || cfg.Cloud == nil || cfg.Judge == nil {
		return nil, errors.New("remediate: Journal, Cloud and Judge are required")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Wait == nil {
		cfg.Wait = wait
	}
	if cfg.Settle == 0 {
		cfg.Settle = 2 * time.Second
	}
	if cfg.Patience == 0 {
		cfg.Patience = 10
	}
	if cfg.Validity == 0 {
		cfg.Validity = 5 * time.Minute
	}
	return &Runner{cfg}, nil
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// run is one attempt to carry a remediation on.
type run struct {
	*Runner
	lease   dera.Lease
	rem     dera.Remediation
	intents []dera.Intent
	kind    resource.Type
	looked  bool   // the resource was looked at in this run, before the first write
	goal    string // the configuration that a rollback leads to, where it is known
	gone    error  // the answer that something does not exist without which there is no undo
}

// Run carries the remediation as far as it goes: to a final state, or to an
// error after which it can be run again (ErrStopped, ErrBusy, a LaterError, or a
// failed read). It can be called in any state and after any crash.
func (r *Runner) Run(ctx context.Context, id string) (dera.Remediation, error) {
	rem, _, err := r.cfg.Journal.Load(ctx, id)
	if err != nil {
		return rem, err
	}
	if rem.State.Final() || rem.State == dera.Waiting {
		return rem, nil
	}
	return r.hold(ctx, id, func(t *run) error { return t.carry(ctx) })
}

// reloads is how often a remediation that was changed meanwhile is loaded again
// within one run: it can be run from wherever it is.
const reloads = 3

// hold loads the remediation under the lease of its resource.
func (r *Runner) hold(ctx context.Context, id string, f func(*run) error) (dera.Remediation, error) {
	rem, _, err := r.cfg.Journal.Load(ctx, id)
	if err != nil {
		return rem, err
	}
	lease, err := r.cfg.Journal.Lease(ctx, rem.ResourceKey())
	if err != nil {
		return rem, err
	}
	var t *run
	for range reloads {
		t = &run{Runner: r, lease: lease}
		if t.rem, t.intents, err = r.cfg.Journal.Load(ctx, id); err == nil {
			if t.kind, err = r.cfg.Types.Lookup(t.rem.Plan.Type); err == nil {
				err = f(t)
			}
		}
		if !errors.Is(err, ErrChanged) {
			break
		}
	}
	// The lease is given back also when ctx is done; if that fails it runs out.
	return t.rem, errors.Join(err, r.cfg.Journal.Release(context.WithoutCancel(ctx), lease))
}

// carry moves on until the state is final.
func (t *run) carry(ctx context.Context) error {
	apply, verify, undo := t.apply, t.verify, t.undo
	if t.rem.Plan.Custom() {
		if t.cfg.Custom == nil {
			return fmt.Errorf("remediation %s runs a custom fix, and nothing here can", t.rem.ID)
		}
		apply, verify, undo = t.applyCustom, t.verifyCustom, t.undoCustom
	}
	for !t.rem.State.Final() {
		var err error
		switch t.rem.State {
		case dera.Ready:
			err = t.begin(ctx)
		case dera.Applying:
			err = apply(ctx)
		case dera.Verifying:
			err = verify(ctx)
		case dera.Undoing:
			err = undo(ctx)
		case dera.Waiting:
			return nil
		default:
			return fmt.Errorf("remediation %s is in the unknown state %q", t.rem.ID, t.rem.State)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// move commits a change of state with its record.
func (t *run) move(ctx context.Context, to dera.State, why string, e Entry) error {
	now := t.cfg.Now()
	next, err := Move(t.rem, to, dera.Step{At: now, Why: why})
	if err != nil {
		return err
	}
	rec := t.record(dera.RecordOutcome)
	rec.State, rec.Why = to, why
	rec.Steps, rec.Unexpected, rec.Notes, rec.Interfaces = next.Steps, next.Unexpected, next.Notes, next.Interfaces
	if e.Record.Kind != "" {
		rec.Kind, rec.Sealed, rec.Decision = e.Record.Kind, e.Record.Sealed, e.Record.Decision
	}
	e.Lease, e.Remediation, e.Record = &t.lease, &next, rec
	e.Settled = next.State.Final()
	if err := t.cfg.Journal.Write(ctx, e); err != nil {
		return err
	}
	next.Revision++
	t.rem = next
	return nil
}

func (t *run) record(kind dera.RecordKind) dera.AuditRecord {
	r := t.rem
	return dera.AuditRecord{
		Version: 1, Kind: kind, Time: t.cfg.Now().UTC(), Actor: t.cfg.Actor,
		Account: r.Plan.Account, Region: r.Plan.Region, Resource: r.Plan.Resource, Control: r.Control,
		Findings: r.Findings, Remediation: r.ID, Digest: r.Digest, Evidence: r.Evidence, State: r.State,
	}
}
