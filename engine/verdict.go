package engine

import (
	"context"
	"time"

	"dera.example/dera"
	"dera.example/dera/evaluate"
)

// personGuardrail is the name under which a person's answer to an earlier plan
// stands among the reasons.
const personGuardrail = "approval"

// verdict is what a person said to earlier plans of the control about a finding.
// The last word counts: a no, until a person approves a plan for as much.
type verdict struct {
	reason dera.Reason
	// rejected is the remediation by which a person said no to all that the finding
	// is about, or nil.
	rejected *dera.Remediation
}

// verdictOn is the person's verdict on a finding; its reason has no text where there
// is none. What reaches further than what was rejected is no longer covered by the
// no, but to close it is to close what a person wanted open, too: a person is asked.
func verdictOn(f dera.Finding, earlier []dera.Remediation) (v verdict) {
	var yes, no, partly time.Time
	var less *dera.Remediation
	for i := range earlier {
		r := &earlier[i]
		if r.Control != f.Control || r.Approval == nil {
			continue
		}
		at := r.Approval.At
		switch within := evaluate.Within(f.Extent(), judged(*r)); {
		case r.Approval.Approved && within && r.State != dera.Superseded && at.After(yes):
			yes = at
		case r.State == dera.Rejected && within && !at.Before(no):
			v.rejected, no = r, at
		case r.State == dera.Rejected && !within && evaluate.Touches(f.Extent(), judged(*r)) && !at.Before(partly):
			less, partly = r, at
		}
	}
	switch {
	case v.rejected != nil && !no.Before(yes):
		v.reason = answer(*v.rejected, v.rejected.Approval.Approver+" rejected this plan ("+v.rejected.ID+"): "+v.rejected.Approval.Reason)
	case less != nil && !partly.Before(yes):
		v.rejected = nil
		v.reason = answer(*less, less.Approval.Approver+" rejected a plan for less of it ("+less.ID+"): "+less.Approval.Reason)
	default:
		v.rejected = nil
	}
	return v
}

// judged is how far the findings reached that a remediation was about.
func judged(r dera.Remediation) []dera.Extent {
	if len(r.Covers) > 0 {
		return r.Covers
	}
	var out []dera.Extent
	for _, key := range r.Plan.Keys { // of an older version
		out = append(out, dera.Extent{Key: key})
	}
	return out
}

func answer(r dera.Remediation, why string) dera.Reason {
	return dera.Reason{Guardrail: personGuardrail, Disposition: dera.Review, Why: why, Ref: r.ID}
}

// gate asks the gate about a finding, and lowers its answer to what a person said
// before: nothing automatic overrides a no.
func (e *Engine) gate(ctx context.Context, c evaluate.Case) dera.Decision {
	d := e.cfg.Gate.Decide(ctx, c)
	if v := verdictOn(c.Finding, c.Earlier); v.reason.Why != "" {
		d.Reasons = append(d.Reasons, v.reason)
		d.Disposition = d.Disposition.Lower(dera.Review)
	}
	return d
}

// unanswered notes among the findings' reasons that nobody answered their plan.
func (g *group) unanswered(r dera.Remediation) {
	for _, f := range g.findings {
		f.Reasons = append(f.Reasons, answer(r, evaluate.Unanswered+" ("+r.ID+")"))
	}
}
