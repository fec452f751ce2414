package soc2

import (
	"slices"
	"strings"
	"time"

	"dera.example/dera"
)

// The kinds of items.
const (
	kindFinding     = "finding"
	kindRemediation = "remediation"
)

// item is a finding or a remediation, as the records of the log tell of it.
type item struct {
	kind, id, control         string
	account, region, severity string
	resource                  dera.ARN
	owner, title              string
	decided                   string // the decision at the end of the period
	state                     string // at the end of the period
	findings                  []string
	approvedBy, approvedHow   string
	rejectedBy, rolledBackBy  string
	first, began, last        time.Time // recorded; when it first wrote; the last record of the period
	records                   []int64   // of all time
	inside                    bool      // it has a record of its own in the period
	before                    string    // the state when the period began
	closedBefore              bool
}

// population are the items of a period.
type population struct {
	since, until time.Time
	items        map[string]*item
}

func newPopulation(since, until time.Time) *population {
	return &population{since, until, map[string]*item{}}
}

// add takes a record; they come in the order of the log.
func (p *population) add(index int64, r dera.AuditRecord) {
	for _, id := range r.Findings {
		p.finding(id, index, r)
	}
	if r.Remediation != "" {
		p.remediation(index, r)
	}
}

func (p *population) of(kind, id string, r dera.AuditRecord) *item {
	i := p.items[id]
	if i == nil {
		i = &item{kind: kind, id: id, first: r.Time}
		p.items[id] = i
	}
	i.control, i.account, i.region, i.resource = or(r.Control, i.control), or(r.Account, i.account), or(r.Region, i.region), dera.ARN(or(string(r.Resource), string(i.resource)))
	return i
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// finding notes a record that names a finding: one of the kind finding says what it is.
func (p *population) finding(id string, index int64, r dera.AuditRecord) {
	i := p.of(kindFinding, id, r)
	i.records = append(i.records, index)
	if r.Kind != dera.RecordFinding || !r.Time.Before(p.until) {
		return
	}
	state, title, _ := strings.Cut(r.Why, ": ")
	i.state, i.title, i.severity, i.owner, i.last = state, title, or(r.Severity, i.severity), or(r.Owner, i.owner), r.Time
	if r.Decision != nil {
		i.decided = r.Decision.Disposition.String()
	}
	p.note(i, r.Time, state == string(dera.FindingResolved))
}

// remediation notes a record of a remediation.
func (p *population) remediation(index int64, r dera.AuditRecord) {
	i := p.of(kindRemediation, r.Remediation, r)
	i.records = append(i.records, index)
	for _, id := range r.Findings {
		if !slices.Contains(i.findings, id) {
			i.findings = append(i.findings, id)
		}
	}
	if !r.Time.Before(p.until) {
		return
	}
	i.severity, i.owner, i.last = or(r.Severity, i.severity), or(r.Owner, i.owner), r.Time
	i.state = or(string(r.State), i.state)
	switch r.Kind {
	case dera.RecordDecision:
		if r.Decision != nil {
			i.decided = r.Decision.Disposition.String()
		}
	case dera.RecordApproval:
		if a := r.Approval; a != nil && a.Approved {
			i.approvedBy, i.approvedHow = a.Approver, a.HowEstablished
		}
	case dera.RecordRejection:
		i.rejectedBy = r.Actor.Name
	case dera.RecordRollback:
		i.rolledBackBy = r.Actor.Name
	case dera.RecordIntent:
		if i.began.IsZero() {
			i.began = r.Time
		}
	default:
	}
	p.note(i, r.Time, dera.State(i.state).Final())
}

// note says whether a record is in the period, and where the item stood when it began.
func (p *population) note(i *item, at time.Time, closed bool) {
	if at.Before(p.since) {
		i.closedBefore, i.before = closed, i.state
		return
	}
	i.inside = true
}

// held are the items of a kind with a record in the period, or open when it began, by ID.
func (p *population) held(kind string) []*item {
	var out []*item
	for _, i := range p.items {
		if i.kind == kind && (i.inside || i.before != "" && !i.closedBefore) {
			out = append(out, i)
		}
	}
	slices.SortFunc(out, func(a, b *item) int { return strings.Compare(a.id, b.id) })
	return out
}
