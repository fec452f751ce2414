package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
)

// overview shows the state of everything and what a period came to, from the store alone.
func (a *cli) overview(ctx context.Context, s *session, of app.Period) error {
	s.recallOffline(ctx)
	v, err := s.overviewOf(ctx, s.store, func(err error) {
		a.note("dera: warning: the exemption list cannot be read, so that nothing is automatic: %v\n", err)
	})
	if err != nil {
		return err
	}
	data, err := s.effectsOf(ctx, s.store, func(error) {})
	if err != nil {
		return err
	}
	e := data.Over(of)
	v.Effectiveness = &e
	switch a.flags.output {
	case "json":
		return a.printJSON(v)
	case "html":
		return a.reportPage(ctx, v)
	}
	a.printOverview(v)
	return nil
}

// overviewOf makes the overview of what a store holds. An exemption list that cannot be read is warned of.
func (s *session) overviewOf(ctx context.Context, from app.OverviewStore, warn func(error)) (app.Overview, error) {
	covered, err := s.covered(ctx)
	if err != nil {
		return app.Overview{}, err
	}
	begun, err := s.underWay(ctx)
	if err != nil {
		return app.Overview{}, err
	}
	places, err := s.places(ctx)
	if err != nil {
		return app.Overview{}, err
	}
	o := app.Overviews{Places: places, Store: from, Covered: covered, UnderWay: begun, Flags: s.app.orderFlags(), Now: s.app.now}
	o.Exemptions, o.ExemptionsUnread = s.exemptionEntries(warn)
	return o.Make(ctx)
}

// exemptionEntries are those of the list in force. Where it cannot be read that is warned of, and unread
// says why.
func (s *session) exemptionEntries(warn func(error)) (list []dera.Exemption, unread string) {
	path := s.exemptionList()
	if path == "" {
		return nil, ""
	}
	cfg := exemptionConfig()
	cfg.Now = s.app.now()
	entries, err := cfg.Load(path)
	if err != nil {
		warn(err)
		return nil, err.Error()
	}
	return entries.All(), ""
}

// mostWaiting is how many waiting plans the overview names; dera waiting has all.
const mostWaiting = 10

func (a *cli) printOverview(v app.Overview) {
	p := newPaint(a.out)
	width, _ := terminal(a.out)
	t := table{head: []string{"OPEN", "AUTO", "REVIEW", "ALERT", "EXEMPT", "UNKNOWN"}}
	for _, c := range v.Open {
		t.row(p.severity(c.Severity), strconv.Itoa(c.Auto), strconv.Itoa(c.Review), strconv.Itoa(c.Alert), strconv.Itoa(c.Exempt), strconv.Itoa(c.Unknown))
	}
	t.print(a.out)

	a.printf("\n%s\n", p.bold("waiting for a person"))
	if len(v.Waiting) == 0 {
		a.printf("  nothing\n")
	}
	for _, w := range v.Waiting[:min(len(v.Waiting), mostWaiting)] {
		f := dera.Finding{Resource: w.Resource, ResourceName: w.ResourceName}
		a.printf("%s\n", wrap(w.Remediation+" "+p.severity(w.Severity)+" "+expiresCell(p, w, a.now())+" "+app.ResourceText(f)+": "+w.Title, "  ", width))
	}
	if n := len(v.Waiting) - mostWaiting; n > 0 {
		a.printf("  and %d more\n", n)
	}

	a.printf("\n")
	t = table{head: []string{"LAST", "FIXED", "ROLLED BACK", "FAILED", "MEDIAN TIME TO FIX"}}
	for _, d := range v.Done {
		median := "-"
		if d.ToFix != nil {
			median = spanText(time.Duration(*d.ToFix) * time.Second)
		}
		t.row(strconv.Itoa(d.Days)+" days", strconv.Itoa(d.Fixed), strconv.Itoa(d.RolledBack), strconv.Itoa(d.Failed), median)
	}
	t.print(a.out)
	if v.FalsePositives+v.MayBe > 0 {
		a.printf("%s\n", wrap(fmt.Sprintf("false positives: %d, as denials show; %d more that may be", v.FalsePositives, v.MayBe), "", width))
	}
	a.printConcerns(p, v, width)
	if len(v.Accounts) > 0 {
		a.printf("\n")
		t = table{head: []string{"ACCOUNT", "CRITICAL", "HIGH", "OPEN"}}
		for _, c := range v.Accounts {
			t.row(c.Account, strconv.Itoa(c.Critical), strconv.Itoa(c.High), strconv.Itoa(c.Open))
		}
		t.print(a.out)
	}
	if v.Effectiveness != nil {
		a.printEffectiveness(p, *v.Effectiveness, width)
	}
	a.printf("\n%s\n", p.bold("next"))
	for _, w := range v.Next {
		a.printf("  %s\n    %s\n", w.What+":", w.Command)
	}
}

// printConcerns lists what needs attention: expiring exemptions, places that are
// not read, stops, and what is half-done.
func (a *cli) printConcerns(p paint, v app.Overview, width int) {
	var lines []string
	for _, d := range v.Denied {
		lines = append(lines, p.colour("1", "denied after a change: ")+app.Plain(d.What[len(d.What)-1])+"; all of it: dera show "+d.Remediation+"; was it dera: "+d.Ask+backText(d.GiveBack)+"; undo the whole change with: "+d.Command+"; all that was changed lately: "+d.UndoAll)
	}
	for _, x := range v.Expiring {
		text := "exemption " + x.ID + " of " + x.Owner + " expires on " + x.Expires.UTC().Format(time.DateOnly)
		if x.Expires.Before(v.At) {
			text = strings.Replace(text, "expires on", "expired on", 1)
		}
		lines = append(lines, text+"; open findings that it covers: "+strconv.Itoa(x.Findings))
	}
	for _, n := range v.NotRead {
		lines = append(lines, "not read since "+app.Stamp(n.Since)+": account "+n.Account+" "+n.Region+", open findings: "+strconv.Itoa(n.Findings))
	}
	lines = append(lines, unreadText(app.ScanReport{Unreadable: v.Unreadable, NothingRead: v.NothingRead})...)
	for _, s := range v.Stops {
		lines = append(lines, p.colour("1", stopText(s))+"; lift it with: "+a.resumeCommand(s))
	}
	for _, u := range v.UnderWay {
		lines = append(lines, p.colour("1", "half-done: ")+u.Remediation+" on "+u.Resource.Name()+" is "+p.state(u.State)+" since "+app.Stamp(u.Since)+": "+u.Why)
	}
	if len(lines) == 0 {
		return
	}
	a.printf("\n%s\n", p.bold("attention"))
	for _, l := range lines {
		a.printf("%s\n", wrap(l, "  ", width))
	}
}
