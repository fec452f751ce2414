package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/evaluate"
	"dera.example/dera/remediate"
	"dera.example/dera/store"
)

// AccessOrder asks for actions that remediations took from a principal.
type AccessOrder struct {
	Principal dera.ARN
	Actions   []string
	For       time.Duration // 0 is for good
	Reason    string
	By        dera.Actor
}

// RequestAccess records what somebody asks to be given back. It gives nothing: a look at
// the principal makes the plan, which another person grants. It is refused with a
// RefusedError unless remediations that are in effect took each of the actions.
func (e *Engine) RequestAccess(ctx context.Context, o AccessOrder) (dera.Access, error) {
	account := o.Principal.Account()
	if err := e.configured(account); err != nil {
		return dera.Access{}, err
	}
	typ, err := e.gives(o.Principal)
	if err != nil {
		return dera.Access{}, err
	}
	switch {
	case o.By.Name == "" || o.By.How == "":
		return dera.Access{}, refused("who asks is not established")
	case strings.TrimSpace(o.Reason) == "":
		return dera.Access{}, refused("no reason is given")
	case len(o.Actions) == 0:
		return dera.Access{}, refused("no action is named")
	case o.For < 0 || o.For > e.cfg.AccessMost:
		return dera.Access{}, refused("%s is longer than %s, which is the most for which something is given back (access.max_hours); for good it is given with --for good", spanText(o.For), spanText(e.cfg.AccessMost))
	}
	now := e.cfg.Now().UTC()
	a := dera.Access{
		ID: "a-" + strings.TrimPrefix(e.cfg.NewID(), "r-"), Principal: o.Principal, Partition: o.Principal.Partition(), Account: account, Region: dera.GlobalRegion,
		Type: typ, Name: o.Principal.Name(), Reason: o.Reason, By: o.By, At: now,
	}
	if o.For > 0 {
		a.Until = now.Add(o.For).Truncate(time.Second)
	}
	if err := e.took(ctx, &a, o.Actions); err != nil {
		return dera.Access{}, err
	}
	if err := e.askedBefore(ctx, a); err != nil {
		return dera.Access{}, err
	}
	rec := e.accessRecord(a, o.By)
	rec.Why = "asked for " + a.Text() + ": " + a.Reason
	b := store.Batch{Accesses: []dera.Access{a}, Records: []dera.AuditRecord{rec}}
	if !a.ForGood() {
		b.Jobs = []dera.Job{{Kind: accessJob, Key: a.ID, Priority: lookPriority, RunAt: a.Until}}
	}
	return a, e.commit(ctx, b)
}

// spanText is a span without zeros at its end, such as 8h.
func spanText(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-len("0s")]
		}
	}
	return text
}

// gives is the type of a principal to which something can be given back.
func (e *Engine) gives(principal dera.ARN) (string, error) {
	for _, c := range e.cfg.Controls {
		if !c.Gives {
			continue
		}
		kind, err := e.cfg.Types.Lookup(c.Type)
		if err != nil {
			return "", err
		}
		of := kind.ARN(principal.Partition(), principal.Account(), dera.GlobalRegion, principal.Name())
		have, _, _ := strings.Cut(principal.Resource(), "/")
		want, _, _ := strings.Cut(of.Resource(), "/")
		if have == want && principal.Service() == of.Service() && principal.Name() != "" {
			return c.Type, nil
		}
	}
	return "", refused("%s is no principal to which something can be given back here: name the ARN of a role or user, and see that the control on access requests of its type is switched on (controls)", principal)
}

// took fills in the actions as they were taken, the remediations in effect that took them,
// and the principal as these name it.
func (e *Engine) took(ctx context.Context, a *dera.Access, actions []string) error {
	list, err := e.TakenFrom(ctx, a.Principal)
	if err != nil {
		return err
	}
	for _, want := range actions {
		found := false
		for _, r := range list {
			took := r.Took()
			i := slices.IndexFunc(took, func(a string) bool { return strings.EqualFold(a, want) })
			if i < 0 {
				continue
			}
			found = true
			a.Actions, a.Took, a.Principal = append(a.Actions, took[i]), append(a.Took, r.ID), dera.ARN(r.TookFrom(string(a.Principal)))
		}
		if !found {
			return refused("no remediation in effect took %s from %s; %s", want, a.Principal, tookText(list))
		}
	}
	slices.Sort(a.Actions)
	slices.Sort(a.Took)
	a.Actions, a.Took = slices.Compact(a.Actions), slices.Compact(a.Took)
	return nil
}

func tookText(list []dera.Remediation) string {
	if len(list) == 0 {
		return "dera took nothing from it that is in effect"
	}
	const most = 20
	var out []string
	for _, r := range list {
		for _, a := range r.Took() {
			if !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	if n := len(out) - most; n > 0 {
		out = append(out[:most], fmt.Sprintf("and %d more", n))
	}
	return "taken from it are: " + strings.Join(out, ", ")
}

// TakenFrom are the remediations in effect that took permissions from a principal.
func (e *Engine) TakenFrom(ctx context.Context, principal dera.ARN) ([]dera.Remediation, error) {
	watches, err := e.cfg.Store.WatchesOf(ctx, principal)
	if err != nil {
		return nil, err
	}
	var out []dera.Remediation
	for _, w := range watches {
		r, err := e.cfg.Store.Remediation(ctx, w.Remediation)
		if errors.Is(err, store.ErrTorn) || errors.Is(err, store.ErrNotFound) {
			continue // what it took is not known
		}
		if err != nil {
			return nil, err
		}
		if r.InEffect() && len(r.Took()) > 0 {
			out = append(out, r)
		}
	}
	return out, nil
}

// askedBefore refuses what was asked for already and is not answered, or is in force. That an
// instance was contained does not say that it still is: it can be asked for again.
func (e *Engine) askedBefore(ctx context.Context, a dera.Access) error {
	known, err := e.cfg.Store.AccessesIn(ctx, a.Account, a.Type)
	if err != nil {
		return err
	}
	for _, k := range known {
		if k.End != nil || k.Name != a.Name || !slices.Equal(k.Actions, a.Actions) || !k.ForGood() && a.ForGood() {
			continue
		}
		state, _, err := e.AccessState(ctx, k)
		if err != nil {
			return err
		}
		if state == dera.AccessAsked || state == dera.AccessGranted && !a.Contains() {
			return refused("%s is %s already (%s, by %s)", k.Text(), state, k.ID, k.By.Name)
		}
	}
	return nil
}

// AccessState says where an access stands, and by which remediation it is granted, or nil.
func (e *Engine) AccessState(ctx context.Context, a dera.Access) (dera.AccessState, *dera.Remediation, error) {
	return e.cfg.Store.AccessState(ctx, a, e.cfg.Now())
}

// fourEyes returns the access that a remediation grants, or nil. Neither who asked nor the
// principal itself says yes to it.
func (e *Engine) fourEyes(ctx context.Context, r dera.Remediation, v Answer) (*dera.Access, error) {
	id := r.AccessOf()
	if id == "" || !slices.ContainsFunc(e.cfg.Controls, func(c control.Control) bool { return c.ID == r.Control && c.Gives }) {
		return nil, nil
	}
	a, err := e.cfg.Store.Access(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case !v.Approve:
	case strings.HasPrefix(dera.ARN(v.By.Name).Resource(), "federated-user/"):
		return nil, refused("%s is a federated user, whose name whoever asked for the credentials chose: it does not tell that it is another person; grant it with a role or a user", v.By.Name)
	default:
		err = e.anotherPerson(a, v.By.Name)
	}
	return &a, err
}

// whose is the identity behind an ARN of STS: of a session its role, since whoever may
// assume that chooses the name of the session. Only Identity Center names sessions after
// the person, so that two people with one permission set are two.
//
// https://docs.aws.amazon.com/singlesignon/latest/userguide/howtosessionduration.html
func whose(arn string) string {
	a := dera.ARN(arn)
	if a.Service() == "iam" && strings.HasPrefix(a.Resource(), "user/") { // names are unique in an account, whatever the path
		return string(dera.NewARN(a.Partition(), "iam", "", a.Account(), "user/"+a.Name()))
	}
	role := dera.RoleOf(arn)
	if role == "" || strings.HasPrefix(dera.ARN(role).Name(), "AWSReservedSSO_") && arn != role {
		return arn
	}
	return role
}

// runAccess ends an access whose time is over.
func (e *Engine) runAccess(ctx context.Context, j dera.Job) error {
	a, err := e.cfg.Store.Access(ctx, j.Key)
	if err == nil {
		err = e.EndAccess(ctx, a)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return e.cfg.Store.Commit(ctx, store.Batch{Done: []dera.Job{j}})
}

// EndAccesses ends what is over, for commands that run no jobs.
func (e *Engine) EndAccesses(ctx context.Context) error {
	due, err := e.cfg.Store.AccessesDue(ctx)
	for _, a := range due {
		if e.configured(a.Account) == nil {
			err = errors.Join(err, e.EndAccess(ctx, a))
		}
	}
	return err
}

// EndAccess takes back what was given until now, by the undo that was approved with it:
// drift, lease, stop and windows hold it back, and nothing else does. It can be called again
// after any error or crash. AWS has ended it already.
func (e *Engine) EndAccess(ctx context.Context, a dera.Access) error {
	if a.End != nil || a.ForGood() {
		return nil
	}
	if now := e.cfg.Now(); !a.Over(now) {
		return &remediate.LaterError{At: a.Until, Why: "the access " + a.ID + " is not over"}
	}
	state, r, err := e.AccessState(ctx, a)
	if err != nil {
		return err
	}
	if r != nil && (r.State == dera.Ready || r.State == dera.Applying || r.State == dera.Verifying) { // finish it first
		if _, err := e.Carry(ctx, r.ID); err != nil {
			return err
		}
		if state, r, err = e.AccessState(ctx, a); err != nil {
			return err
		}
	}
	switch state {
	case dera.AccessDenied, dera.AccessUnanswered, dera.AccessAsked, dera.AccessLeft:
		return e.endUnused(ctx, a, state, r)
	case dera.AccessGranted, dera.AccessEnded:
	}
	if r.State == dera.UndoFailed {
		return e.left(ctx, a, *r, undoFailed(*r))
	}
	if r.State != dera.RolledBack {
		if err := e.open(ctx, *r); err != nil {
			return err
		}
		done, err := e.Rollback(ctx, r.ID, remediate.Request{By: e.cfg.Actor, Due: true, Reason: fmt.Sprintf("the access %s was granted until %s", a.ID, a.Until.Format(time.RFC3339))})
		var no *remediate.RefusedError
		switch {
		case errors.As(err, &no) && no.Gone:
			return e.ended(ctx, a, dera.AccessEnded, "the principal does not exist any more", store.Batch{})
		case errors.As(err, &no) && len(no.Drift) > 0, err == nil && done.State == dera.Collateral:
			return e.left(ctx, a, *r, "somebody changed its policy, so that dera did not delete it")
		case err == nil && done.State == dera.UndoFailed:
			return e.left(ctx, a, done, undoFailed(done))
		case err != nil:
			return fmt.Errorf("end the access %s: %w", a.ID, err)
		case done.State != dera.RolledBack:
			return fmt.Errorf("end the access %s: %s is %s: %s", a.ID, r.ID, done.State, done.Failure)
		}
	}
	return e.ended(ctx, a, dera.AccessEnded, "its time is over, and its policy is away", store.Batch{})
}

// left ends an access whose policy is still there, which is for a person.
func (e *Engine) left(ctx context.Context, a dera.Access, r dera.Remediation, why string) error {
	look, err := lookAgain(r.Plan, e.cfg.Now())
	if err != nil {
		return err
	}
	return e.ended(ctx, a, dera.AccessLeft, why, store.Batch{Jobs: []dera.Job{look}})
}

func undoFailed(r dera.Remediation) string {
	return fmt.Sprintf("the undo of %s failed (%s); dera rollback %s tries again", r.ID, r.Failure, r.ID)
}

// endUnused ends an access that was never in force.
func (e *Engine) endUnused(ctx context.Context, a dera.Access, state dera.AccessState, r *dera.Remediation) error {
	b, why := store.Batch{}, "nobody granted it in time"
	if state == dera.AccessDenied {
		why = "it was denied"
	} else {
		state = dera.AccessUnanswered
	}
	if r != nil && r.State == dera.Failed {
		why = "it could not be given: " + r.Failure
	}
	if r != nil && r.State == dera.Waiting {
		b.Done = []dera.Job{{Kind: expireJob, Key: r.ID, Seq: 1}}
		if _, err := e.ends(*r, dera.Expired, &b); err != nil {
			return err
		}
		look, err := lookAgain(r.Plan, e.cfg.Now())
		if err != nil {
			return err
		}
		b.Jobs = []dera.Job{look}
	}
	return e.ended(ctx, a, state, why, b)
}

// ended records what became of an access. That somebody else did is as good.
func (e *Engine) ended(ctx context.Context, a dera.Access, state dera.AccessState, why string, b store.Batch) error {
	a.End = &dera.AccessEnd{State: state, At: e.cfg.Now().UTC(), Why: why}
	rec := e.accessRecord(a, e.cfg.Actor)
	rec.Why = string(state) + ": " + a.Text() + ": " + why
	b.Accesses, b.Records = []dera.Access{a}, append(b.Records, rec)
	err := e.commit(ctx, b)
	if errors.Is(err, store.ErrConflict) {
		if known, again := e.cfg.Store.Access(ctx, a.ID); again == nil && known.End != nil {
			return nil
		}
	}
	return err
}

// open returns an error while a freeze window, or the lack of a change window, holds.
func (e *Engine) open(ctx context.Context, r dera.Remediation) error {
	name := evaluate.Windows{}.Name()
	for _, g := range e.cfg.Gate.Finding {
		if g.Name() != name {
			continue
		}
		reason, err := g.Check(ctx, evaluate.Case{
			Account: e.accounts[r.Plan.Account], Resource: dera.Resource{Partition: r.Plan.Partition, Account: r.Plan.Account, Region: r.Plan.Region, ARN: r.Plan.Resource, Type: r.Plan.Type},
			Finding: dera.Finding{Control: r.Control, Partition: r.Plan.Partition, Account: r.Plan.Account, Region: r.Plan.Region, Resource: r.Plan.Resource, ResourceType: r.Plan.Type},
		})
		if err != nil {
			return err
		}
		if reason.Disposition > dera.Auto {
			return &remediate.LaterError{At: e.cfg.Now().Add(windowRetry), Why: reason.Why}
		}
	}
	return nil
}

// windowRetry is how often it is tried again in a window.
const windowRetry = 5 * time.Minute

// accessRecord is a record about an access, linked to what took the actions.
func (e *Engine) accessRecord(a dera.Access, by dera.Actor) dera.AuditRecord {
	rec := dera.AuditRecord{Version: 1, Kind: dera.RecordAccess, Time: e.cfg.Now().UTC(), Actor: by, Account: a.Account, Region: a.Region, Resource: a.Principal, Access: &a}
	if len(a.Took) > 0 {
		rec.Remediation = a.Took[0]
	}
	return rec
}
