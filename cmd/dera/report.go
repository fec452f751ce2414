package main

import (
	"fmt"

	"dera.example/dera"
	"dera.example/dera/app"
)

// printStops says for people that nothing is written, and what ends that.
func (a *cli) printStops(p paint, list []dera.Stop) {
	for _, s := range list {
		a.printf("%s; lift it with: %s\n", p.colour("1", stopText(s)), a.resumeCommand(s))
	}
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
		a.wrapf("  %s\n", p.diff(line))
	}
	if f.Plan.Recorded != "" {
		a.printf("%s\n", wrap("recorded: "+f.Plan.Recorded, "  ", width))
	}
	a.printLeft(p, f.Plan.Left, width)
	for _, reason := range app.Decisive(f.Finding) {
		a.printf("%s\n", p.faint(wrap(reason.Guardrail+": "+reason.Why, "  ", width)))
	}
	if f.Plan.Code != nil {
		a.printf("  as %s code: %s\n", f.Plan.Code.Language, a.again("show %s", f.Plan.Remediation))
	}
	if f.Plan.State == dera.Waiting {
		a.printf("  approve with: %s\n", f.Plan.ApproveCommand()+a.orderFlags())
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
