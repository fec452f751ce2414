package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource/document"
	"dera.example/dera/services"
	"dera.example/dera/store"
	"github.com/spf13/cobra"
)

func newShowCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show a finding or a remediation: decision, evidence, diff and timeline",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, list []string) error {
			return a.stored(cmd.Context(), func(ctx context.Context, s *session) error { return a.show(ctx, s, list[0]) })
		},
	}
}

// shown is what dera show prints with --output json.
type shown struct {
	Finding     *dera.Finding     `json:"finding,omitempty"`
	Remediation *dera.Remediation `json:"remediation,omitempty"`
	Intents     []dera.Intent     `json:"intents,omitempty"`
	Evidence    json.RawMessage   `json:"evidence,omitempty"`
	// Explanation is for whoever owns the resource.
	Explanation *explanation `json:"explanation,omitempty"`
	// NotRead is since when nothing is known of the finding: its account or region
	// left the configuration.
	NotRead *time.Time `json:"not_read_since,omitempty"`
}

// redacted leaves out what can be a secret: inputs of the plan, and the
// configurations on its way, which hold whole policies.
func (v shown) redacted() shown {
	if v.Remediation != nil {
		r := *v.Remediation
		var hide document.Redactor
		r.Plan, r.Way, r.OverwroteDocument = services.Types().Shown(r.Plan), nil, hide.Text(r.OverwroteDocument)
		v.Remediation = &r
	}
	return v
}

func (a *app) show(ctx context.Context, s *session, id string) error {
	var v shown
	remediation := id
	if strings.HasPrefix(id, "f-") {
		f, err := s.store.Finding(ctx, id)
		if err != nil {
			return notFound(err)
		}
		v.Finding, remediation = &f, f.Remediation
	}
	if remediation != "" {
		r, err := s.store.Remediation(ctx, remediation)
		if err != nil {
			return notFound(err)
		}
		v.Remediation = &r
		if v.Intents, err = s.store.Intents(ctx, remediation); err != nil {
			return err
		}
		if r.Evidence != "" {
			if v.Evidence, err = s.store.Evidence(ctx, r.Evidence); err != nil {
				return err
			}
		}
	}
	about := v.Finding
	if about == nil && v.Remediation != nil && len(v.Remediation.Findings) > 0 {
		f, err := s.store.Finding(ctx, v.Remediation.Findings[0])
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err == nil {
			about = &f
		}
	}
	if about != nil {
		s.recallOffline(ctx)
		covered, err := s.covered(ctx)
		if err != nil {
			return err
		}
		if about.State != dera.FindingResolved && !covered(*about) {
			v.NotRead = &about.LastSeen
		}
		e := explain(*about, v.Remediation, a.now()).with(s.orderFlags())
		v.Explanation = &e
	}
	if a.json() {
		return a.printJSON(v.redacted())
	}
	width, _ := terminal(a.out)
	return a.printShown(v, width)
}

// printShown writes it for people, in lines of at most width where that is set.
func (a *app) printShown(v shown, width int) error {
	p := newPaint(a.out)
	if f := v.Finding; f != nil {
		a.printf("%s  %s\n", p.bold(f.ID), f.Title)
		a.printf("  %s, %s, %s, control %s\n", p.severity(f.Severity), p.disposition(f.Disposition), f.State, f.Control)
		a.printf("  %s\n", f.Resource)
		a.printf("  first seen %s, last seen %s\n", stamp(f.FirstSeen), stamp(f.LastSeen))
		if l := f.LastFailure; l != nil {
			a.printf("%s\n", p.colour("1", wrap("its last fix, "+l.Remediation+", "+failureText(*l), "  ", width)))
		}
		if v.NotRead != nil {
			a.printf("  %s\n", p.colour("1", fmt.Sprintf("not read since %s: the configuration in force does not have account %s in %s", stamp(*v.NotRead), f.Account, f.Region)))
		}
	}
	if v.Explanation != nil {
		a.printExplanation(p, *v.Explanation, width)
	}
	if f := v.Finding; f != nil {
		a.printf("\n%s\n", p.bold("decision"))
		a.printReasons(p, f.Reasons, width)
	}
	if r := v.Remediation; r != nil {
		a.printRemediation(p, *r, v.Finding == nil, width)
		if err := a.printEvidence(p, v.Evidence, width); err != nil {
			return err
		}
		a.printOverwritten(p, *r)
		a.printTimeline(p, *r, v.Intents)
	}
	return nil
}

func (a *app) printReasons(p paint, reasons []dera.Reason, width int) {
	for _, r := range reasons {
		a.printf("%s\n", wrap(p.disposition(r.Disposition)+" "+r.Guardrail+": "+r.Why, "  ", width))
	}
}

func (a *app) printRemediation(p paint, r dera.Remediation, reasons bool, width int) {
	a.printf("\n%s  %s  %s\n", p.bold("remediation "+r.ID), p.state(r.State), r.Plan.Resource)
	for _, line := range r.Plan.Diff() {
		a.printf("  %s\n", p.diff(line))
	}
	a.printf("  digest %s\n", r.Digest)
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
	for _, m := range r.Moved {
		a.printf("  %s\n", p.colour("1", "moved: "+m))
	}
	if r.Failure != "" {
		a.printf("%s\n", p.colour("1", wrap(r.Failure, "  ", width)))
	}
}

func (a *app) printTimeline(p paint, r dera.Remediation, intents []dera.Intent) {
	a.printf("\n%s\n", p.bold("timeline"))
	t := table{head: []string{"TIME", "STEP", "WHAT"}}
	for _, s := range r.Steps {
		t.row(stamp(s.At), p.state(s.State), s.Why)
		if s.State != dera.Applying && s.State != dera.Undoing {
			continue
		}
		for _, i := range intents {
			if i.Undo == (s.State == dera.Undoing) {
				what := fmt.Sprintf("%s: %s", i.Operation, i.State)
				if i.Error != "" {
					what += ": " + i.Error
				}
				t.row(stamp(i.At), "  write", what)
			}
		}
	}
	t.print(a.out)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }
