package main

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
)

// episode is one time that a finding was open.
type episode struct {
	finding  dera.Finding // as it was decided when it appeared
	from, to time.Time
	cause    cause
	by       *cause // who took it back
	sure     bool   // that it was taken back
	partly   string // what was not known of the resource when it appeared
}

// cause is the event that made a finding appear or go.
type cause struct {
	Event     string `json:"event"`
	ID        string `json:"id,omitempty"`
	Actor     string `json:"actor,omitempty"`
	UserAgent string `json:"user_agent,omitempty"`
}

// unfollowed is an event that changed something that the state does not hold.
type unfollowed struct {
	Position string    `json:"position"`
	Time     time.Time `json:"time"`
	ID       string    `json:"id,omitempty"`
	Why      string    `json:"why"`
}

// replayReport is what dera replay prints with --output json; docs/cli.md
// describes it.
type replayReport struct {
	Findings    []replayedFinding `json:"findings"`
	PartlyKnown []partlyKnown     `json:"partly_known,omitempty"`
	Unreadable  []unreadableLine  `json:"unreadable,omitempty"`
	Unfollowed  []unfollowed      `json:"unfollowed,omitempty"`
	// LeftOut are files of folders that hold no events of CloudTrail.
	LeftOut []cloudtrail.Unread `json:"left_out,omitempty"`
	Summary replaySummary       `json:"summary"`
}

// replayedFinding is a finding with what dera would have done and what happened.
type replayedFinding struct {
	Finding      string           `json:"finding"`
	Control      string           `json:"control"`
	Account      string           `json:"account"`
	Region       string           `json:"region"`
	Resource     dera.ARN         `json:"resource"`
	ResourceType string           `json:"resource_type"`
	ResourceName string           `json:"resource_name,omitempty"`
	Key          string           `json:"key"`
	Severity     dera.Severity    `json:"severity"`
	Title        string           `json:"title"`
	Why          string           `json:"why"`
	Disposition  dera.Disposition `json:"disposition"`
	Reasons      []dera.Reason    `json:"reasons"`
	Owner        string           `json:"owner,omitempty"`
	OwnerSource  string           `json:"owner_source,omitempty"`
	Diff         []string         `json:"diff,omitempty"`
	PartlyKnown  string           `json:"partly_known,omitempty"`
	AppearedAt   time.Time        `json:"appeared_at"`
	CausedBy     cause            `json:"caused_by"`
	// GoneAt is when an event took it back; GoneSure is false where other things
	// that no event tells may still cause it.
	GoneAt   *time.Time `json:"gone_at,omitempty"`
	GoneBy   *cause     `json:"gone_by,omitempty"`
	GoneSure bool       `json:"gone_sure,omitempty"`
	// OpenSeconds is until it was gone, or until the last event.
	OpenSeconds int64 `json:"open_seconds"`
}

// partlyKnown is a resource of which the events tell a part only.
type partlyKnown struct {
	Account  string   `json:"account"`
	Region   string   `json:"region"`
	Resource dera.ARN `json:"resource"`
	Why      string   `json:"why"`
	Unknown  []string `json:"unknown"` // controls that could not be judged
}

type replaySummary struct {
	From         time.Time      `json:"from,omitzero"`
	To           time.Time      `json:"to,omitzero"`
	Events       replayCounts   `json:"events"`
	Unfollowed   int            `json:"unfollowed"`
	LeftOut      int            `json:"left_out"`
	Accounts     []string       `json:"accounts"`
	Regions      []string       `json:"regions"`
	Findings     int            `json:"findings"`
	Dispositions map[string]int `json:"dispositions"`
	Gone         int            `json:"gone"`
	Open         int            `json:"open"`
	// AutoOpenSeconds is how long what dera would have fixed by itself was open.
	// The median is that of single findings.
	AutoOpenSeconds int64 `json:"auto_open_seconds"`
	AutoOpenMedian  int64 `json:"auto_open_median_seconds"`
	PartlyKnown     int   `json:"partly_known"`
}

// report gathers what the run saw.
func (p *replaying) report(ctx context.Context, rec recording) (replayReport, error) {
	s := replaySummary{
		Events: rec.counts, Unfollowed: p.lost, Accounts: []string{}, Regions: rec.regions, Findings: len(p.episodes),
		Dispositions: map[string]int{"auto": 0, "review": 0, "alert": 0, "exempt": 0},
	}
	for _, acct := range rec.accounts {
		s.Accounts = append(s.Accounts, acct.ID)
	}
	if n := len(rec.events); n > 0 {
		s.From, s.To = rec.events[0].Time, rec.events[n-1].Time
	}
	s.LeftOut = rec.leftFiles
	r := replayReport{Findings: []replayedFinding{}, Unreadable: append(rec.unreadable, p.unread...), Unfollowed: p.unfollowed, LeftOut: rec.leftOut}
	var auto []int64
	for _, e := range p.episodes {
		v, err := p.view(ctx, e, s.To)
		if err != nil {
			return r, err
		}
		s.Dispositions[v.Disposition.String()]++
		if v.GoneAt != nil {
			s.Gone++
		} else if v.Disposition != dera.Exempt {
			s.Open++
		}
		if v.Disposition == dera.Auto {
			s.AutoOpenSeconds += v.OpenSeconds
			auto = append(auto, v.OpenSeconds)
		}
		r.Findings = append(r.Findings, v)
	}
	if slices.Sort(auto); len(auto) > 0 {
		s.AutoOpenMedian = auto[len(auto)/2]
	}
	var err error
	r.PartlyKnown, err = p.partlyKnown(ctx)
	s.PartlyKnown = len(r.PartlyKnown)
	r.Summary = s
	return r, err
}

func (p *replaying) view(ctx context.Context, e *episode, end time.Time) (replayedFinding, error) {
	f := e.finding
	v := replayedFinding{
		Finding: f.ID, Control: f.Control, Account: f.Account, Region: f.Region, Resource: f.Resource, ResourceType: f.ResourceType,
		ResourceName: f.ResourceName, Key: f.Key, Severity: f.Severity, Title: f.Title, Why: f.Why, Disposition: f.Disposition,
		Reasons: f.Reasons, AppearedAt: e.from, CausedBy: e.cause, PartlyKnown: e.partly,
		Owner: f.Owner, OwnerSource: f.OwnerSource,
	}
	if f.Remediation != "" {
		rem, err := p.session.store.Remediation(ctx, f.Remediation)
		if err != nil {
			return v, err
		}
		v.Diff = rem.Plan.Diff()
	}
	if e.by != nil {
		v.GoneAt, v.GoneBy, v.GoneSure, end = &e.to, e.by, e.sure, e.to
	}
	v.OpenSeconds = int64(end.Sub(e.from).Seconds())
	return v, nil
}

// partlyKnown lists the resources that could not be judged in full, as they
// stand after the last event.
func (p *replaying) partlyKnown(ctx context.Context) ([]partlyKnown, error) {
	all, err := p.session.store.Findings(ctx)
	if err != nil {
		return nil, err
	}
	found := map[string]*partlyKnown{}
	for _, f := range all {
		if f.State != dera.FindingUnknown {
			continue
		}
		v := found[f.ResourceKey()]
		if v == nil {
			why := strings.TrimSuffix(strings.TrimPrefix(f.Why, "It could not be judged, because "), ".")
			v = &partlyKnown{Account: f.Account, Region: f.Region, Resource: f.Resource, Why: why}
			found[f.ResourceKey()] = v
		}
		v.Unknown = append(v.Unknown, f.Control)
	}
	var out []partlyKnown
	for _, key := range slices.Sorted(maps.Keys(found)) {
		slices.Sort(found[key].Unknown)
		out = append(out, *found[key])
	}
	return out, nil
}

// exit is the exit code: what could not be read, followed or judged in full wins
// over findings, and a recording of nothing shows nothing.
func (r replayReport) exit() error {
	partly := len(r.PartlyKnown) > 0 || slices.ContainsFunc(r.Findings, func(f replayedFinding) bool { return f.PartlyKnown != "" })
	switch {
	case r.Summary.Events.Read == 0:
		return &exitError{exitUndecided, errors.New("no event was read")}
	case partly, len(r.Unreadable)+len(r.Unfollowed) > 0:
		return &exitError{code: exitUndecided}
	case slices.ContainsFunc(r.Findings, func(f replayedFinding) bool { return f.Disposition != dera.Exempt }):
		return &exitError{code: exitNo}
	}
	return nil
}

// printReplay writes the report for people.
func (a *app) printReplay(r replayReport) {
	p := newPaint(a.out)
	for _, f := range r.Findings {
		a.printf("%s  %s  %s  %s %s  %s\n", stamp(f.AppearedAt), p.severity(f.Severity), p.disposition(f.Disposition), f.Account, f.Region, p.bold(f.Title))
		a.printReplayed(p, f)
	}
	for _, k := range r.PartlyKnown {
		a.printf("%s %s: %s\n", p.colour("3", "partly known"), k.Resource, k.Why)
	}
	for _, u := range r.Unfollowed {
		a.printf("%s %s: %s\n", p.colour("3", "not followed"), u.Position, u.Why)
	}
	for _, u := range r.Unreadable {
		a.printf("%s %s: %s\n", p.colour("1", "not read"), u.Position, u.Why)
	}
	for _, f := range r.LeftOut {
		a.printf("left out %s: %s\n", f.File, f.Why)
	}
	s := r.Summary
	if s.LeftOut > 0 {
		a.printf("%d files left out, which hold no events of CloudTrail\n", s.LeftOut)
	}
	a.printf("%s: %d events read, %d of them hints, %d failed calls, %d duplicates, %d of other accounts or regions, %d not read, %d not followed\n",
		p.bold("events"), s.Events.Read, s.Events.Hinted, s.Events.Failed, s.Events.Duplicate, s.Events.Foreign, s.Events.Unreadable, s.Unfollowed)
	d := s.Dispositions
	a.printf("%s: %d findings: %d auto, %d review, %d alert, %d exempt; %d were taken back by others, %d are open at the end; %d resources partly known\n",
		p.bold("summary"), s.Findings, d["auto"], d["review"], d["alert"], d["exempt"], s.Gone, s.Open, s.PartlyKnown)
	if d["auto"] > 0 {
		a.printf("what dera would have fixed by itself was open for %s (median), %s in all\n", span(s.AutoOpenMedian), span(s.AutoOpenSeconds))
	}
}

// unknownPrincipal is who made a call whose event has no identity: that is nobody
// in particular, and not the root user.
const unknownPrincipal = "an unknown principal (the event has no identity)"

func (a *app) printReplayed(p paint, f replayedFinding) {
	width, _ := terminal(a.out)
	name := f.Resource.Name()
	if f.ResourceName != "" && f.ResourceName != name {
		name += " (" + f.ResourceName + ")"
	}
	a.printf("  %s; caused by %s of %s\n", name, f.CausedBy.Event, cmp.Or(f.CausedBy.Actor, unknownPrincipal))
	for _, line := range f.Diff {
		a.printf("  %s\n", p.diff(line))
	}
	for _, reason := range decisive(dera.Finding{Reasons: f.Reasons}) {
		a.printf("%s\n", p.faint(wrap(reason.Guardrail+": "+reason.Why, "  ", width)))
	}
	if f.PartlyKnown != "" {
		a.printf("%s\n", p.faint(wrap("partly known: "+f.PartlyKnown, "  ", width)))
	}
	switch {
	case f.GoneAt == nil:
		a.printf("  still there after %s\n\n", span(f.OpenSeconds))
	case f.GoneSure:
		a.printf("  gone after %s: %s of %s\n\n", span(f.OpenSeconds), f.GoneBy.Event, cmp.Or(f.GoneBy.Actor, unknownPrincipal))
	default:
		a.printf("  taken back after %s, as far as the events tell: %s of %s\n\n", span(f.OpenSeconds), f.GoneBy.Event, cmp.Or(f.GoneBy.Actor, unknownPrincipal))
	}
}

// span is a number of seconds for people.
func span(seconds int64) string { return (time.Duration(seconds) * time.Second).String() }
