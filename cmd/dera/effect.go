package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"dera.example/dera/app"
	"dera.example/dera/console"
	"dera.example/dera/services"
)

// effectsOf reads what the effectiveness over any period is made of.
func (s *session) effectsOf(ctx context.Context, from app.OverviewStore, warn func(error)) (app.EffectData, error) {
	removed := s.config.Retention.since(s.app.now())
	kept := removed.Findings
	if removed.Remediations.After(kept) {
		kept = removed.Remediations
	}
	list, unread := s.exemptionEntries(warn)
	return app.Effects{Exemptions: list, ExemptionsUnread: unread, Controls: services.Controls(), KeptSince: kept, Now: s.app.now}.Read(ctx, from)
}

// reportPage writes the report as one file for people.
func (a *cli) reportPage(ctx context.Context, v app.Overview) error {
	return console.WriteReport(ctx, a.out, v, version)
}

// secondsText is how long something took, in words; "-" for nothing.
func secondsText(n *int64) string {
	if n == nil {
		return "-"
	}
	return spanText(time.Duration(*n) * time.Second)
}

// mostRows is how many controls the report names; the JSON has all.
const mostRows = 10

func (a *cli) printEffectiveness(p paint, v app.Effectiveness, width int) {
	a.printf("\n%s\n", p.bold("effectiveness from "+app.Stamp(v.Since)+" until "+app.Stamp(v.Until)))
	if v.KeptSince != nil {
		a.printf("%s\n", wrap("what ended before "+app.Stamp(*v.KeptSince)+" may have been removed for its age: the audit log has it, these figures do not", "", width))
	}
	t := table{head: []string{"CLOSED BY", "FINDINGS", "MEDIAN TIME", "95TH PERCENTILE"}}
	for _, c := range v.Closed {
		t.row(c.By, strconv.Itoa(c.Count), secondsText(c.Median), secondsText(c.P95))
	}
	t.print(a.out)
	for _, line := range app.EffectLines(v) {
		a.printf("%s\n", wrap(line, "  ", width))
	}
	if len(v.Controls) > 0 {
		a.printf("\n")
		t = table{head: []string{"CONTROL", "CLOSED", "AUTOMATIC", "MEDIAN TIME", "95TH PERCENTILE"}}
		for _, c := range v.Controls[:min(len(v.Controls), mostRows)] {
			t.row(c.Control, strconv.Itoa(c.Count), strconv.Itoa(c.Automatic), secondsText(c.Median), secondsText(c.P95))
		}
		t.print(a.out)
		a.andMore(len(v.Controls))
	}
	a.printWorkarounds(p, v.Workarounds, width)
	a.printDue(p, v, width)
}

// andMore says how many rows are left out.
func (a *cli) andMore(n int) {
	if n > mostRows {
		a.printf("  and %d more\n", n-mostRows)
	}
}

func (a *cli) printWorkarounds(p paint, list []app.Workarounds, width int) {
	if len(list) == 0 {
		return
	}
	a.printf("\n%s\n", p.bold("opened again another way within 30 days after a fix"))
	t := table{head: []string{"CONTROL", "FIXES", "SAME ACTOR", "MAY BE", "NOT KNOWN WHO", "SAME FINDING AGAIN"}}
	for _, w := range list[:min(len(list), mostRows)] {
		t.row(w.Control, strconv.Itoa(w.Fixes), strconv.Itoa(w.Same), strconv.Itoa(w.MayBe), strconv.Itoa(w.NotKnown), strconv.Itoa(w.CameBack))
	}
	t.print(a.out)
	a.andMore(len(list))
	for _, w := range list {
		for _, f := range w.Found {
			a.printf("%s\n", wrap(fmt.Sprintf("%s %s on %s by %s (%s), %s after %s", app.Stamp(f.At), f.Finding, f.Resource.Name(), app.Plain(f.Actor), f.Sure, spanText(f.At.Sub(f.Fixed)), f.Remediation), "  ", width))
		}
	}
}

func (a *cli) printDue(p paint, v app.Effectiveness, width int) {
	var lines []string
	for _, x := range v.Exemptions {
		text := "exemption " + x.ID + " of " + x.Owner + " expires on " + x.Expires.UTC().Format(time.DateOnly)
		if x.Overdue {
			text = p.colour("1", "overdue: ") + strings.Replace(text, "expires", "expired", 1)
		}
		lines = append(lines, text+"; open findings that it covers: "+strconv.Itoa(x.Findings))
	}
	for _, r := range v.Reviews[:min(len(v.Reviews), mostRows)] {
		text := "control " + r.Control + " of " + r.Owner + ": review by " + r.ReviewBy
		if r.Overdue {
			text = p.colour("1", "overdue: ") + text
		}
		lines = append(lines, text)
	}
	if n := len(v.Reviews) - mostRows; n > 0 {
		lines = append(lines, fmt.Sprintf("and %d more controls to review", n))
	}
	if v.ExemptionsUnread != "" {
		lines = append(lines, p.colour("1", "not known: ")+"the exemption list cannot be read: "+app.Plain(v.ExemptionsUnread))
	}
	if len(lines) == 0 {
		lines = []string{"no exemption expires and no control is to be reviewed within 30 days"}
	}
	a.printf("\n%s\n", p.bold("due within 30 days"))
	for _, l := range lines {
		a.printf("%s\n", wrap(l, "  ", width))
	}
}
