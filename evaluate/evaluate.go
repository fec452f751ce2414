// Package evaluate is the gate: it decides what may be done about a finding.
// Every guardrail looks at every finding and may only lessen what is done, auto
// → review → alert → exempt (invariant I5); a guardrail that fails means review.
// The decision keeps each guardrail's result and its reason. Layer: may import
// the words, iam, netset, resource and control.
package evaluate

import (
	"context"
	"fmt"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// Case is what the guardrails look at: one finding, and, once there is one, the
// plan that would remove it with its evidence.
type Case struct {
	Finding  dera.Finding
	Account  dera.Account
	Resource dera.Resource
	Type     resource.Type // of the resource
	Mode     dera.Mode
	// Incident is that of the control's Meta: the finding is about use that was made.
	Incident bool
	// Stops is the control's: a plan stops the principals of the resource from acting.
	Stops bool
	// Watches is the control's: it is about what watches the account.
	Watches bool
	// Threat is the control's: it answers threats, so that use is what it is about.
	Threat bool
	// Unused is the control's: a plan is automatic only because nobody used what it takes.
	Unused bool
	// Planned is false while only the finding is known. Refusal says why no plan
	// could be made.
	Planned  bool
	Refusal  string
	Plan     dera.Plan
	Evidence dera.Evidence
	// Earlier are the resource's remediations so far.
	Earlier []dera.Remediation
	// Remediation is set when a decided one is judged again before it acts.
	Remediation *dera.Remediation
}

// decided is when what is judged again before it acts was decided or approved: what is
// older than that says nothing new. It is zero at the first decision.
func (c Case) decided() (at time.Time) {
	if c.Remediation == nil {
		return at
	}
	at = c.Remediation.CreatedAt
	if n := len(c.Remediation.Steps); n > 0 {
		at = c.Remediation.Steps[n-1].At
	}
	return at
}

// Guardrail is one check of the gate. Check returns the lowest disposition that
// it asks for (dera.Auto where it has no objection) and why.
type Guardrail interface {
	Name() string
	Check(ctx context.Context, c Case) (dera.Reason, error)
}

// Gate holds the guardrails. It is safe for concurrent use when they are.
type Gate struct {
	// Finding are checked as soon as a finding is known, Plan when it has a plan.
	Finding []Guardrail
	Plan    []Guardrail
}

// Decide runs the guardrails on the case and returns the decision. It never
// returns a disposition above the control's own.
func (g Gate) Decide(ctx context.Context, c Case) dera.Decision {
	start := c.Finding.Start
	if start < dera.Auto || start > dera.Exempt {
		start = dera.Review
	}
	d := dera.Decision{Disposition: start, Mode: c.Mode, Reasons: []dera.Reason{
		{Guardrail: "control", Disposition: start, Why: c.Finding.Why},
	}}
	guardrails := g.Finding
	if c.Planned {
		guardrails = append(guardrails[:len(guardrails):len(guardrails)], g.Plan...)
	}
	for _, rail := range guardrails {
		r := run(ctx, rail, c)
		d.Reasons = append(d.Reasons, r)
		d.Disposition = d.Disposition.Lower(r.Disposition)
	}
	return d
}

// run calls one guardrail; an error, a panic or an answer out of range is a
// reason for review.
func run(ctx context.Context, rail Guardrail, c Case) (r dera.Reason) {
	name := "unnamed"
	defer func() {
		if p := recover(); p != nil {
			r = dera.Reason{Guardrail: name, Disposition: dera.Review, Error: true, Why: fmt.Sprintf("the check broke (%v), so a person decides", p)}
		}
	}()
	name = rail.Name()
	r, err := rail.Check(ctx, c)
	r.Guardrail = name
	if err != nil {
		return dera.Reason{Guardrail: name, Disposition: dera.Review, Error: true, Why: fmt.Sprintf("the check failed, so a person decides: %v", err)}
	}
	if r.Disposition < dera.Auto || r.Disposition > dera.Exempt {
		return dera.Reason{Guardrail: name, Disposition: dera.Review, Error: true, Why: "the check gave no clear answer, so a person decides"}
	}
	return r
}

// pass is the answer of a guardrail without an objection.
func pass(why string, args ...any) dera.Reason {
	return dera.Reason{Disposition: dera.Auto, Why: fmt.Sprintf(why, args...)}
}

// review is the answer of a guardrail that wants a person to decide.
func review(why string, args ...any) dera.Reason {
	return dera.Reason{Disposition: dera.Review, Why: fmt.Sprintf(why, args...)}
}

// count is a number of things in words.
func count(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}
