package main

import (
	"fmt"
	"strings"

	"dera.example/dera"
	"dera.example/dera/app"
)

// scanExit is the scan's exit code: unread places win over open findings and half-done
// work. Open findings count from the severity least on.
func scanExit(r app.ScanReport, least dera.Severity) error {
	switch {
	case len(r.Unreadable) > 0:
		return &exitError{code: exitUndecided}
	case r.OpenFrom(least) > 0, len(r.UnderWay) > 0:
		return &exitError{code: exitNo}
	}
	return nil
}

// shownPlans is how many plans a scan prints; dera findings and dera show have the
// others.
const shownPlans = 20

// printScan writes the report for people: what was found, what could not be read
// or is half-done, the counts, and the first plans with why they were decided so.
func (a *cli) printScan(r app.ScanReport) {
	p := newPaint(a.out)
	if len(r.Findings) > 0 {
		t := scanTable(p, r.Findings)
		t.print(a.out)
		a.printf("\n")
	}
	width, _ := terminal(a.out)
	for _, f := range app.Failures(r.Findings) {
		a.printf("%s\n", wrap(p.colour("1", f.Remediation+" "+app.Plain(app.FailureText(f))), "", width))
	}
	a.printUnread(p, r)
	a.printUnderWay(p, r.UnderWay)
	a.printStops(p, r.Stops)
	a.printSummary(p, r)
	a.printPlans(p, r.Findings)
	var findings []dera.Finding
	for _, f := range r.Findings {
		findings = append(findings, f.Finding)
	}
	a.printPrivileges(p, app.Privileges(findings))
}

// printUnread says what was not read, and why.
func (a *cli) printUnread(p paint, r app.ScanReport) {
	width, _ := terminal(a.out)
	for _, text := range unreadText(r) {
		head, rest, _ := strings.Cut(text, ":")
		a.printf("%s\n", wrap(p.colour("1", head+":")+rest, "", width))
	}
}

// printUnderWay says what was begun and has not ended, and how it goes on.
func (a *cli) printUnderWay(p paint, list []app.UnderWay) {
	width, _ := terminal(a.out)
	for _, u := range list {
		a.printf("%s\n", wrap(fmt.Sprintf("%s %s on %s is %s since %s: %s", p.colour("1", "half-done:"), u.Remediation, u.Resource.Name(), p.state(u.State), app.Stamp(u.Since), app.Plain(u.Why)), "", width))
		a.printf("  continue with: %s\n", u.Command)
	}
}

func (a *cli) printSummary(p paint, r app.ScanReport) {
	s := r.Summary
	open := map[dera.Disposition]int{}
	for _, f := range r.Findings {
		switch f.State {
		case dera.FindingOpen:
			open[f.Disposition]++
		case dera.FindingUnknown, dera.FindingResolved: // counted apart
		}
	}
	unknown := ""
	if s.Unknown > 0 {
		unknown = fmt.Sprintf(", %d unknown", s.Unknown)
	}
	width, _ := terminal(a.out)
	a.printf("%s\n", wrap(fmt.Sprintf("%s: read %d resources in %s, mode %s; open: %d auto, %d review, %d alert, %d exempt%s; %d resolved; %d places not read%s",
		p.bold("summary"), s.Resources, strings.Join(s.Regions, ", "), s.Mode,
		open[dera.Auto], open[dera.Review], open[dera.Alert], open[dera.Exempt], unknown, s.Resolved, s.Unreadable, hiddenText(s.Hidden)), "", width))
	if text := leftOutText(s); text != "" {
		a.printf("%s\n", text)
	}
}

// printPlans writes the first plans, each once, and how many more there are.
func (a *cli) printPlans(p paint, list []app.FindingView) {
	seen := map[string]bool{}
	for _, f := range list {
		if f.Plan == nil || f.Plan.State == dera.Superseded || seen[f.Plan.Remediation] {
			continue
		}
		seen[f.Plan.Remediation] = true
		if len(seen) > shownPlans {
			continue
		}
		if len(seen) == 1 {
			a.printf("\n")
		}
		a.printf("%s  %s  %s\n", p.bold(f.Plan.Remediation), p.state(f.Plan.State), app.Plain(app.ResourceText(f.Finding)))
		a.printPlan(p, f)
	}
	if more := len(seen) - shownPlans; more > 0 {
		a.printf("and %d more: %s\n", more, a.again("findings"))
	}
}
