package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/store"
)

func newFindingsCommand(a *cli) *cobra.Command {
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
func (a *cli) stored(ctx context.Context, f func(context.Context, *session) error) (err error) {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.store.Close()) }()
	return f(ctx, s)
}

func (a *cli) findings(ctx context.Context, s *session, all bool) error {
	s.recallOffline(ctx)
	covered, err := s.covered(ctx)
	if err != nil {
		return err
	}
	r, err := app.Report(ctx, s.store, func(f dera.Finding) (listed, notRead bool) {
		resolved := f.State == dera.FindingResolved
		return all || !resolved, !resolved && !covered(f)
	})
	if err != nil {
		return err
	}
	if a.json() {
		for _, o := range r.Stops { // the list has no place for what concerns no finding in it
			a.note("dera: %s\n", stopText(o))
		}
		if err := a.printJSON(r.Findings); err != nil {
			return err
		}
		return scanExit(r)
	}
	p := newPaint(a.out)
	t := table{head: []string{"ID", "SEVERITY", "DECISION", "STATE", "REMEDIATION", "WHERE", "OWNER", "RESOURCE", "FINDING"}}
	for _, f := range r.Findings {
		rem := "-"
		if f.Plan != nil {
			rem = f.Plan.Remediation + " " + p.state(f.Plan.State)
		}
		t.row(f.ID, p.severity(f.Severity), p.disposition(f.Disposition), stateCell(p, f), rem, f.Account+" "+f.Region, ownerCell(f.Finding), app.ResourceText(f.Finding), f.Title)
	}
	if len(t.rows) == 0 {
		a.printf("no findings\n")
	} else {
		t.print(a.out)
	}
	a.printStops(p, r.Stops)
	return scanExit(r)
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
func (a *cli) keptEvents(ctx context.Context, s *session) error {
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
		t.row(app.Stamp(k.At), k.Source, k.Why, k.Body)
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
