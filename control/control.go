// Package control says what a control is: what must hold of a resource, how to
// put it right, and the proof that the plan does just that. Controls are pure:
// they call nothing and keep nothing. From their Meta the documents, the IAM
// roles and the compliance table are generated. Layer: may import the words, iam,
// netset, cloudtrail and resource.
package control

import (
	"fmt"
	"time"

	"dera.example/dera"
)

// Outcome is the result of looking at one resource.
type Outcome string

// The outcomes. Unknown is never pass.
const (
	Pass          Outcome = "pass"
	Fail          Outcome = "fail"
	NotApplicable Outcome = "not-applicable"
	UnknownResult Outcome = "unknown"
)

// UnknownKey is the finding key of a resource that could not be judged.
const UnknownKey = "unknown"

// Failure is one way in which a resource fails a control.
type Failure struct {
	// Key is semantic and stable: it survives fix and rollback and never holds
	// an ID that AWS assigned to a part, for example tcp/22.
	Key string
	// Start is the disposition before any guardrail.
	Start    dera.Disposition
	Severity dera.Severity
	// Sources and Permissions are dera.Extent's.
	Sources     []string
	Permissions []string
	// Granted and Used are dera.Finding's.
	Granted *dera.GrantedUse
	Used    *dera.LastUse
	// Until is when a plan for it is of no use any more; zero for never.
	Until time.Time
	// Title and Why are for the resource's owner.
	Title string
	Why   string
}

// Result is what Check found.
type Result struct {
	Outcome  Outcome
	Failures []Failure
	// Why says what could not be judged when Outcome is UnknownResult; there may
	// be failures beside it.
	Why string
	// Whole says that the failures are all that the control can find, whatever else of
	// the resource is not known.
	Whole bool
	// Settled says of findings that are not found any more, by key, why they are resolved,
	// whatever else could not be judged.
	Settled map[string]string
	// Unrecorded says that the control, which is not applicable then, would judge the
	// resource were anything recorded of the use of its principals.
	Unrecorded bool
}

// Refusal is a typed reason why no plan is made; a person has to act by hand.
type Refusal struct {
	Code string // for example rule-quota
	Why  string
}

// Error makes a Refusal usable as an error.
func (r *Refusal) Error() string { return r.Code + ": " + r.Why }

// Spec is a control over the typed configuration T, for example
// *securitygroup.Group. Its functions are pure and safe for concurrent use.
type Spec[T any] struct {
	Meta Meta
	// Check finds the failures of a configuration.
	Check func(c T, s Settings) Result
	// Plan makes one plan that removes all the given failures, or refuses. It is
	// nil for a control that only alerts.
	Plan func(c T, failures []Failure, s Settings) ([]dera.Change, *Refusal)
	// Prove makes the evidence for the changes; nil with Plan.
	Prove func(c T, failures []Failure, changes []dera.Change, s Settings) (dera.Evidence, error)
}

// Control is one entry of the rulebook, made by Define.
type Control struct {
	Meta
	custom    []CustomFix
	alertOnly bool // there is no plan
	check     func(any, Settings) (Result, error)
	plan      func(any, []Failure, Settings) ([]dera.Change, *Refusal, error)
	prove     func(any, []Failure, []dera.Change, Settings) (dera.Evidence, error)
}

// Define makes a control of its specification.
func Define[T any](spec Spec[T]) Control {
	as := func(config any) (T, error) {
		c, ok := config.(T)
		if !ok {
			return c, fmt.Errorf("control %s: configuration is %T, want %T", spec.Meta.ID, config, c)
		}
		return c, nil
	}
	ctl := Control{Meta: spec.Meta, alertOnly: spec.Plan == nil}
	ctl.check = func(config any, s Settings) (Result, error) {
		c, err := as(config)
		if err != nil {
			return Result{}, err
		}
		return spec.Check(c, s), nil
	}
	ctl.plan = func(config any, f []Failure, s Settings) ([]dera.Change, *Refusal, error) {
		c, err := as(config)
		if err != nil {
			return nil, nil, err
		}
		if spec.Plan == nil {
			return nil, &Refusal{"alert-only", "this control has no remediation: it only alerts"}, nil
		}
		changes, refusal := spec.Plan(c, f, s)
		return changes, refusal, nil
	}
	ctl.prove = func(config any, f []Failure, changes []dera.Change, s Settings) (dera.Evidence, error) {
		c, err := as(config)
		if err != nil {
			return dera.Evidence{}, err
		}
		if spec.Prove == nil {
			return dera.Evidence{}, fmt.Errorf("control %s has no proof", spec.Meta.ID)
		}
		return spec.Prove(c, f, changes, s)
	}
	return ctl
}

// Check looks at the resource. A configuration of another type is an error.
func (c Control) Check(r dera.Resource, s Settings) (Result, error) {
	res, err := c.check(r.Config, s)
	return c.proposed(r, res), err
}

// Plan makes the plan that removes the failures from the resource, or says why
// there is none.
func (c Control) Plan(r dera.Resource, failures []Failure, s Settings) (dera.Plan, *Refusal, error) {
	changes, refusal, err := c.plan(r.Config, failures, s)
	if refusal != nil || err != nil {
		return dera.Plan{}, refusal, err
	}
	return c.planOf(r, failures, changes), nil, nil
}

func (c Control) planOf(r dera.Resource, failures []Failure, changes []dera.Change) dera.Plan {
	p := dera.Plan{
		Partition: r.Partition, Account: r.Account, Region: r.Region,
		Resource: r.ARN, Type: r.Type, Control: c.ID, Changes: changes,
	}
	for _, f := range failures {
		p.Keys = append(p.Keys, f.Key)
	}
	return p
}

// Prove makes the evidence for a plan that Plan made of the same resource.
func (c Control) Prove(r dera.Resource, failures []Failure, p dera.Plan, s Settings) (dera.Evidence, error) {
	ev, err := c.prove(r.Config, failures, p.Changes, s)
	if err != nil {
		return dera.Evidence{}, fmt.Errorf("prove plan of %s for %s: %w", c.ID, r.ARN, err)
	}
	ev.Control = c.ID
	return ev, nil
}
