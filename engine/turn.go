package engine

import (
	"cmp"
	"slices"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/detect"
	"dera.example/dera/remediate"
)

// live is a plan of a resource that holds its parts: no other plan may change the
// same ones until it has ended. One that nobody answered in time holds them too:
// silence is no decision, and a plan for less must not write down again what it
// would have closed. One that is only observed writes nothing: it holds others that
// are only observed.
type live struct {
	id       string
	parts    map[string]bool
	observed bool
}

func (l live) touches(parts map[string]bool) bool {
	for p := range parts {
		if l.parts[p] {
			return true
		}
	}
	return false
}

// holding returns the plan, other than its own, that changes one of the group's
// parts already, or "".
func holding(list []live, g *group, own string) string {
	parts := remediate.Parts(g.way)
	i := slices.IndexFunc(list, func(l live) bool {
		return l.id != own && (!l.observed || g.decision.Mode == dera.Observe) && l.touches(parts)
	})
	if i < 0 {
		return ""
	}
	return list[i].id
}

// turn is what takes its turn in the decision on a resource: a group of this look,
// or a plan that this look says nothing about and that still holds its parts.
type turn struct {
	group *group
	other *dera.Remediation
}

// turns orders groups and the plans of others: what is done without a person goes
// first, whichever command looks; then the most severe, then by control. The order
// is the same in every process, so that two with different controls agree.
func turns(groups []*group, others []dera.Remediation) []turn {
	var out []turn
	for _, g := range groups {
		out = append(out, turn{group: g})
	}
	for i := range others {
		out = append(out, turn{other: &others[i]})
	}
	slices.SortStableFunc(out, func(a, b turn) int {
		x, y := a.place(), b.place()
		return cmp.Or(cmp.Compare(x.person, y.person), worseFirst(x.severity, x.control, y.severity, y.control))
	})
	return out
}

type place struct {
	person   int // 1 where a person decides
	severity dera.Severity
	control  string
}

func (t turn) place() place {
	if t.other != nil {
		return place{person(t.other.Decision), t.other.Severity, t.other.Control}
	}
	return place{person(t.group.decision), t.group.severity(), t.group.control.ID}
}

func person(d dera.Decision) int {
	if d.Disposition == dera.Auto {
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

// silent are the live plans that an assessment says nothing about: their control does
// not run here, or it could not judge the resource and does not find again what they
// are about. What is unknown neither ends a plan nor frees what it holds. before are
// the findings as they are stored.
func silent(a detect.Assessment, earlier []dera.Remediation, before []dera.Finding) []dera.Remediation {
	var out []dera.Remediation
	for _, r := range earlier {
		if holds(r, before) && !judges(a, r) {
			out = append(out, r)
		}
	}
	return out
}

// judges reports whether the assessment says what there is now of the findings of a
// remediation.
func judges(a detect.Assessment, r dera.Remediation) bool {
	i := slices.IndexFunc(a.Results, func(j detect.Judgement) bool { return j.Control.ID == r.Control })
	if i < 0 {
		return false
	}
	res := a.Results[i].Result
	_, unjudged := a.Results[i].Unjudged()
	return !unjudged || !slices.ContainsFunc(r.Plan.Keys, func(key string) bool {
		return !slices.ContainsFunc(res.Failures, func(f control.Failure) bool { return f.Key == key })
	})
}

// holds reports whether a plan that is not under way holds its parts. One that nobody
// answered does as long as one of its findings is open and has no other plan.
func holds(r dera.Remediation, findings []dera.Finding) bool {
	switch r.State {
	case dera.Waiting, dera.Planned, dera.Observed:
		return true
	case dera.Expired:
		return slices.ContainsFunc(findings, func(f dera.Finding) bool {
			return f.Remediation == r.ID && f.State != dera.FindingResolved
		})
	default:
		return false
	}
}
