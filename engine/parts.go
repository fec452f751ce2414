package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/remediate"
	"dera.example/dera/resource"
)

// leaves are the findings, other than the group's own, that exist after its plan
// because of what the plan itself adds: the remainder of a part that it splits.
// Without such a remainder there are none. before are the findings as they are
// stored: of a control that this look says nothing about, each that is open and is
// not known to be of another part is among them.
func (e *Engine) leaves(r dera.Resource, g *group, findings, before []dera.Finding, earlier []dera.Remediation) ([]string, error) {
	kind, err := e.cfg.Types.Lookup(g.plan.Type)
	if err != nil || g.plan.Custom() {
		return nil, err // what a custom fix adds, nobody knows
	}
	after, closed := r, r
	adds, removes := false, false
	for i, c := range g.plan.Changes {
		if after.Config, err = kind.Apply(after.Config, resource.Of(c)); err != nil {
			return nil, fmt.Errorf("apply change %d: %w", i+1, err)
		}
		if remediate.Adds(g.way[i], g.way[i+1]) {
			adds = true
			continue
		}
		removes = true
		if closed.Config, err = kind.Apply(closed.Config, resource.Of(c)); err != nil {
			return nil, fmt.Errorf("apply change %d alone: %w", i+1, err)
		}
	}
	if !adds || !removes {
		return nil, nil
	}
	d := e.detectorAt(e.cfg.Now())
	open := func(r dera.Resource) (ids []string) {
		for _, f := range d.Assess(r).Findings(findings, r.ReadAt) {
			if f.State == dera.FindingOpen {
				ids = append(ids, f.ID)
			}
		}
		return ids
	}
	without := open(closed)
	var out []string
	for _, id := range open(after) {
		known := slices.ContainsFunc(findings, func(f dera.Finding) bool { return f.ID == id })
		own := slices.ContainsFunc(g.findings, func(f *dera.Finding) bool { return f.ID == id })
		if known && !own && !slices.Contains(without, id) {
			out = append(out, id)
		}
	}
	own := live{parts: remediate.Parts(g.way)}
	for _, f := range before {
		unseen := !slices.ContainsFunc(findings, func(o dera.Finding) bool { return o.ID == f.ID })
		if !unseen || f.State == dera.FindingResolved {
			continue
		}
		i := slices.IndexFunc(earlier, func(r dera.Remediation) bool { return r.ID == f.Remediation })
		if i < 0 || own.touches(remediate.Parts(earlier[i].Way)) {
			out = append(out, f.ID)
		}
	}
	return out, nil
}

// contested says, right before the first write, whether another plan of the same
// part goes first by now, or "". What a person approved gives way to what is worse
// and what nobody has decided about; what is automatic, to what is automatic and
// worse.
func (j judge) contested(ctx context.Context, r dera.Remediation, g *group, fresh dera.Resource, earlier []dera.Remediation) (string, error) {
	a := j.detectorAt(j.cfg.Now()).Assess(fresh)
	before, err := j.cfg.Store.FindingsOf(ctx, r.ResourceKey())
	if err != nil {
		return "", err
	}
	groups, err := j.groups(ctx, a, a.Findings(before, j.cfg.Now()), earlier, order{})
	if err != nil {
		return "", err
	}
	own := live{id: r.ID, parts: remediate.Parts(g.way)}
	approved := r.Approved()
	for _, o := range silent(a, earlier, before) {
		first := worseFirst(o.Severity, o.Control, g.severity(), g.control.ID) < 0
		if o.ID != r.ID && o.State != dera.Observed && first && (approved || person(o.Decision) == 0) && own.touches(remediate.Parts(o.Way)) {
			return o.ID + " changes the same part of the resource and is decided first", nil
		}
	}
	for _, o := range groups {
		same := o.control.ID == r.Control && slices.ContainsFunc(o.findings, func(f *dera.Finding) bool { return slices.Contains(r.Plan.Keys, f.Key) })
		first := worseFirst(o.severity(), o.control.ID, g.severity(), g.control.ID) < 0
		undecided := o.rejected == nil && o.decision.Mode != dera.Observe
		if same || o.refusal != "" || !first || !undecided || !approved && person(o.decision) > 0 || !own.touches(remediate.Parts(o.way)) {
			continue
		}
		return fmt.Sprintf("%s (%s) is of the same part of the resource and is decided first", o.findings[0].Title, o.findings[0].ID), nil
	}
	return "", nil
}

// contest refuses an approval while another plan of the same part, which is decided
// first, waits too.
func contest(r dera.Remediation, list []dera.Remediation, now time.Time) error {
	own := live{id: r.ID, parts: remediate.Parts(r.Way)}
	for _, o := range list {
		if o.ID != r.ID && o.State == dera.Waiting && !o.Overdue(now) && worseFirst(o.Severity, o.Control, r.Severity, r.Control) < 0 && own.touches(remediate.Parts(o.Way)) {
			return refused("%s changes the same part of the resource and is decided first: dera show %s, then approve or reject it", o.ID, o.ID)
		}
	}
	return nil
}
