package main

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/cloud"
	"dera.example/dera/engine"
)

func newScanCommand(a *cli) *cobra.Command {
	var o scanOptions
	var limits filterFlags
	var least string
	cmd := &cobra.Command{
		Use:   "scan",
		Short: "Scan everything once: findings, decisions, plans",
		Long: "scan reads every resource of the configured accounts and regions once, decides what would be done about\n" +
			"each finding, and shows the plans. With --apply it first finishes what an earlier command left half-done, then\n" +
			"carries out what is decided auto where the mode is enforce. It receives no events, so afterwards nothing\n" +
			"watches for other writers: dera run does.\n\n" +
			"With --severity, --control or --resource, scan still reads everything but reports only the findings that match,\n" +
			"and --apply carries out a plan only if every finding that it fixes matches. Unreadable places, stops and half-done\n" +
			"remediations are always shown.\n\n" +
			"Exit codes: 0 nothing left open, 3 findings of --fail-on or worse open, 4 something could not be read.",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.only, err = limits.filter(); err != nil {
				return err
			}
			if o.failOn, err = failOn(least); err != nil {
				return err
			}
			if err := o.file.check(a); err != nil {
				return err
			}
			return a.scan(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.apply, "apply", false, "carry out what is decided auto; requires enforce mode")
	limits.severityFlag(f)
	limits.controlFlag(f)
	limits.resourceFlag(f)
	f.StringVar(&least, "fail-on", dera.Low.String(), "exit code 3 only for open findings of this severity and worse: "+strings.Join(severities(), ", ")+", none")
	o.file.flag(f)
	return withFormats(cmd, reportFormats()...)
}

// scanOptions are what a scan was asked for.
type scanOptions struct {
	apply  bool
	only   app.Filter
	failOn dera.Severity // exit code 3 from here on
	file   outputFile
}

// scanning collects what one scan sees.
type scanning struct {
	mu       sync.Mutex
	progress *progress
	unread   []app.Unreadable
	groups   int
	hidden   int // findings that network.allow hides
	// unrecorded are principals that were not judged since nothing is recorded of their
	// use, by account.
	unrecorded map[string]map[dera.ARN]bool
}

func (s *scanning) tell(n engine.News) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch n.What {
	case "page":
		if n.Scope.Sweep() {
			s.groups += n.Resources
			s.hidden += n.Hidden
			s.notRecorded(n)
			s.progress.Step(n.Scope.Account + " " + n.Scope.Region)
		}
	case "unread":
		s.unread = append(s.unread, app.UnreadableIn(*n.Scope, n.Err))
		s.progress.Step(n.Scope.Account + " " + n.Scope.Region)
	}
}

func (a *cli) scan(ctx context.Context, o scanOptions) (err error) {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	if err := s.recall(ctx, false); err != nil {
		return err
	}
	if err := a.writable("--output-file", string(o.file)); err != nil {
		return err
	}
	if o.apply {
		a.actsOnFound("--apply")
	}
	watch := &scanning{progress: a.newProgress("looking")}
	if err := s.connect(ctx, options{tell: watch.tell}); err != nil {
		return err
	}
	s.only = o.only
	if o.apply && !s.config.enforces(a.flags.mode) {
		return usage("--apply acts only where the mode is enforce; here it is observe or review, so nothing would be done")
	}
	if err := s.remember(ctx); err != nil {
		return err
	}
	if err := s.engine.Expect(ctx); err != nil {
		return err
	}
	began := a.now()
	if err := s.look(ctx, watch, o.apply); err != nil {
		return err
	}
	if text := unrecordedText(watch.counts()); text != "" {
		a.note("dera: warning: %s\n", text)
	}
	report, err := s.report(ctx, began, watch)
	if err != nil {
		return err
	}
	report = report.Only(o.only)
	if err := a.answer(o.file, func() error { return a.writeScan(report) }); err != nil {
		return err
	}
	return scanExit(report, o.failOn)
}

// writeScan writes the report in the form that was asked for.
func (a *cli) writeScan(r app.ScanReport) error {
	switch a.flags.output {
	case "table":
		a.printScan(r)
		return nil
	case "json":
		return a.printJSON(r)
	}
	a.besideList(r, 0)
	return a.writeReport(r)
}

// look looks at every page of everything once, in this goroutine. With apply it
// first finishes what is half-done, then says how many changes it is about to
// make, and makes them.
func (s *session) look(ctx context.Context, watch *scanning, apply bool) error {
	if apply {
		if err := s.finish(ctx, ""); err != nil {
			return err
		}
		if err := s.engine.EndAccesses(ctx); err != nil {
			s.app.alert("dera: %s\n", cloud.Explain(err))
		}
	}
	scopes := s.engine.Scopes()
	watch.progress.Total(len(scopes))
	for _, scope := range scopes {
		ev := dera.Event{Source: "scan", Name: "scan", Scope: scope, Time: s.app.now()}
		if err := s.lookFor(ctx, ev, apply); err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	watch.progress.end()
	if !apply {
		return s.overAccesses(ctx)
	}
	return s.apply(ctx)
}

// apply carries out what is decided, and what the next look decides on the
// same resource, until nothing is left that may begin.
func (s *session) apply(ctx context.Context) error {
	if err := s.leftOut(ctx); err != nil {
		return err
	}
	tried := map[string]bool{}
	for ctx.Err() == nil {
		ready, err := s.due(ctx, tried)
		if err != nil {
			return err
		}
		if len(tried) == 0 {
			changes := 0
			for _, r := range ready {
				changes += len(r.Plan.Changes)
			}
			s.app.note("%d planned remediations, %d changes\n", len(ready), changes)
		}
		if len(ready) == 0 {
			break
		}
		bar := s.app.newProgress("fixing")
		bar.Total(len(ready))
		s.carryAll(ctx, ready, bar)
		bar.end()
		for _, r := range ready {
			tried[r.ID] = true
		}
	}
	if s.carried {
		s.app.note("a scan receives no events, so nothing watches whether someone else changes these resources; dera run does\n")
	}
	return ctx.Err()
}

// carryAll carries out what is ready, a few at a time; the leases keep those of
// one resource apart. What is left of a resource is decided on a re-read.
func (s *session) carryAll(ctx context.Context, ready []dera.Remediation, bar *progress) {
	const atOnce = 8
	slots := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for _, r := range ready {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			_ = s.carryOn(ctx, r, true) // said already; what is left of it is in the report
			bar.Step(r.Plan.Resource.Name())
		})
	}
	all.Wait()
}

// report gathers what this scan saw: everything that was looked at since it
// began, in the places that it covers.
func (s *session) report(ctx context.Context, began time.Time, watch *scanning) (app.ScanReport, error) {
	covered, err := s.covered(ctx)
	if err != nil {
		return app.ScanReport{}, err
	}
	r, err := app.Report(ctx, s.store, func(f dera.Finding) (listed, notRead bool) {
		left := !covered(f) && f.State != dera.FindingResolved
		notRead = f.LastSeen.Before(began)
		return !notRead || left || s.couldNotRead(f, watch.unread), notRead
	})
	if err != nil {
		return r, err
	}
	if r.UnderWay, err = s.underWay(ctx); err != nil {
		return r, err
	}
	r.Unreadable, r.Summary.Unreadable = watch.unread, len(watch.unread)
	r.Summary.Resources, r.Summary.Hidden = watch.groups, watch.hidden
	r.Summary.Unrecorded = watch.counts()
	r.Summary.Mode = s.config.modeFor(s.app.flags.mode)(s.accounts[0], "").String()
	for _, acct := range s.accounts {
		r.Summary.Accounts = append(r.Summary.Accounts, acct.ID)
	}
	r.Summary.Regions = s.regions
	return r, nil
}

// couldNotRead keeps a finding in the report whose place could not be read: not
// seen is not gone.
func (s *session) couldNotRead(f dera.Finding, unread []app.Unreadable) bool {
	for _, u := range unread {
		if u.Account == f.Account && u.Region == f.Region && u.Type == f.ResourceType && f.State != dera.FindingResolved {
			return true
		}
	}
	return false
}
