package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/evaluate"
	"dera.example/dera/remediate"
)

// Custom binds custom fixes to what they are now, and runs them.
type Custom interface {
	remediate.Custom
	// BindCustom returns the input with its version and hashes, and those of its undo, as
	// AWS has them in the account and region of the resource. now says that nothing
	// counts that was remembered.
	BindCustom(ctx context.Context, r dera.Resource, in dera.CustomInput, now bool) (dera.CustomInput, error)
}

// custom keeps a nil interface nil.
func custom(c Custom) remediate.Custom {
	if c == nil {
		return nil
	}
	return c
}

// customPlan fills in the plan, the evidence and the way of a custom fix. Where the control
// has a fix of its own, the way holds where that would lead: what else the custom fix
// changes can be told then.
func (e *Engine) customPlan(ctx context.Context, r dera.Resource, g *group, in dera.CustomInput, now bool) error {
	if e.cfg.Custom == nil {
		return errors.New("no-custom-fix: " + in.String() + " cannot be looked at here")
	}
	if strings.Contains(string(r.ARN)+r.ID, "{{") { // Systems Manager would read it as a reference
		return errors.New("no-custom-fix: the name of the resource holds {{")
	}
	in, err := e.cfg.Custom.BindCustom(ctx, r, in, now)
	if err != nil {
		return fmt.Errorf("no-custom-fix: %w", err)
	}
	if g.plan, g.evidence, err = g.control.CustomPlan(r, g.failures, in); err != nil {
		return fmt.Errorf("cannot-plan: %w", err)
	}
	kind, err := e.cfg.Types.Lookup(r.Type)
	if err != nil {
		return err
	}
	canon, err := kind.Canon(r.Config)
	if err != nil {
		return fmt.Errorf("cannot-plan: %w", err)
	}
	g.way = []string{canon}
	own, refusal, err := g.control.Plan(r, g.failures, e.cfg.Settings.At(e.cfg.Now()))
	if err != nil || refusal != nil {
		return nil // it has none here
	}
	if way, err := e.way(r, own); err == nil {
		g.way = append(g.way, way[len(way)-1])
	}
	return nil
}

// runsMost is how long after its start an execution is asked for that did not end in its time.
const runsMost = 24 * time.Hour

// running is an error where a custom fix of the resource, of another remediation, may still
// change it: nothing begins meanwhile.
func (j judge) running(ctx context.Context, r dera.Remediation, earlier []dera.Remediation) error {
	for _, o := range earlier {
		late := o.State == dera.Collateral && j.cfg.Now().Sub(o.Began()) < runsMost
		under := !o.State.Final() && o.State != dera.Waiting && o.State != dera.Ready
		if o.ID == r.ID || r.State != dera.Ready || !o.Plan.Custom() || !under && !late {
			continue
		}
		ended := false
		if late && j.cfg.Custom != nil {
			intents, err := j.cfg.Store.Intents(ctx, o.ID)
			if err != nil {
				return err
			}
			if ended = true; remediate.Execution(intents) != "" {
				run, err := j.cfg.Custom.CustomRun(ctx, o.Plan, remediate.Execution(intents))
				if err != nil {
					return fmt.Errorf("look whether %s has ended: %w", o.ID, err)
				}
				ended = run.Ended
			}
		}
		if !ended {
			return fmt.Errorf("%s has not ended, and may still change the resource", o.ID)
		}
	}
	return nil
}

// stands are the findings of a fresh resource that are open or unknown.
func (j judge) stands(ctx context.Context, r dera.Remediation, fresh dera.Resource) ([]dera.EarlierFinding, error) {
	before, err := j.cfg.Store.FindingsOf(ctx, r.ResourceKey())
	if err != nil {
		return nil, err
	}
	out := []dera.EarlierFinding{}
	for _, f := range j.detectorAt(j.cfg.Now()).Assess(fresh).Findings(before, j.cfg.Now()) {
		if f.State != dera.FindingResolved {
			out = append(out, dera.EarlierFinding{Finding: f.ID, State: f.State, Severity: f.Severity, Extent: f.Extent()})
		}
	}
	return out, nil
}

// Opened implements remediate.Judge. What the store says of the findings counts only for a fix
// that began before this was kept: a sweep may have seen meanwhile what the fix did.
func (j judge) Opened(ctx context.Context, r dera.Remediation, fresh dera.Resource) ([]string, error) {
	before, err := j.cfg.Store.FindingsOf(ctx, r.ResourceKey())
	if err != nil {
		return nil, err
	}
	stood := r.Stood
	if stood == nil {
		for _, f := range before {
			if began := r.Began(); f.State != dera.FindingResolved && !f.FirstSeen.After(began) {
				stood = append(stood, dera.EarlierFinding{Finding: f.ID, State: f.State, Severity: f.Severity, Extent: f.Extent()})
			}
		}
	}
	var out []string
	for _, f := range j.detectorAt(j.cfg.Now()).Assess(fresh).Findings(before, j.cfg.Now()) {
		i := slices.IndexFunc(stood, func(s dera.EarlierFinding) bool { return s.Finding == f.ID })
		known := i >= 0 && stood[i].State == f.State
		reach, severity := r.Covers, r.Severity
		if !slices.Contains(r.Findings, f.ID) && known {
			reach, severity = []dera.Extent{stood[i].Extent}, stood[i].Severity
		}
		switch {
		case f.State == dera.FindingResolved:
		case f.State == dera.FindingUnknown && !known:
			out = append(out, "cannot be judged any more: "+f.Control+": "+f.Why)
		case f.State == dera.FindingOpen && !known && !slices.Contains(r.Findings, f.ID):
			out = append(out, "open now: "+f.Title+" ("+f.ID+")")
		case f.State == dera.FindingOpen && (f.Severity > severity || !evaluate.Within(f.Extent(), reach)):
			out = append(out, "wider than before: "+f.Title+" ("+f.ID+")")
		}
	}
	return out, nil
}
