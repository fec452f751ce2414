package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/store"
)

// CanarySteps is how often Progress is called at most, but for what earlier canaries left.
const CanarySteps = 10

// CanaryLimit is how long dera may take from the opening to the proof that it is closed (R2).
const CanaryLimit = 90 * time.Second

// Canary opens SSH on a group of its own in a test account, and measures what dera run makes of
// it. It never opens a group that it did not make itself: that another is attached to nothing, also
// in an account that it is shared with, nobody can show. Every write has its intent in the audit log
// before it is made, and what is left by one that did not end is closed by the next.
type Canary struct {
	Store  *store.Store
	Kind   cloud.Canary
	Groups cloud.Canaries
	Now    func() time.Time
	Wait   func(ctx context.Context, d time.Duration) error
	// Actor is who asked for it, and Run an ID that no other run has.
	Actor dera.Actor
	Run   string
	// Account and Region are those of the test account; an empty VPC is the default one.
	Account, Region, VPC string
	// Most is how long dera is waited for; 0 means five minutes.
	Most time.Duration
	// Progress is called with each stage.
	Progress func(stage string)
}

const (
	canaryMost = 5 * time.Minute
	canaryPoll = 500 * time.Millisecond
	// canaryLooks is how often it is looked until it is also looked what the group is attached to.
	canaryLooks = 10
	// canaryEnd is how long the cleaning may take after the end of the context.
	canaryEnd = time.Minute
	// canaryLease is how long another canary waits for one that crashed.
	canaryLease = 30 * time.Second
	// rememberCanary is the name under which it is kept where canaries are open, as a list.
	rememberCanary = "canary"
)

// CanaryStage is one stage of a canary, with the seconds since the opening.
type CanaryStage struct {
	Stage   string    `json:"stage"` // opened, seen, decided, begun, revoked, closed, verified
	At      time.Time `json:"at"`
	Seconds float64   `json:"seconds"`
}

// CanaryReport is what dera doctor --canary tells of its canary.
type CanaryReport struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	Group   string `json:"group,omitempty"`
	// Stages are those that were reached, in order of time. All but opened and closed are the audit
	// records of dera run; closed is when AWS itself was first read without the opening.
	Stages      []CanaryStage `json:"stages"`
	Remediation string        `json:"remediation,omitempty"`
	Trigger     string        `json:"trigger,omitempty"` // what made dera look: sqs, sweep …
	Limit       float64       `json:"limit_seconds"`
	// Cleaned are the groups that earlier canaries left and that are deleted now, and Left those that
	// could not be.
	Cleaned []string `json:"cleaned,omitempty"`
	Left    []string `json:"left,omitempty"`
}

// placed is where a canary is open, as it is remembered.
type placed struct{ Account, Region, Run string }

// Examine runs the canary. It cleans up in every case, also after the end of ctx, and fails only where nothing
// can be recorded.
func (c Canary) Examine(ctx context.Context) (Diagnosis, error) {
	x := &canaryRun{Canary: c, examination: examination{account: c.Account, report: Diagnosis{Checks: []Check{}, Summary: map[Health]int{}}}}
	x.answer = CanaryReport{Account: c.Account, Region: c.Region, Stages: []CanaryStage{}, Limit: CanaryLimit.Seconds()}
	if c.Most == 0 {
		x.Most = canaryMost
	}
	err := x.run(ctx)
	x.report.Canary = &x.answer
	return x.report, err
}

// canaryRun is one run of a canary.
type canaryRun struct {
	Canary
	examination
	answer CanaryReport
	seen   canaryRecords
	opened time.Time
	lease  dera.Lease
	// unclean says that AWS did not tell what is left.
	unclean bool
	// elsewhere is where earlier canaries of other places were cut off.
	elsewhere []placed
}

func (x *canaryRun) run(ctx context.Context) (err error) {
	switch err := x.hold(ctx); {
	case errors.Is(err, store.ErrConflict):
		x.tells(ToDo, "another canary runs, or one was cut off half a minute ago at most", "wait for it")
		return nil
	case err != nil:
		return err
	}
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), canaryEnd)
		defer cancel()
		err = errors.Join(err, x.clean(end, true), x.Store.Release(end, x.lease))
	}()
	if err := x.look(ctx); err != nil {
		x.unclean = true // what is remembered stays
		return err
	}
	if err := x.clean(ctx, false); err != nil || x.unclean || len(x.answer.Left) > 0 {
		return err
	}
	if ready, err := x.ready(ctx); err != nil || !ready {
		return err
	}
	if opened, err := x.open(ctx); err != nil || !opened {
		return err
	}
	return x.watch(ctx)
}

func (x *canaryRun) tells(h Health, says, fix string) { x.says("canary", x.Region, h, says, fix) }

// failed tells of a call of AWS that failed.
func (x *canaryRun) failed(err error) {
	x.tells(Unchecked, plainCause(err), "dera role --canary prints what the role of the canary needs")
}

// hold takes or keeps the sole right to run a canary. Whoever else takes it meanwhile, cleans up first.
func (x *canaryRun) hold(ctx context.Context) error {
	lease, err := x.Store.Lease(ctx, "canary", "canary/"+x.Run, canaryLease)
	if err == nil {
		x.lease = lease
	}
	return err
}

// ready reports whether dera could act at all: under a stop the canary would only stay open.
func (x *canaryRun) ready(ctx context.Context) (bool, error) {
	stops, err := x.Store.Stops(ctx)
	if err != nil {
		return false, err
	}
	for _, s := range stops {
		if (s.Account == "" || s.Account == x.Account) && s.Control == "" {
			x.tells(NotTested, "dera is stopped there, so that nothing would close what is opened", "dera resume")
			return false, nil
		}
	}
	return true, nil
}

// open makes the group and opens it.
func (x *canaryRun) open(ctx context.Context) (bool, error) {
	where, err := json.Marshal(append(x.elsewhere, placed{x.Account, x.Region, x.Run}))
	if err != nil {
		return false, err
	}
	x.step("making a group")
	var failure error
	err = x.write(ctx, x.Kind.Make, "", map[string]string{rememberCanary: string(where)}, func() (request string, err error) {
		x.answer.Group, request, err = x.Groups.Make(ctx, x.VPC, x.Run)
		failure = err
		return request, err
	})
	if err != nil || failure != nil {
		x.failedUnless(err, failure)
		return false, err
	}
	interfaces, failure := x.Groups.Attached(ctx, x.answer.Group)
	switch {
	case failure != nil:
		x.tells(Unchecked, "the group cannot be shown to be attached to nothing, so it is not opened: "+plainCause(failure), "dera role --canary prints what the role of the canary needs")
		return false, nil
	case len(interfaces) > 0:
		x.tells(ToDo, fmt.Sprintf("somebody attached the new group to %s, so it is not opened", interfaces[0]), "attach nothing to groups with the tag dera:canary")
		return false, nil
	}
	if x.seen.next, err = x.Store.LogSize(ctx); err != nil {
		return false, err
	}
	x.step("opening it")
	err = x.write(ctx, x.Kind.Open, x.answer.Group, nil, func() (request string, err error) {
		x.opened = x.Now().UTC()
		request, failure = x.Groups.Open(ctx, x.answer.Group)
		return request, failure
	})
	if err != nil || failure != nil {
		x.failedUnless(err, failure)
		return false, err
	}
	x.reached("opened", x.opened)
	return true, nil
}

func (x *canaryRun) failedUnless(err, failure error) {
	if err == nil {
		x.failed(failure)
	}
}

// arn is that of the group, or of the place where none is known.
func (x *canaryRun) arn(group string) dera.ARN {
	if group == "" {
		return ""
	}
	return x.Kind.ARN(dera.PartitionOf(x.Region).ID, x.Account, x.Region, group)
}

// write records what is to be sent, sends it, and records what came of it. An error means that something
// could not be recorded.
func (x *canaryRun) write(ctx context.Context, operation, group string, remember map[string]string, send func() (requestID string, err error)) error {
	record := dera.AuditRecord{Version: 1, Kind: dera.RecordCanary, Time: x.Now().UTC(), Actor: x.Actor, Account: x.Account, Region: x.Region, Resource: x.arn(group), Operation: operation, Why: "intent of the canary " + x.Run}
	if operation == x.Kind.Open {
		record.Diff = []string{x.Kind.Opens}
	}
	if err := x.Store.Commit(ctx, store.Batch{Fence: &x.lease, Remember: remember, Records: []dera.AuditRecord{record}}); err != nil {
		return err
	}
	request, err := send()
	record.Time, record.Resource, record.RequestID, record.Diff = x.Now().UTC(), x.arn(group), request, nil
	if record.Resource == "" {
		record.Resource = x.arn(x.answer.Group)
	}
	record.Why = "result of the canary " + x.Run + ": done"
	if err != nil {
		record.Why = "result of the canary " + x.Run + ": " + plainCause(err)
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), canaryEnd)
	defer cancel()
	return x.Store.Commit(end, store.Batch{Records: []dera.AuditRecord{record}})
}

// clean closes and deletes every group with the tag: of earlier runs, or at the end of this one.
func (x *canaryRun) clean(ctx context.Context, last bool) error {
	ids, failure := x.Groups.Left(ctx)
	if failure != nil {
		x.failed(failure)
		x.unclean = true
	}
	if own := x.answer.Group; last && own != "" && !slices.Contains(ids, own) {
		ids = append(ids, own) // what was made just now is not in every answer yet
	}
	if last {
		x.answer.Left = nil
		if len(ids) > 0 {
			x.step("cleaning up")
		}
	}
	for _, id := range ids {
		if err := x.hold(ctx); err != nil {
			return err
		}
		for _, w := range []struct {
			operation string
			send      func(context.Context, string) (string, error)
		}{{x.Kind.Close, x.Groups.Close}, {x.Kind.Delete, x.Groups.Delete}} {
			err := x.write(ctx, w.operation, id, nil, func() (request string, err error) {
				request, failure = w.send(ctx, id)
				return request, failure
			})
			if err != nil {
				return err
			}
		}
		switch {
		case failure != nil:
			x.answer.Left = append(x.answer.Left, id)
			x.tells(ToDo, fmt.Sprintf("the group %s of a canary could not be deleted: %s", id, plainCause(failure)), "it is attached to something, or the role of the canary lacks a permission (dera role --canary): delete it by hand")
		case id != x.answer.Group:
			x.answer.Cleaned = append(x.answer.Cleaned, id)
			x.tells(Healthy, fmt.Sprintf("the group %s, which an earlier canary had left, is deleted", id), "")
		}
	}
	if !last || x.unclean || len(x.answer.Left) > 0 {
		return nil
	}
	text := ""
	if len(x.elsewhere) > 0 {
		where, err := json.Marshal(x.elsewhere)
		if err != nil {
			return err
		}
		text = string(where)
	}
	return x.Store.Remember(ctx, map[string]string{rememberCanary: text})
}

func (x *canaryRun) step(stage string) {
	if x.Progress != nil {
		x.Progress(stage)
	}
}
