package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"dera.example/dera"
	"dera.example/dera/remediate"
	"dera.example/dera/resource"
)

// live is a plan of a resource that holds its parts: no other plan may change the
// same ones until it has ended. One that nobody answered in time holds them too:
// silence is no decision, and a plan for less must not write down again what it
// would have closed.
type live struct {
	id    string
	parts map[string]bool
}

func (l live) touches(parts map[string]bool) bool {
	for p := range parts {
		if l.parts[p] {
			return true
		}
	}
	return false
}

// holding returns the plan that changes one of the parts already, or "".
func holding(list []live, parts map[string]bool) string {
	if i := slices.IndexFunc(list, func(l live) bool { return l.touches(parts) }); i >= 0 {
		return list[i].id
	}
	return ""
}

// inTurn orders groups: what is done without a person goes first, whichever command
// looks; then the most severe, then by control.
func inTurn(a, b *group) int {
	return cmp.Or(cmp.Compare(turn(a), turn(b)), worseFirst(a.severity(), a.control.ID, b.severity(), b.control.ID))
}

func turn(g *group) int {
	if g.decision.Disposition == dera.Auto {
		return 0
	}
	return 1
}

// worseFirst is the order in which a person is asked about plans of the same part.
func worseFirst(a dera.Severity, control string, b dera.Severity, other string) int {
	return cmp.Or(cmp.Compare(b, a), cmp.Compare(control, other))
}

func (g *group) severity() (s dera.Severity) {
	for _, f := range g.findings {
		s = max(s, f.Severity)
	}
	return s
}

// leaves are the findings, other than the group's own, that exist after its plan
// because of what the plan itself adds: the remainder of a part that it splits.
// Without such a remainder there are none.
func (e *Engine) leaves(r dera.Resource, g *group, findings []dera.Finding) ([]string, error) {
	kind, err := e.cfg.Types.Lookup(g.plan.Type)
	if err != nil {
		return nil, err
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
	own := live{r.ID, remediate.Parts(g.way)}
	approved := r.Approval != nil && r.Approval.Approved
	for _, o := range groups {
		same := o.control.ID == r.Control && slices.ContainsFunc(o.findings, func(f *dera.Finding) bool { return slices.Contains(r.Plan.Keys, f.Key) })
		first := worseFirst(o.severity(), o.control.ID, g.severity(), g.control.ID) < 0
		if same || o.refusal != "" || !first || !approved && turn(o) > 0 || !own.touches(remediate.Parts(o.way)) {
			continue
		}
		digest, err := o.plan.Digest()
		if err != nil {
			return "", err
		}
		if turnedDown(earlier, o, digest) == nil {
			return fmt.Sprintf("%s (%s) is of the same part of the resource and is decided first", o.findings[0].Title, o.findings[0].ID), nil
		}
	}
	return "", nil
}

// contest refuses an approval while another plan of the same part, which is decided
// first, waits too.
func contest(r dera.Remediation, list []dera.Remediation) error {
	own := live{r.ID, remediate.Parts(r.Way)}
	for _, o := range list {
		if o.ID != r.ID && o.State == dera.Waiting && worseFirst(o.Severity, o.Control, r.Severity, r.Control) < 0 && own.touches(remediate.Parts(o.Way)) {
			return refused("%s changes the same part of the resource and is decided first: dera show %s, then approve or reject it", o.ID, o.ID)
		}
	}
	return nil
}
