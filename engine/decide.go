package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/detect"
	"dera.example/dera/evaluate"
	"dera.example/dera/resource"
	"dera.example/dera/store"
)

// group is the failures of one control on one resource that share a
// disposition: they make one plan. What a person said no to is a group of its own,
// which makes none.
type group struct {
	control  control.Control
	failures []control.Failure
	findings []*dera.Finding
	plan     dera.Plan
	refusal  string
	evidence dera.Evidence
	decision dera.Decision
	way      []string
	// rejected is the remediation by which a person said no to all of it, or nil.
	rejected *dera.Remediation
	// notBefore is when its fix may begin, where it failed before.
	notBefore time.Time
}

// decide turns an assessment into what is to be committed: findings with their
// dispositions and reasons, and remediations that start or wait.
func (e *Engine) decide(ctx context.Context, a detect.Assessment, o order, h history) (store.Batch, error) {
	now := e.cfg.Now()
	before, known := h.before, int64(len(h.earlier))
	if until, stale := a.Stale(before); stale {
		// Someone looked later and committed first: a stale look means look again,
		// by a clock that may be behind theirs not before it got there.
		again, err := lookAt(lookAtOne(o, a.Resource), later(now, until))
		return store.Batch{Jobs: []dera.Job{again}}, err
	}
	b := store.Batch{Findings: a.Findings(before, now), Evidence: map[string][]byte{}}
	earlier, err := e.overdue(h.earlier, &b)
	if err != nil {
		return store.Batch{}, err
	}
	for i := range b.Findings {
		e.attribute(&b.Findings[i], a.Resource, before, earlier, o)
	}
	groups, err := e.groups(ctx, a, b.Findings, earlier, o)
	if err != nil {
		return store.Batch{}, err
	}
	if err := e.remediations(ctx, a, groups, history{earlier, before}, o, &b); err != nil {
		return store.Batch{}, err
	}
	if slices.ContainsFunc(b.Remediations, func(r dera.Remediation) bool { return r.Revision == 0 }) {
		b.Known = map[string]int64{a.Resource.Key(): known} // another process may decide on it at the same time
	}
	for _, f := range b.Findings {
		if old := slices.IndexFunc(before, func(o dera.Finding) bool { return o.ID == f.ID }); old < 0 || changed(before[old], f) {
			why := f.Title
			if f.State == dera.FindingResolved && f.Used != nil {
				why += ": " + f.Why // it names the incident
			}
			b.Records = append(b.Records, e.findingRecord(f, why))
		}
	}
	return b, nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// changed reports whether a finding has news for the audit log.
func changed(old, f dera.Finding) bool {
	return old.State != f.State || old.Disposition != f.Disposition || old.Severity != f.Severity
}

func (e *Engine) findingRecord(f dera.Finding, why string) dera.AuditRecord {
	return dera.AuditRecord{
		Version: 1, Kind: dera.RecordFinding, Time: e.cfg.Now().UTC(), Actor: e.cfg.Actor,
		Account: f.Account, Region: f.Region, Resource: f.Resource, Control: f.Control, Findings: []string{f.ID},
		Severity: f.Severity.String(), Owner: f.Owner, Why: string(f.State) + ": " + why,
		Decision: &dera.Decision{Disposition: f.Disposition, Reasons: f.Reasons},
	}
}

// groups judges every open finding, first alone, then with the plan of those
// that stand where it stands.
func (e *Engine) groups(ctx context.Context, a detect.Assessment, findings []dera.Finding, earlier []dera.Remediation, o order) ([]*group, error) {
	var out []*group
	type kind struct {
		disposition dera.Disposition
		rejected    string
		asked       string // what somebody asked for is answered alone
	}
	for _, j := range a.Results {
		groups := map[kind]*group{}
		for _, fail := range j.Result.Failures {
			i := slices.IndexFunc(findings, func(f dera.Finding) bool { return f.Control == j.Control.ID && f.Key == fail.Key })
			if i < 0 {
				return nil, fmt.Errorf("failure %s of %s has no finding", fail.Key, j.Control.ID)
			}
			f := &findings[i]
			d := e.gate(ctx, e.gateCase(a.Resource, *f, earlier))
			f.Disposition, f.Reasons = d.Disposition, d.Reasons
			if d.Disposition != dera.Auto && d.Disposition != dera.Review {
				continue
			}
			k, no := kind{disposition: d.Disposition}, verdictOn(*f, earlier).rejected
			if no != nil {
				k.rejected = no.ID
			}
			if j.Control.Gives {
				k.asked = f.Key
			}
			g := groups[k]
			if g == nil {
				g = &group{control: j.Control, rejected: no}
				groups[k] = g
				out = append(out, g)
			}
			g.failures = append(g.failures, fail)
			g.findings = append(g.findings, f)
		}
	}
	for i := range findings {
		if findings[i].State == dera.FindingUnknown {
			findings[i].Disposition = dera.Review
			findings[i].Reasons = []dera.Reason{{Guardrail: "control", Disposition: dera.Review, Why: findings[i].Why}}
		}
	}
	for _, g := range out {
		if err := e.plan(ctx, a.Resource, g, earlier, nil); err != nil {
			return nil, err
		}
		if o.spent && g.decision.Disposition == dera.Auto {
			g.decision = together([]dera.Decision{g.decision, {Disposition: dera.Review, Mode: g.decision.Mode, Reasons: []dera.Reason{{
				Guardrail: evaluate.Budget{}.Name(), Disposition: dera.Review, Why: "the budget of this hour is spent",
			}}}})
		}
		for _, f := range g.findings {
			f.Disposition, f.Reasons = g.decision.Disposition, ownReasons(*f, g.decision)
		}
	}
	return out, nil
}

// ownReasons is the decision's reasons with only the finding's own of the
// control.
func ownReasons(f dera.Finding, d dera.Decision) []dera.Reason {
	var out []dera.Reason
	for _, r := range d.Reasons {
		if r.Guardrail != "control" || r.Why == f.Why {
			out = append(out, r)
		}
	}
	return out
}

func (e *Engine) gateCase(r dera.Resource, f dera.Finding, earlier []dera.Remediation) evaluate.Case {
	account := e.accounts[f.Account]
	typ, _ := e.cfg.Types.Lookup(r.Type) // without one, nothing that needs it is known
	has := func(is func(control.Control) bool) bool {
		return slices.ContainsFunc(e.cfg.Controls, func(c control.Control) bool { return c.ID == f.Control && is(c) })
	}
	mode := e.cfg.Mode(account, f.Control)
	if has(func(c control.Control) bool { return c.Gives }) { // two people order it, as a rollback
		mode = max(mode, dera.ReviewOnly)
	}
	return evaluate.Case{
		Finding: f, Account: account, Resource: r, Type: typ, Mode: mode, Earlier: earlier,
		Incident: has(func(c control.Control) bool { return c.Incident }), Stops: has(func(c control.Control) bool { return c.Stops }),
		Watches: has(func(c control.Control) bool { return c.Watches }), Unused: has(func(c control.Control) bool { return c.Unused }),
		Threat: has(func(c control.Control) bool { return len(c.Threats) > 0 }),
	}
}

// plan makes the group's plan and evidence and judges all its findings with it.
func (e *Engine) plan(ctx context.Context, r dera.Resource, g *group, earlier []dera.Remediation, rem *dera.Remediation) error {
	if err := e.tryPlan(ctx, r, g, rem != nil); err != nil {
		g.plan, g.evidence, g.way = dera.Plan{}, dera.Evidence{}, nil
		g.refusal = err.Error()
	}
	var decisions []dera.Decision
	for _, f := range g.findings {
		c := e.gateCase(r, *f, earlier)
		c.Planned, c.Refusal, c.Plan, c.Evidence, c.Remediation = true, g.refusal, g.plan, g.evidence, rem
		decisions = append(decisions, e.gate(ctx, c))
	}
	g.decision = together(decisions)
	return nil
}

// tryPlan fills in the group's plan, evidence and way; an error is the refusal.
// A control that breaks on a resource refuses it. now says that nothing counts which was
// remembered of a custom fix.
func (e *Engine) tryPlan(ctx context.Context, r dera.Resource, g *group, now bool) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("cannot-plan: the control broke on it")
		}
	}()
	if in, ok := g.control.Custom(r); ok {
		return e.customPlan(ctx, r, g, in, now)
	}
	plan, refusal, err := g.control.Plan(r, g.failures, e.cfg.Settings.At(e.cfg.Now()))
	switch {
	case err != nil:
		return fmt.Errorf("cannot-plan: %w", err)
	case refusal != nil:
		return refusal
	case len(plan.Changes) == 0:
		return errors.New("empty-plan: nothing that dera can change removes it")
	}
	g.plan = plan
	if err := e.tag(r, g); err != nil {
		return err
	}
	plan = g.plan
	if g.evidence, err = g.control.Prove(r, g.failures, plan, e.cfg.Settings.At(e.cfg.Now())); err != nil {
		return fmt.Errorf("no-evidence: %w", err)
	}
	if g.way, err = e.way(r, plan); err != nil {
		return fmt.Errorf("cannot-plan: %w", err)
	}
	return nil
}

// together is the one decision on all findings of a plan: the lowest
// disposition, and of each guardrail the lowest answer; of the control every one.
func together(list []dera.Decision) dera.Decision {
	var out dera.Decision
	at := map[string]int{}
	for _, d := range list {
		out.Mode = d.Mode
		out.Disposition = out.Disposition.Lower(d.Disposition)
		for _, r := range d.Reasons {
			name := r.Guardrail
			if name == "control" {
				name += "\x00" + r.Why
			}
			i, ok := at[name]
			switch {
			case !ok:
				at[name] = len(out.Reasons)
				out.Reasons = append(out.Reasons, r)
			case r.Disposition > out.Reasons[i].Disposition:
				out.Reasons[i] = r
			}
		}
	}
	return out
}

// way is the canonical configuration before each change and after the last.
func (e *Engine) way(r dera.Resource, p dera.Plan) ([]string, error) {
	kind, err := e.cfg.Types.Lookup(p.Type)
	if err != nil {
		return nil, err
	}
	config := r.Config
	var out []string
	for i := 0; ; i++ {
		canon, err := kind.Canon(config)
		if err != nil {
			return nil, err
		}
		out = append(out, canon)
		if i == len(p.Changes) {
			return out, nil
		}
		if config, err = kind.Apply(config, resource.Of(p.Changes[i])); err != nil {
			return nil, err
		}
	}
}
