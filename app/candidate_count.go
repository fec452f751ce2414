package app

import (
	"slices"
	"time"

	"dera.example/dera"
)

// Open counts by control and account the findings that are not resolved, and names none of them. Looked
// is since when each is observed.
func (s Candidates) Open(findings []dera.Finding, looked map[string]time.Time) []Candidate {
	s = s.indexed()
	byPlace := map[[2]string]*Candidate{}
	for _, f := range findings {
		if f.State != dera.FindingResolved {
			s.in(byPlace, f, looked).count(f, false)
		}
	}
	return sorted(byPlace)
}

// add counts a finding and names it; meant is the sign that it is meant to stay, if there is one.
func (c *Candidate) add(f dera.Finding, fixed bool, meant string) {
	row := c.count(f, fixed)
	row.Meant = meant
	c.Findings = append(c.Findings, row)
}

// count counts a finding.
func (c *Candidate) count(f dera.Finding, fixed bool) CandidateFinding {
	if f.FirstSeen.Before(c.First) {
		c.First = f.FirstSeen
	}
	if f.LastSeen.After(c.Last) {
		c.Last = f.LastSeen
	}
	if f.State != dera.FindingResolved {
		c.Open++
	}
	row := CandidateFinding{ID: f.ID, Resource: f.Resource, Key: f.Key, Title: f.Title, Owner: f.Owner, State: f.State}
	what, against, now := Would(f)
	switch {
	case f.State == dera.FindingUnknown:
		c.Unknown++
		row.Would, row.Why = "unknown", f.Why
	case fixed:
		c.Fixed++
		row.Would = "fixed"
	case what == dera.Auto:
		c.WouldFix++
		row.Would = "fix"
	case what == dera.Review:
		c.WouldAsk++
		row.Would = "ask"
	case what == dera.Alert:
		c.Reported++
		row.Would = "report"
	default:
		c.Exempt++
		row.Would = "leave"
	}
	if row.Would == "ask" || row.Would == "report" || row.Would == "leave" {
		for _, r := range against {
			c.Refused = refuse(c.Refused, r)
		}
		if len(against) > 0 {
			row.Why = against[len(against)-1].Guardrail + ": " + against[len(against)-1].Why
		}
	}
	if row.Would == "fix" || row.Would == "ask" {
		for _, r := range now {
			c.Passing = refuse(c.Passing, r)
			row.Now = r.Guardrail + ": " + r.Why
		}
	}
	return row
}

// refuse counts a reason among those of its guardrail.
func refuse(list []Refusal, r dera.Reason) []Refusal {
	if r.Guardrail == "control" {
		r.Why = "the control leaves it to a person: " + r.Why
	}
	i := slices.IndexFunc(list, func(o Refusal) bool { return o.Guardrail == r.Guardrail })
	if i < 0 {
		i, list = len(list), append(list, Refusal{Guardrail: r.Guardrail, Why: r.Why})
	}
	list[i].Count++
	return list
}
