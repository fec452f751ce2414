package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
)

// Fix is what a review of effectiveness needs of a remediation.
type Fix struct {
	ID, Control string
	Findings    []string
	Leaves      []string // findings of the resource that exist after it, since it split a part
	Auto        bool     // nobody approved it, and none was needed
	UndoBy      string
	State       dera.State
	Steps       []dera.Step // without why
}

// FixOf is the remediation as it is needed there; ok is false for one that gives something back.
func FixOf(r dera.Remediation) (f Fix, ok bool) {
	if r.AccessOf() != "" {
		return f, false
	}
	f = Fix{ID: r.ID, Control: r.Control, Findings: r.Findings, Leaves: r.Leaves, Auto: !r.Approved(), UndoBy: r.UndoBy, State: r.State, Steps: make([]dera.Step, len(r.Steps))}
	for i, s := range r.Steps {
		f.Steps[i] = dera.Step{State: s.State, At: s.At}
	}
	return f, true
}

// first is when it first came to a state; ok is false for never.
func (f Fix) first(states ...dera.State) (at time.Time, ok bool) {
	i := slices.IndexFunc(f.Steps, func(s dera.Step) bool { return slices.Contains(states, s.State) })
	if i < 0 {
		return at, false
	}
	return f.Steps[i].At, true
}

// began is when it began to write, or was verified where that is not known.
func (f Fix) began() time.Time {
	at, ok := f.first(dera.Applying)
	if !ok {
		at, _ = f.fixed()
	}
	return at
}

// fixed is when the fix was verified; ok is false for one that never was.
func (f Fix) fixed() (at time.Time, ok bool) {
	if at, ok = f.first(dera.Resolved); ok {
		return at, true
	}
	if _, undone := f.first(dera.Failed, dera.UndoFailed, dera.Undoing); undone {
		return at, false // a side effect of what is no fix
	}
	return f.first(dera.Collateral)
}

// FixesIn is what the remediations in a state are there.
func FixesIn(list []dera.Remediation) []Fix {
	out := make([]Fix, 0, len(list))
	for _, r := range list {
		if f, ok := FixOf(r); ok {
			out = append(out, f)
		}
	}
	return out
}

// FixStore may have the fixes at hand, so that remediations are not read again for them.
type FixStore interface {
	Fixes(ctx context.Context, state dera.State) ([]Fix, error)
}

// Effects reads what a review of effectiveness is made of. KeptSince is from when on nothing was
// removed for its age; zero where nothing ever is.
type Effects struct {
	Exemptions []dera.Exemption
	// ExemptionsUnread is why they cannot be read; empty where they are.
	ExemptionsUnread string
	Controls         []control.Control
	KeptSince        time.Time
	Now              func() time.Time
}

// EffectData is what was read, made ready so that a period costs milliseconds: any number of periods can
// be made of it. It is not changed.
type EffectData struct {
	At         time.Time // when it was read
	KeptSince  time.Time
	seen       []seenFinding
	fixes      []madeFix
	closed     []closing
	pairs      []pair
	exemptions []ExemptionDue
	unread     string // why the exemptions cannot be read
	reviews    []ReviewDue
}

// seenFinding is when a finding was open, and what was decided of it.
type seenFinding struct {
	first    time.Time
	returns  []time.Time
	resolved time.Time // zero for open
	decided  dera.Disposition
}

// madeFix is a remediation, with what is known of it.
type madeFix struct {
	Fix
	findings       []int // in seen; those that were removed for their age are not there
	at             time.Time
	fixed          bool // and when
	undone         bool // a person rolled it back: it closed nothing for good
	wrong, perhaps bool
	cameBack       int // findings that came back within 30 days
}

// closing is a finding that was closed.
type closing struct {
	control, by string
	at          time.Time
	took        time.Duration
}

// Read reads the store.
func (e Effects) Read(ctx context.Context, from OverviewStore) (EffectData, error) {
	p := EffectData{At: e.Now().UTC(), KeptSince: e.KeptSince}
	findings, err := from.Findings(ctx)
	if err != nil {
		return p, err
	}
	var fixes []Fix
	for _, state := range []dera.State{
		dera.Waiting, dera.Ready, dera.Applying, dera.Verifying, dera.Undoing, dera.Resolved, dera.Collateral, dera.Failed, dera.RolledBack,
		dera.UndoFailed, dera.Rejected, dera.Expired, dera.Superseded,
	} {
		list, err := fixesOf(ctx, from, state)
		if err != nil {
			return p, err
		}
		fixes = append(fixes, list...)
	}
	denials, err := from.Denials(ctx)
	if err != nil {
		return p, err
	}
	forGood, err := givenForGood(ctx, from, p.At)
	if err != nil {
		return p, err
	}
	asked := map[string]bool{} // controls of what somebody asked for are no controls of what is wrong
	for _, c := range e.Controls {
		asked[c.ID] = c.Gives
	}
	findings = slices.DeleteFunc(slices.Clone(findings), func(f dera.Finding) bool { return asked[f.Control] || f.Key == control.UnknownKey })
	fixes = slices.DeleteFunc(fixes, func(f Fix) bool { return asked[f.Control] })
	p.ready(findings, fixes)
	wrong, perhaps := judged(denials, forGood)
	for i, f := range p.fixes {
		p.fixes[i].wrong, p.fixes[i].perhaps = wrong[f.ID], perhaps[f.ID]
	}
	p.unread = e.ExemptionsUnread
	p.exemptions, p.reviews = exemptionsDue(e.Exemptions, findings, p.At), reviewsDue(e.Controls, p.At)
	return p, nil
}

// ready makes what periods are counted from.
func (p *EffectData) ready(findings []dera.Finding, fixes []Fix) {
	byID := make(map[string]int, len(findings))
	p.seen = make([]seenFinding, len(findings))
	for i, f := range findings {
		byID[f.ID] = i
		p.seen[i] = seenFinding{first: f.FirstSeen, returns: openings(f), decided: f.Disposition}
		if f.State == dera.FindingResolved && f.ResolvedAt != nil {
			p.seen[i].resolved = *f.ResolvedAt
		}
	}
	fixedAt := make([]time.Time, len(findings)) // the last fix ever
	p.fixes = make([]madeFix, 0, len(fixes))
	for _, f := range fixes {
		m := madeFix{Fix: f}
		m.at, m.fixed = f.fixed()
		_, m.undone = f.first(dera.RolledBack)
		for _, id := range f.Findings {
			i, known := byID[id]
			if !known {
				continue
			}
			m.findings = append(m.findings, i)
			if !m.fixed || m.undone {
				continue
			}
			g := findings[i]
			fixedAt[i] = laterOf(fixedAt[i], m.at)
			p.closed = append(p.closed, closing{f.Control, closedOf(f), m.at, m.at.Sub(openedAt(g, m.at))})
			if slices.ContainsFunc(g.Returns, func(back time.Time) bool { return back.After(m.at) && back.Sub(m.at) <= WorkaroundWithin }) {
				m.cameBack++
			}
		}
		p.fixes = append(p.fixes, m)
	}
	for i, f := range findings {
		at := p.seen[i].resolved
		if at.IsZero() || f.Disposition == dera.Exempt {
			continue
		}
		if fixedAt[i].Before(openSince(f, at)) {
			p.closed = append(p.closed, closing{f.Control, ClosedOthers, at, at.Sub(openedAt(f, at))})
		}
	}
	p.pairs = pairsOf(findings, p.fixes)
}

func laterOf(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func closedOf(f Fix) string {
	if f.Auto {
		return ClosedAutomatic
	}
	return ClosedApproved
}

// causedWithin is how long before dera saw a finding an event may be that opened it.
const causedWithin = time.Hour

// openedAt is when a finding that was closed at a moment had been opened: at the authenticated event
// that dera has of it, where that was within the hour before dera saw it.
func openedAt(f dera.Finding, closed time.Time) time.Time {
	since := openSince(f, closed)
	if d := since.Sub(f.LastChange); d >= 0 && d <= causedWithin {
		return f.LastChange
	}
	return since
}

func fixesOf(ctx context.Context, from OverviewStore, state dera.State) ([]Fix, error) {
	if at, ok := from.(FixStore); ok {
		return at.Fixes(ctx, state)
	}
	list, err := from.RemediationsIn(ctx, state)
	return FixesIn(list), err
}

// judged are the changes that were wrong, as denials or what was given back for good show, and those
// that may have been. What another policy denied counts as neither.
func judged(list []dera.Denial, forGood map[string]bool) (wrong, perhaps map[string]bool) {
	wrong, perhaps = map[string]bool{}, map[string]bool{}
	for id := range forGood {
		wrong[id] = true
	}
	for _, d := range list {
		switch d.Cause {
		case dera.CauseRemoved:
			wrong[d.Remediation] = true
		case dera.CauseUnknown:
			perhaps[d.Remediation] = true
		case dera.CauseOther:
		}
	}
	for id := range wrong {
		delete(perhaps, id)
	}
	return wrong, perhaps
}

// ReviewsOverdue raises the alarm that controls are to be reviewed, and ends it.
type ReviewsOverdue struct {
	Controls []control.Control
	Now      func() time.Time
	Alarm    func(ctx context.Context, a dera.Alarm) error
	Ended    func(ctx context.Context, key string) error
}

// reviewsAlarm is the key of that alarm.
const reviewsAlarm = "reviews-overdue"

// Check looks whether the date of a control's review is over.
func (r ReviewsOverdue) Check(ctx context.Context) error {
	var late []string
	for _, c := range reviewsDue(r.Controls, r.Now()) {
		if c.Overdue {
			late = append(late, c.Control+" (by "+c.ReviewBy+")")
		}
	}
	if len(late) == 0 {
		return r.Ended(ctx, reviewsAlarm)
	}
	return r.Alarm(ctx, dera.Alarm{
		Key: reviewsAlarm, Severity: dera.Low, Title: "Controls are to be reviewed: whether they still do good",
		Why: fmt.Sprintf("%s overdue, the longest %s. dera report lists them with their owners; a release of dera brings new dates.", counted(len(late), "review"), late[0]),
	})
}

// reviewsDue are the controls whose review is due within 30 days, the longest overdue first. A date
// that cannot be read is due.
func reviewsDue(list []control.Control, now time.Time) []ReviewDue {
	out := []ReviewDue{}
	for _, c := range list {
		day, err := time.Parse(time.DateOnly, c.ReviewBy)
		end := day.Add(24 * time.Hour) // it is due by the end of that day
		if err == nil && end.Sub(now) > soon {
			continue
		}
		out = append(out, ReviewDue{Control: c.ID, Title: c.Title, Owner: c.Owner, ReviewBy: c.ReviewBy, Overdue: err != nil || !now.Before(end)})
	}
	slices.SortStableFunc(out, func(a, b ReviewDue) int { return strings.Compare(a.ReviewBy, b.ReviewBy) })
	return out
}
