package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dera"
	"dera/resource"
	"dera/store"
)

func newFindingsCommand(a *app) *cobra.Command {
	var all, events bool
	cmd := &cobra.Command{
		Use:   "findings",
		Short: "List the findings that are open",
		Long:  "findings lists what is left open, the worst first.\n\nExit codes: 0 nothing left open, 3 findings open.",
		Args:  args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.stored(cmd.Context(), func(ctx context.Context, s *session) error {
				if events {
					return a.keptEvents(ctx, s)
				}
				return a.findings(ctx, s, all)
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "resolved ones too")
	cmd.Flags().BoolVar(&events, "events", false, "instead: how many events came, and those that could not be read")
	return cmd
}

// stored runs f on the store alone, without a word to AWS.
func (a *app) stored(ctx context.Context, f func(context.Context, *session) error) (err error) {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.store.Close()) }()
	return f(ctx, s)
}

func (a *app) findings(ctx context.Context, s *session, all bool) error {
	list, err := s.store.Findings(ctx)
	if err != nil {
		return err
	}
	r := scanReport{Findings: []findingView{}}
	for _, f := range list {
		if !all && f.State == dera.FindingResolved {
			continue
		}
		v := findingView{Finding: f}
		if f.Remediation != "" {
			rem, err := s.store.Remediation(ctx, f.Remediation)
			if err != nil {
				return err
			}
			v.Plan = viewPlan(rem)
		}
		r.Findings = append(r.Findings, v)
	}
	r.Summary = summarize(r)
	if a.json() {
		if err := a.printJSON(r.Findings); err != nil {
			return err
		}
		return r.exit()
	}
	p := newPaint(a.out)
	t := table{head: []string{"ID", "SEVERITY", "DECISION", "STATE", "REMEDIATION", "WHERE", "RESOURCE", "FINDING"}}
	for _, f := range r.Findings {
		rem := "-"
		if f.Plan != nil {
			rem = f.Plan.Remediation + " " + p.state(f.Plan.State)
		}
		t.row(f.ID, p.severity(f.Severity), p.disposition(f.Disposition), string(f.State), rem, f.Account+" "+f.Region, resourceText(f.Finding), f.Title)
	}
	if len(t.rows) == 0 {
		a.printf("no findings\n")
	} else {
		t.print(a.out)
	}
	return r.exit()
}

// keptEvents shows what the sources counted and kept.
func (a *app) keptEvents(ctx context.Context, s *session) error {
	counters, err := s.store.Counters(ctx)
	if err != nil {
		return err
	}
	kept, err := s.store.KeptEvents(ctx)
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(map[string]any{"counters": counters, "kept": append([]store.KeptEvent{}, kept...)})
	}
	for _, name := range slices.Sorted(maps.Keys(counters)) {
		a.printf("%-22s %d\n", name, counters[name])
	}
	t := table{head: []string{"TIME", "SOURCE", "WHY", "EVENT"}}
	for _, k := range kept {
		t.row(stamp(k.At), k.Source, k.Why, k.Body)
	}
	if len(t.rows) > 0 {
		t.print(a.out)
	}
	return nil
}

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
	if a.json() {
		return a.printJSON(v.redacted())
	}
	return a.printShown(v)
}

// redacted leaves out what can be a secret: inputs of the plan, and the
// configurations on its way, which hold whole policies.
func (v shown) redacted() shown {
	if v.Remediation != nil {
		r := *v.Remediation
		r.Plan, r.Way = resource.Shown(r.Plan), nil
		v.Remediation = &r
	}
	return v
}

func notFound(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return &exitError{exitFailed, fmt.Errorf("%w; dera findings --all lists what there is", err)}
	}
	return err
}

func (a *app) printShown(v shown) error {
	p := newPaint(a.out)
	width, _ := terminal(a.out)
	if f := v.Finding; f != nil {
		a.printf("%s  %s\n", p.bold(f.ID), f.Title)
		a.printf("  %s, %s, %s, control %s\n", p.severity(f.Severity), p.disposition(f.Disposition), f.State, f.Control)
		a.printf("  %s\n", f.Resource)
		a.printf("%s\n", wrap(f.Why, "  ", width))
		a.printf("  first seen %s, last seen %s\n", stamp(f.FirstSeen), stamp(f.LastSeen))
		if f.Actor != "" {
			a.printf("  last changed by %s\n", f.Actor)
		}
		a.printf("\n%s\n", p.bold("decision"))
		a.printReasons(p, f.Reasons, width)
	}
	if r := v.Remediation; r != nil {
		a.printRemediation(p, *r, v.Finding == nil, width)
		if err := a.printEvidence(p, v.Evidence, width); err != nil {
			return err
		}
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
	if r.State == dera.Waiting {
		a.printf("  approve with: dera approve %s --digest %s\n", r.ID, r.Digest)
	}
}

func (a *app) printEvidence(p paint, blob json.RawMessage, width int) error {
	if len(blob) == 0 {
		return nil
	}
	var ev dera.Evidence
	if err := json.Unmarshal(blob, &ev); err != nil {
		return fmt.Errorf("read evidence: %w", err)
	}
	a.printf("\n%s %s\n", p.bold("evidence"), ev.Kind)
	for _, c := range ev.Claims {
		a.printf("%s\n", wrap(p.colour(map[dera.Verdict]string{dera.Proved: "2"}[c.Verdict], string(c.Verdict))+" "+c.Says, "  ", width))
	}
	if ev.Denied != "" {
		a.printf("  let in before, not after: %s\n", ev.Denied)
	}
	return nil
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
