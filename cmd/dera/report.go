package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
)

// scanReport is what dera scan prints with --output json; docs/cli.md describes it.
type scanReport struct {
	Findings   []findingView `json:"findings"`
	Unreadable []unreadable  `json:"unreadable,omitempty"`
	UnderWay   []underWay    `json:"under_way,omitempty"` // half-done, with the command that goes on
	// Stops are those that hold.
	Stops   []dera.Stop `json:"stops,omitempty"`
	Summary scanSummary `json:"summary"`
}

// findingView is a finding with the plan that would remove it.
type findingView struct {
	dera.Finding
	Plan *planView `json:"plan,omitempty"`
	// NotRead is since when nothing is known of it: its place could not be read, or
	// left the configuration.
	NotRead *time.Time `json:"not_read_since,omitempty"`
	// Stop is one that covers it: nothing is written.
	Stop *dera.Stop `json:"stopped,omitempty"`
}

// stopped notes the stops that hold, with the findings that they cover too.
func (r *scanReport) stopped(list []dera.Stop) {
	r.Stops = list
	for i := range r.Findings {
		f := &r.Findings[i]
		if j := slices.IndexFunc(list, func(s dera.Stop) bool { return s.Covers(f.Account, f.Control) }); j >= 0 {
			f.Stop = &list[j]
		}
	}
}

// printStops says for people that nothing is written, and what ends that.
func (a *app) printStops(p paint, list []dera.Stop) {
	for _, s := range list {
		a.printf("%s; %s takes it away\n", p.colour("1", stopText(s)), resumeCommand(s))
	}
}

type planView struct {
	Remediation string     `json:"remediation"`
	State       dera.State `json:"state"`
	Digest      string     `json:"digest"`
	Diff        []string   `json:"diff"`
	Failure     string     `json:"failure,omitempty"`
	NotBefore   time.Time  `json:"not_before,omitzero"` // when it may begin
	// Code is the plan for the owner's infrastructure as code.
	Code *dera.CodeDiff `json:"iac_diff,omitempty"`
}

func viewPlan(r dera.Remediation) *planView {
	return &planView{Remediation: r.ID, State: r.State, Digest: r.Digest, Diff: r.Plan.Diff(), Failure: r.Failure, NotBefore: r.NotBefore, Code: r.Code}
}

type scanSummary struct {
	Mode         string         `json:"mode"`
	Accounts     []string       `json:"accounts"`
	Regions      []string       `json:"regions"`
	Resources    int            `json:"resources"`
	Findings     int            `json:"findings"`
	Open         int            `json:"open"`
	Resolved     int            `json:"resolved"`
	Unknown      int            `json:"unknown"`
	Unreadable   int            `json:"unreadable"`
	Hidden       int            `json:"hidden_by_allow"`
	Dispositions map[string]int `json:"dispositions"`
}

func summarize(r scanReport) scanSummary {
	s := scanSummary{Findings: len(r.Findings), Unreadable: len(r.Unreadable), Dispositions: map[string]int{"auto": 0, "review": 0, "alert": 0, "exempt": 0}}
	for _, f := range r.Findings {
		s.Dispositions[f.Disposition.String()]++
		switch {
		case f.State == dera.FindingResolved:
			s.Resolved++
		case f.LeftOpen():
			s.Open++
		}
		if f.State == dera.FindingUnknown {
			s.Unknown++
		}
	}
	return s
}

// exit is the scan's exit code: unread places win over open findings and half-done
// work.
func (r scanReport) exit() error {
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
func (a *app) printScan(r scanReport) {
	p := newPaint(a.out)
	t := table{head: []string{"SEVERITY", "DECISION", "STATE", "WHERE", "RESOURCE", "FINDING"}}
	for _, f := range r.Findings {
		t.row(p.severity(f.Severity), p.disposition(f.Disposition), f.stateCell(p), f.Account+" "+f.Region, resourceText(f.Finding), f.Title)
	}
	if len(t.rows) > 0 {
		t.print(a.out)
		a.printf("\n")
	}
	width, _ := terminal(a.out)
	for _, f := range failures(r.Findings) {
		a.printf("%s\n", wrap(p.colour("1", f.Remediation+" "+failureText(f)), "", width))
	}
	seen := map[string]bool{}
	for _, f := range r.Findings {
		if f.Plan == nil || seen[f.Plan.Remediation] {
			continue
		}
		seen[f.Plan.Remediation] = true
		a.printf("%s  %s  %s\n", p.bold(f.Plan.Remediation), p.state(f.Plan.State), resourceText(f.Finding))
		a.printPlan(p, f)
	}
	for _, u := range r.Unreadable {
		a.printf("%s %s %s: %s\n", p.colour("1", "not read:"), u.Account, u.Region, u.Error)
	}
	for _, u := range r.UnderWay {
		a.printf("%s\n", wrap(fmt.Sprintf("%s %s on %s is %s since %s: %s", p.colour("1", "half-done:"), u.Remediation, u.Resource.Name(), p.state(u.State), stamp(u.Since), u.Why), "", width))
		a.printf("  go on with: %s\n", u.Command)
	}
	a.printStops(p, r.Stops)
	s := r.Summary
	open := map[dera.Disposition]int{}
	for _, f := range r.Findings {
		if f.State != dera.FindingResolved {
			open[f.Disposition]++
		}
	}
	a.printf("%s: looked at %d resources in %s, mode %s; left: %d auto, %d review, %d alert, %d exempt; %d resolved; %d places not read%s\n",
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

func (a *app) printPlan(p paint, f findingView) {
	width, _ := terminal(a.out)
	for _, line := range f.Plan.Diff {
		a.printf("  %s\n", p.diff(line))
	}
	for _, reason := range decisive(f.Finding) {
		a.printf("%s\n", p.faint(wrap(reason.Guardrail+": "+reason.Why, "  ", width)))
	}
	if f.Plan.Code != nil {
		a.printf("  as %s code: dera show %s\n", f.Plan.Code.Language, f.Plan.Remediation)
	}
	if f.Plan.State == dera.Waiting {
		a.printf("  approve with: dera approve %s --digest %s\n", f.Plan.Remediation, f.Plan.Digest)
	}
	if at := f.Plan.NotBefore; f.Plan.State == dera.Ready && !at.IsZero() {
		a.printf("  begins at %s at the earliest\n", stamp(at))
	}
	a.printf("\n")
}

// stateCell is the state of a finding in a table: with what went wrong, what it
// waits for, and since when nobody looked.
func (f findingView) stateCell(p paint) string {
	switch {
	case f.NotRead != nil:
		return string(f.State) + ", not read since " + stamp(*f.NotRead)
	case f.LastFailure != nil && f.LastFailure.State == dera.UndoFailed:
		return p.colour("1", string(f.State)+", undo failed")
	case f.LastFailure != nil:
		return p.colour("1", string(f.State)+", fix failed")
	case f.WaitsFor != "":
		return string(f.State) + ", waits for " + f.WaitsFor
	}
	return string(f.State)
}

// failures are the fixes that failed, each once.
func failures(list []findingView) []dera.FixFailure {
	var out []dera.FixFailure
	for _, f := range list {
		if l := f.LastFailure; l != nil && !slices.ContainsFunc(out, func(o dera.FixFailure) bool { return o.Remediation == l.Remediation }) {
			out = append(out, *l)
		}
	}
	return out
}

func failureText(f dera.FixFailure) string {
	if f.State == dera.UndoFailed {
		return "failed at " + stamp(f.At) + ", and so did its undo: " + f.Why
	}
	return "failed at " + stamp(f.At) + ", nothing of it is in effect: " + f.Why
}

// decisive are the reasons that made the decision what it is.
func decisive(f dera.Finding) []dera.Reason {
	var out []dera.Reason
	for _, r := range f.Reasons {
		if r.Guardrail == "control" || r.Disposition > dera.Auto {
			out = append(out, r)
		}
	}
	return slices.CompactFunc(out, func(a, b dera.Reason) bool { return a.Guardrail == b.Guardrail && a.Why == b.Why })
}

func resourceText(f dera.Finding) string {
	if f.ResourceName == "" || f.ResourceName == f.Resource.Name() {
		return f.Resource.Name()
	}
	return fmt.Sprintf("%s (%s)", f.Resource.Name(), f.ResourceName)
}
