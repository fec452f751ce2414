package main

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
)

// replayExit is the exit code: what could not be read, followed or judged in full wins
// over findings, and a recording of nothing shows nothing.
func replayExit(r app.ReplayReport) error {
	partly := len(r.PartlyKnown) > 0 || slices.ContainsFunc(r.Findings, func(f app.ReplayedFinding) bool { return f.PartlyKnown != "" })
	switch {
	case r.AWS != nil && !r.AWS.Whole():
		return &exitError{code: exitUndecided}
	case r.AWS == nil && r.Summary.Events.Read == 0:
		return &exitError{exitUndecided, errors.New("no event was read")}
	case partly, len(r.Unreadable)+len(r.Unfollowed) > 0, r.IAM != nil && r.IAM.Summary.Unknown+r.IAM.Summary.Unfollowed > 0:
		return &exitError{code: exitUndecided}
	case r.IAM != nil && r.IAM.Summary.Plans+r.IAM.Summary.Waiting > 0:
		return &exitError{code: exitNo}
	case slices.ContainsFunc(r.Findings, func(f app.ReplayedFinding) bool { return f.Disposition != dera.Exempt }):
		return &exitError{code: exitNo}
	}
	return nil
}

// printReplay writes the report for people.
func (a *cli) printReplay(r app.ReplayReport) {
	p := newPaint(a.out)
	for _, f := range r.Findings {
		a.wrapf("%s  %s  %s  %s %s  %s\n", app.Stamp(f.AppearedAt), p.severity(f.Severity), p.disposition(f.Disposition), f.Account, f.Region, p.bold(f.Title))
		a.printReplayed(p, f)
	}
	for _, k := range r.PartlyKnown {
		a.wrapf("%s %s: %s\n", p.colour("3", "partly known"), k.Resource, k.Why)
	}
	for _, u := range r.Unfollowed {
		a.wrapf("%s %s: %s\n", p.colour("3", "not followed"), u.Position, u.Why)
	}
	for _, u := range r.Unreadable {
		a.wrapf("%s %s: %s\n", p.colour("1", "not read"), u.Position, u.Why)
	}
	for _, f := range r.LeftOut {
		a.wrapf("left out %s: %s\n", f.File, f.Why)
	}
	if r.IAM != nil {
		a.printNarrowed(p, *r.IAM)
	}
	if r.AWS != nil {
		a.printPast(p, *r.AWS)
	}
	s := r.Summary
	if s.LeftOut > 0 {
		a.wrapf("%d files left out, which hold no events of CloudTrail\n", s.LeftOut)
	}
	a.wrapf("%s: %d events read, %d of them hints, %d failed calls, %d duplicates, %d of other accounts or regions, %d not read, %d not followed\n",
		p.bold("events"), s.Events.Read, s.Events.Hinted, s.Events.Failed, s.Events.Duplicate, s.Events.Foreign, s.Events.Unreadable, s.Unfollowed)
	d := s.Dispositions
	a.wrapf("%s: %d findings: %d auto, %d review, %d alert, %d exempt; %d were resolved by others, %d are open at the end; %d resources partly known\n",
		p.bold("summary"), s.Findings, d["auto"], d["review"], d["alert"], d["exempt"], s.Resolved, s.Open, s.PartlyKnown)
	if d["auto"] > 0 {
		a.wrapf("what dera would have fixed automatically was open for %s (median), %s in all\n", span(s.AutoOpenMedian), span(s.AutoOpenSeconds))
	}
}

// unknownPrincipal is who made a call whose event has no identity: that is nobody
// in particular, and not the root user.
const unknownPrincipal = "an unknown principal (the event has no identity)"

func (a *cli) printReplayed(p paint, f app.ReplayedFinding) {
	width, _ := terminal(a.out)
	name := f.Resource.Name()
	if f.ResourceName != "" && f.ResourceName != name {
		name += " (" + f.ResourceName + ")"
	}
	a.wrapf("  %s; caused by %s of %s\n", name, f.CausedBy.Event, cmp.Or(f.CausedBy.Actor, unknownPrincipal))
	for _, line := range f.Diff {
		a.wrapf("  %s\n", p.diff(line))
	}
	for _, reason := range app.Decisive(dera.Finding{Reasons: f.Reasons}) {
		a.wrapf("%s\n", p.faint(wrap(reason.Guardrail+": "+reason.Why, "  ", width)))
	}
	for _, line := range f.Later.Lines() {
		a.wrapf("%s\n", wrap(line, "  ", width))
	}
	if f.PartlyKnown != "" {
		a.wrapf("%s\n", p.faint(wrap("partly known: "+f.PartlyKnown, "  ", width)))
	}
	switch {
	case f.ResolvedAt == nil:
		a.wrapf("  still open after %s\n\n", span(f.OpenSeconds))
	case f.ResolvedSure:
		a.wrapf("  resolved after %s: %s of %s\n\n", span(f.OpenSeconds), f.ResolvedBy.Event, cmp.Or(f.ResolvedBy.Actor, unknownPrincipal))
	default:
		a.wrapf("  resolved after %s, as far as the events show: %s of %s\n\n", span(f.OpenSeconds), f.ResolvedBy.Event, cmp.Or(f.ResolvedBy.Actor, unknownPrincipal))
	}
}

// span is a number of seconds for people.
func span(seconds int64) string { return (time.Duration(seconds) * time.Second).String() }
