package main

import (
	"context"
	"fmt"
	"strings"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/services"
	"github.com/spf13/cobra"
)

func newShowCommand(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show a finding or a remediation: decision, evidence, timeline",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, list []string) error {
			return a.stored(cmd.Context(), func(ctx context.Context, s *session) error { return a.show(ctx, s, list[0]) })
		},
	}
}

func (a *cli) show(ctx context.Context, s *session, id string) error {
	id, err := s.resolve(ctx, id)
	if err != nil {
		return err
	}
	v, about, err := app.Show(ctx, s.store, id, s.app.orderFlags(), a.now())
	if err != nil {
		return notFound(err)
	}
	if about != nil {
		s.recallOffline(ctx)
		if err := s.explained(ctx, &v, *about); err != nil {
			return err
		}
	}
	if a.json() {
		return a.printJSON(v.Redacted(services.Types()))
	}
	width, _ := terminal(a.out)
	return a.printShown(v, width)
}

// explained says in what is shown since when nothing is known of the finding that it is about, and
// explains that.
func (s *session) explained(ctx context.Context, v *app.Shown, about dera.Finding) error {
	covered, err := s.covered(ctx)
	if err != nil {
		return err
	}
	places, err := s.places(ctx)
	if err != nil {
		return err
	}
	if about.State != dera.FindingResolved && (!covered(about) || places.Misses(about)) {
		v.NotRead = &about.LastSeen
		v.NotReadWhy = fmt.Sprintf("the configuration in force does not have account %s in %s", about.Account, about.Region)
		if covered(about) {
			v.NotReadWhy = "its place could not be read; dera findings says why"
		}
	}
	explained := app.Explain(about, v.Remediation, s.app.now())
	if about.WaitsFor != "" && about.LeftOpen() {
		holder, err := s.store.Remediation(ctx, about.WaitsFor)
		if err != nil {
			return err
		}
		explained = explained.After(holder)
	}
	e := explained.With(s.app.orderFlags())
	v.Explanation = &e
	return nil
}

// printShown writes it for people, in lines of at most width where that is set.
func (a *cli) printShown(v app.Shown, width int) error {
	p := newPaint(a.out)
	if f := v.Finding; f != nil {
		a.printf("%s  %s\n", p.bold(f.ID), f.Title)
		a.printf("  %s, %s, %s, control %s\n", p.severity(f.Severity), p.disposition(f.Disposition), f.State, f.Control)
		a.printf("  %s\n", f.Resource)
		a.printf("  first seen %s, last seen %s\n", app.Stamp(f.FirstSeen), app.Stamp(f.LastSeen))
		if l := f.LastFailure; l != nil {
			a.printf("%s\n", p.colour("1", wrap("its last fix, "+l.Remediation+", "+app.FailureText(*l), "  ", width)))
		}
		if v.NotRead != nil {
			a.printf("  %s\n", p.colour("1", "not read since "+app.Stamp(*v.NotRead)+": "+v.NotReadWhy))
		}
	}
	a.printIncidents(v.Incidents, width)
	a.printDenials(p, v, width)
	a.printAccesses(p, v.Accesses, width)
	if v.Explanation != nil {
		a.printExplanation(p, *v.Explanation, width)
	}
	if f := v.Finding; f != nil {
		a.printf("\n%s\n", p.bold("decision"))
		a.printReasons(p, f.Reasons, width)
	}
	if r := v.Remediation; r != nil {
		a.printRemediation(p, v, v.Finding == nil, width)
		if err := a.printEvidence(p, v.Evidence, width); err != nil {
			return err
		}
		a.printOverwritten(p, *r)
		a.printTimeline(p, *r, v.Intents)
	}
	return nil
}

func (a *cli) printReasons(p paint, reasons []dera.Reason, width int) {
	for _, r := range reasons {
		a.printf("%s\n", wrap(p.disposition(r.Disposition)+" "+r.Guardrail+": "+r.Why, "  ", width))
	}
}

// printLeft lists what stays open after a plan, below its diff.
func (a *cli) printLeft(p paint, left []app.Left, width int) {
	for _, l := range left {
		a.printf("%s\n", p.colour("3", wrap(l.Line(), "  ", width)))
	}
}

// printUndone shows what an undo did, and what it left in place.
func (a *cli) printUndone(p paint, v app.Shown) {
	for _, part := range []struct {
		head  string
		lines []string
	}{{"rolled back by", v.Undone}, {"not undone, since someone else changed it", v.Kept}} {
		if len(part.lines) == 0 {
			continue
		}
		a.printf("\n  %s\n", p.bold(part.head))
		for _, line := range part.lines {
			a.wrapf("    %s\n", p.diff(line))
		}
	}
}

func (a *cli) printRemediation(p paint, v app.Shown, reasons bool, width int) {
	r := *v.Remediation
	a.wrapf("\n%s  %s  %s\n", p.bold("remediation "+r.ID), p.state(r.State), r.Plan.Resource)
	for _, line := range r.Plan.Diff() {
		a.wrapf("  %s\n", p.diff(line))
	}
	a.printLeft(p, v.Left, width)
	a.printf("  digest %s\n", r.Digest)
	a.printUndone(p, v)
	if r.Code != nil {
		a.printf("\n  %s\n", p.bold("as "+r.Code.Language))
		for _, line := range r.Code.Lines {
			a.printf("    %s\n", p.diff(line))
		}
	}
	if reasons {
		a.printReasons(p, r.Decision.Reasons, width)
	}
	if len(r.Interfaces) > 0 {
		a.printf("%s\n", wrap("attached to "+strings.Join(r.Interfaces, ", "), "  ", width))
	}
	for _, n := range r.Notes {
		a.printf("%s\n", p.faint(wrap(n, "  ", width)))
	}
	for _, m := range r.Unexpected {
		a.printf("  %s\n", p.colour("1", "changed: "+m))
	}
	if r.Failure != "" {
		a.printf("%s\n", p.colour("1", wrap(r.Failure, "  ", width)))
	}
}

func (a *cli) printTimeline(p paint, r dera.Remediation, intents []dera.Intent) {
	a.printf("\n%s\n", p.bold("timeline"))
	t := table{head: []string{"TIME", "STEP", "WHAT"}}
	for _, s := range r.Steps {
		t.row(app.Stamp(s.At), p.state(s.State), s.Why)
		if s.State != dera.Applying && s.State != dera.Undoing {
			continue
		}
		for _, i := range intents {
			if i.Undo == (s.State == dera.Undoing) {
				what := fmt.Sprintf("%s: %s", i.Operation, i.State)
				if i.Error != "" {
					what += ": " + i.Error
				}
				t.row(app.Stamp(i.At), "  write", what)
			}
		}
	}
	t.print(a.out)
}
