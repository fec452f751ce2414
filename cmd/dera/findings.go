package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/store"
)

func newFindingsCommand(a *cli) *cobra.Command {
	var all, events bool
	var limit int
	var limits filterFlags
	var file outputFile
	cmd := &cobra.Command{
		Use:   "findings",
		Short: "List the findings that are open",
		Long: "findings lists the findings that are left open, the worst first, and counts them by severity and decision.\n" +
			"Filters hide findings only: stops and half-done remediations are always shown, and hidden findings are counted.\n\n" +
			"It also lists what could not be read when dera last tried.\n\n" +
			"Exit codes: 0 nothing left open, 3 findings open, 4 something was not read, or nothing was read yet.",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			only, err := limits.filter()
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("limit") && limit < 1 {
				return usage("--limit is %d, must be 1 or more", limit)
			}
			if other := besideEvents(cmd); events && other != "" {
				return usage("--events shows events and no findings: leave out --%s", other)
			}
			if events && !slices.Contains([]string{"table", "json"}, a.flags.output) {
				return usage("--events is written as table or json, not as %s", a.flags.output)
			}
			if err := file.check(a); err != nil {
				return err
			}
			return a.stored(cmd.Context(), func(ctx context.Context, s *session) error {
				if events {
					return a.answer(file, func() error { return a.keptEvents(ctx, s) })
				}
				all = all || slices.Contains(only.States, dera.FindingResolved)
				r, err := s.findings(ctx, all)
				if err != nil {
					return err
				}
				r = r.Only(only)
				if err := a.answer(file, func() error { return a.printFindings(r, limit) }); err != nil {
					return err
				}
				return findingsExit(r)
			})
		},
	}
	f := cmd.Flags()
	f.BoolVar(&all, "all", false, "include resolved findings")
	f.BoolVar(&events, "events", false, "instead: how many events came, and those that could not be read")
	limits.severityFlag(f)
	f.StringSliceVar(&limits.accounts, "account", nil, "only findings of these accounts: IDs or globs, separated by commas")
	limits.controlFlag(f)
	limits.resourceFlag(f)
	f.StringSliceVar(&limits.owners, "owner", nil, "only findings of these owners: names, ARNs or globs, separated by commas")
	f.StringSliceVar(&limits.states, "state", nil, "only findings in these states: "+strings.Join(findingStates(), ", "))
	f.BoolVar(&limits.waiting, "waiting", false, "only findings whose plan waits for an approval")
	f.IntVar(&limit, "limit", 0, "show at most this many findings, the worst first (default: all)")
	file.flag(f)
	return withFormats(cmd, reportFormats()...)
}

// besideEvents is a flag of findings that was given, or "".
func besideEvents(cmd *cobra.Command) (name string) {
	cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		if f.Changed && f.Name != "events" && f.Name != "output-file" {
			name = f.Name
		}
	})
	return name
}

// stored runs f on the store alone, without a word to AWS. There must be one: it
// makes none.
func (a *cli) stored(ctx context.Context, f func(context.Context, *session) error) error {
	if err := a.existing(ctx, exitUndecided); err != nil {
		return err
	}
	return a.storing(ctx, f)
}

// storing is stored that makes the store where there is none.
func (a *cli) storing(ctx context.Context, f func(context.Context, *session) error) (err error) {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.store.Close()) }()
	return f(ctx, s)
}

// findings is the report of what the store knows, with what is half-done.
func (s *session) findings(ctx context.Context, all bool) (app.ScanReport, error) {
	s.recallOffline(ctx)
	covered, err := s.covered(ctx)
	if err != nil {
		return app.ScanReport{}, err
	}
	places, err := s.places(ctx)
	if err != nil {
		return app.ScanReport{}, err
	}
	r, err := app.Report(ctx, s.store, func(f dera.Finding) (listed, notRead bool) {
		resolved := f.State == dera.FindingResolved
		return all || !resolved, !resolved && (!covered(f) || places.Misses(f))
	})
	if err != nil {
		return r, err
	}
	r = r.With(places)
	if r.Summary.Accounts, err = s.coveredAccounts(ctx); err != nil {
		return r, err
	}
	r.UnderWay, err = s.underWay(ctx)
	return r, err
}

// findingsExit is 4 where something was not read, and 3 where a finding is left open.
func findingsExit(r app.ScanReport) error {
	if len(r.Unreadable) > 0 || r.NothingRead {
		return &exitError{code: exitUndecided}
	}
	if r.Summary.Open > 0 {
		return &exitError{code: exitNo}
	}
	return nil
}

// printFindings writes at most limit findings of the report, and counts all; 0 is
// no limit.
func (a *cli) printFindings(r app.ScanReport, limit int) error {
	all := r.Findings
	r = r.First(limit)
	more := r.Summary.BeyondLimit
	p := newPaint(a.out)
	switch a.flags.output {
	case "table":
	case "json":
		a.besideList(r, more)
		return a.printJSON(r.Findings)
	default:
		a.besideList(r, more)
		return a.writeReport(r)
	}
	switch {
	case len(r.Findings) > 0:
		t := findingTable(p, r.Findings)
		t.print(a.out)
	case r.NothingRead:
	case len(r.Unreadable) > 0:
		a.printf("no findings in what was read\n")
	default:
		a.printf("no findings\n")
	}
	if more > 0 {
		a.printf("and %d more: %s\n", more, a.again("findings --limit %d", len(all)))
	}
	a.printUnread(p, r)
	a.printUnderWay(p, r.UnderWay)
	a.printStops(p, r.Stops)
	if text := leftOutText(r.Summary); text != "" {
		a.printf("%s\n", text)
	}
	a.wrapf("\n%s\n", countsText(all))
	return nil
}

// besideList says on standard error what a list of findings has no place for.
func (a *cli) besideList(r app.ScanReport, more int) {
	for _, text := range unreadText(r) {
		a.alert("dera: %s\n", text)
	}
	for _, o := range r.Stops {
		a.alert("dera: %s\n", stopText(o))
	}
	for _, u := range r.UnderWay {
		a.alert("dera: half-done: %s on %s is %s; continue with: %s\n", u.Remediation, u.Resource.Name(), u.State, u.Command)
	}
	if text := leftOutText(r.Summary); text != "" && r.Summary.LeftOutNotRead > 0 {
		a.alert("dera: %s\n", text)
	} else if text != "" {
		a.note("dera: %s\n", text)
	}
	if more > 0 {
		a.note("dera: --limit hides %s\n", counted(more, "finding"))
	}
}

// eventsJSON is what dera findings --events prints with --output json.
type eventsJSON struct {
	Counters map[string]int64  `json:"counters"`
	Kept     []store.KeptEvent `json:"kept"`
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
		return a.printJSON(eventsJSON{counters, append([]store.KeptEvent{}, kept...)})
	}
	if len(counters)+len(kept) == 0 {
		a.printf("no events came yet: dera run receives them\n")
		return nil
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
