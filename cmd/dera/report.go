package main

import (
	"fmt"
	"strings"

	"dera.example/dera"
	"dera.example/dera/app"
)

// printStops says for people that nothing is written, and what ends that.
func (a *cli) printStops(p paint, list []dera.Stop) {
	for _, s := range list {
		a.printf("%s; lift it with: %s\n", p.colour("1", stopText(s)), resumeCommand(s))
	}
}

// scanExit is the scan's exit code: unread places win over open findings and half-done
// work.
func scanExit(r app.ScanReport) error {
	switch {
	case len(r.Unreadable) > 0:
		return &exitError{code: exitUndecided}
	case r.Summary.Open > 0, len(r.UnderWay) > 0:
		return &exitError{code: exitNo}
	}
	return nil
}

// printScan writes the report for people: what was found, why it was decided so,
// and the diff of every plan.
func (a *cli) printScan(r app.ScanReport) {
	p := newPaint(a.out)
	t := table{head: []string{"SEVERITY", "DECISION", "STATE", "WHERE", "RESOURCE", "FINDING"}}
	for _, f := range r.Findings {
		t.row(p.severity(f.Severity), p.disposition(f.Disposition), stateCell(p, f), f.Account+" "+f.Region, app.ResourceText(f.Finding), f.Title)
	}
	if len(t.rows) > 0 {
		t.print(a.out)
		a.printf("\n")
	}
	width, _ := terminal(a.out)
	for _, f := range app.Failures(r.Findings) {
		a.printf("%s\n", wrap(p.colour("1", f.Remediation+" "+app.FailureText(f)), "", width))
	}
	seen := map[string]bool{}
	for _, f := range r.Findings {
		if f.Plan == nil || seen[f.Plan.Remediation] {
			continue
		}
		seen[f.Plan.Remediation] = true
		a.printf("%s  %s  %s\n", p.bold(f.Plan.Remediation), p.state(f.Plan.State), app.ResourceText(f.Finding))
		a.printPlan(p, f)
	}
	for _, u := range r.Unreadable {
		a.printf("%s %s %s: %s\n", p.colour("1", "not read:"), u.Account, u.Region, u.Error)
	}
	for _, u := range r.UnderWay {
		a.printf("%s\n", wrap(fmt.Sprintf("%s %s on %s is %s since %s: %s", p.colour("1", "half-done:"), u.Remediation, u.Resource.Name(), p.state(u.State), app.Stamp(u.Since), u.Why), "", width))
		a.printf("  continue with: %s\n", u.Command)
	}
	a.printStops(p, r.Stops)
	s := r.Summary
	open := map[dera.Disposition]int{}
	for _, f := range r.Findings {
		if f.State != dera.FindingResolved {
			open[f.Disposition]++
		}
	}
	a.printf("%s: read %d resources in %s, mode %s; open: %d auto, %d review, %d alert, %d exempt; %d resolved; %d places not read%s\n",
		p.bold("summary"), s.Resources, strings.Join(s.Regions, ", "), s.Mode,
		open[dera.Auto], open[dera.Review], open[dera.Alert], open[dera.Exempt], s.Resolved, s.Unreadable, hiddenText(s.Hidden))
}

// hiddenText says how many findings nobody is shown since their sources are own
// networks.
func hiddenText(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %d hidden by network.allow", n)
}

func (a *cli) printPlan(p paint, f app.FindingView) {
	width, _ := terminal(a.out)
	for _, line := range f.Plan.Diff {
		a.printf("  %s\n", p.diff(line))
	}
	a.printLeft(p, f.Plan.Left, width)
	for _, reason := range app.Decisive(f.Finding) {
		a.printf("%s\n", p.faint(wrap(reason.Guardrail+": "+reason.Why, "  ", width)))
	}
	if f.Plan.Code != nil {
		a.printf("  as %s code: dera show %s\n", f.Plan.Code.Language, f.Plan.Remediation)
	}
	if f.Plan.State == dera.Waiting {
		a.printf("  approve with: %s\n", f.Plan.ApproveCommand())
	}
	if at := f.Plan.NotBefore; f.Plan.State == dera.Ready && !at.IsZero() {
		a.printf("  begins at %s at the earliest\n", app.Stamp(at))
	}
	a.printf("\n")
}

// stateCell is the state of a finding in a table: with what went wrong, what it
// waits for, and since when nobody looked.
func stateCell(p paint, f app.FindingView) string {
	switch {
	case f.NotRead != nil:
		return string(f.State) + ", not read since " + app.Stamp(*f.NotRead)
	case f.LastFailure != nil && f.LastFailure.State == dera.UndoFailed:
		return p.colour("1", string(f.State)+", undo failed")
	case f.LastFailure != nil:
		return p.colour("1", string(f.State)+", fix failed")
	case f.WaitsFor != "":
		return string(f.State) + ", waits for " + f.WaitsFor
	}
	return string(f.State)
}
