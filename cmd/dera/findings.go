package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"dera.example/dera"
	"dera.example/dera/store"
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
	s.recallOffline(ctx)
	covered, err := s.covered(ctx)
	if err != nil {
		return err
	}
	r := scanReport{Findings: []findingView{}}
	for _, f := range list {
		if !all && f.State == dera.FindingResolved {
			continue
		}
		v := findingView{Finding: f}
		if f.State != dera.FindingResolved && !covered(f) {
			v.NotRead = &f.LastSeen
		}
		if f.Remediation != "" {
			rem, err := s.store.Remediation(ctx, f.Remediation)
			if err != nil {
				return err
			}
			v.Plan = viewPlan(rem)
		}
		r.Findings = append(r.Findings, v)
	}
	stops, err := s.store.Stops(ctx)
	if err != nil {
		return err
	}
	r.stopped(stops)
	r.Summary = summarize(r)
	if a.json() {
		for _, o := range stops { // the list has no place for what concerns no finding in it
			a.note("dera: %s\n", stopText(o))
		}
		if err := a.printJSON(r.Findings); err != nil {
			return err
		}
		return r.exit()
	}
	p := newPaint(a.out)
	t := table{head: []string{"ID", "SEVERITY", "DECISION", "STATE", "REMEDIATION", "WHERE", "OWNER", "RESOURCE", "FINDING"}}
	for _, f := range r.Findings {
		rem := "-"
		if f.Plan != nil {
			rem = f.Plan.Remediation + " " + p.state(f.Plan.State)
		}
		t.row(f.ID, p.severity(f.Severity), p.disposition(f.Disposition), f.stateCell(p), rem, f.Account+" "+f.Region, ownerCell(f.Finding), resourceText(f.Finding), f.Title)
	}
	if len(t.rows) == 0 {
		a.printf("no findings\n")
	} else {
		t.print(a.out)
	}
	a.printStops(p, r.Stops)
	return r.exit()
}

// ownerCell is the owner in short: of an ARN its name.
func ownerCell(f dera.Finding) string {
	if name := dera.ARN(f.Owner).Name(); name != "" {
		return name
	}
	if f.Owner == "" {
		return "-"
	}
	return f.Owner
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

func notFound(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return &exitError{exitFailed, fmt.Errorf("%w; dera findings --all lists what there is", err)}
	}
	return err
}
