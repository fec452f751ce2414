package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	ledger "dera.example/dera/usage"
)

func newUsageCommand(a *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "usage",
		Short: "The activity ledger: who used what, when, and what is not known",
		Long: "usage reads CloudTrail log files into a ledger of which principal used which action, and answers from it.\n" +
			"What the ledger cannot know is listed as a gap; a gap means stale, never unused.",
		Args: args(cobra.NoArgs),
	}
	cmd.AddCommand(newUsageImportCommand(a), newUsageShowCommand(a), newUsageUsedCommand(a), newUsageGapsCommand(a))
	return cmd
}

func newUsageImportCommand(a *cli) *cobra.Command {
	var keys, scope string
	var keep int
	cmd := &cobra.Command{
		Use:   "import PATH…",
		Short: "Read recorded CloudTrail: log files, folders of them, and exports",
		Long: "import reads recorded CloudTrail into the ledger, in every form that docs/usage.md lists, detected by content.\n" +
			"It may be stopped and started again: no file counts twice.\n" +
			"With --keys (the output of aws cloudtrail list-public-keys) digest files are verified, and log files held\n" +
			"against them; everything else is kept as unverified, and nothing is automated on it.\n" +
			"Where a verified file says that a change of dera denied something, standard error names the change.\n\n" +
			"Exit codes: 0 everything read, 1 some files were damaged or are of a form that is not read (the others were read),\n" +
			"4 nothing was counted.",
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, paths []string) error {
			if keep < 0 {
				return usage("--keep is %d days", keep)
			}
			return a.storing(cmd.Context(), func(ctx context.Context, s *session) error {
				s.recallOffline(ctx)
				var first []dera.Denial
				l := ledger.New(s.store, a.now).Watching(s.watching("dera usage import", func(_ context.Context, d dera.Denial) { first = append(first, d) }))
				if err := a.declareScope(ctx, l, scope); err != nil {
					return err
				}
				err := a.importUsage(ctx, l, keys, paths)
				a.deniedAfter(first)
				if err != nil || keep == 0 {
					return err
				}
				return l.Retain(ctx, a.now().AddDate(0, 0, -keep))
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&keys, "keys", "", "public keys of CloudTrail (JSON), to verify digest files")
	f.StringVar(&scope, "scope", "", "declared scope of the log files (JSON): accounts, regions, since, event selectors; see docs/usage.md")
	f.IntVar(&keep, "keep", 0, "then forget what was over more than so many days ago (0 forgets nothing)")
	return cmd
}

func (a *cli) declareScope(ctx context.Context, l *ledger.Ledger, path string) error {
	if path == "" {
		return nil
	}
	text, err := readText(path)
	if err != nil {
		return usage("--scope: %w", err)
	}
	s, err := ledger.ParseScope(text)
	if err != nil {
		return usage("--scope: %s: %w", path, err)
	}
	return l.Declare(ctx, s)
}

func (a *cli) importUsage(ctx context.Context, l *ledger.Ledger, keys string, paths []string) error {
	bar := a.newProgress("reading")
	cfg := ledger.ImportConfig{Progress: func(p ledger.Progress) {
		bar.Total(p.Of)
		bar.Step("reading")
	}}
	if keys != "" {
		text, err := readText(keys)
		if err != nil {
			return usage("--keys: %w", err)
		}
		if cfg.Keys, err = cloudtrail.ParsePublicKeys(text); err != nil {
			return usage("--keys: %s: %w", keys, err)
		}
	}
	start := a.now()
	r, err := l.Import(ctx, cfg, paths...)
	bar.end()
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("stopped; the same command goes on where it was: %w", err)
	}
	if err != nil {
		return err
	}
	if a.json() {
		err = a.printJSON(r)
	} else {
		a.printImport(r, a.now().Sub(start))
	}
	switch {
	case err != nil:
		return err
	case len(r.Damaged) > 0:
		return &exitError{exitFailed, nil}
	case r.Nothing():
		return &exitError{exitUndecided, fmt.Errorf("none of %d records was counted", r.Records)}
	}
	return nil
}

func (a *cli) printImport(r ledger.Report, took time.Duration) {
	a.wrapf("%d records in %d files read, %d of them verified by digest; %d files were in the ledger already\n", r.Records, r.Files, r.Verified, r.Skipped)
	for _, reason := range ledger.Reasons() {
		if n := r.Counts[reason]; n > 0 && reason != ledger.Counted {
			a.wrapf("  %d not counted: %s\n", n, reason)
		}
	}
	for _, d := range r.Damaged {
		a.wrapf("  damaged: %s: %s\n", d.File, d.Why)
	}
	if r.LeftOutFiles > 0 {
		a.wrapf("  %d files left out, which hold no events of CloudTrail\n", r.LeftOutFiles)
	}
	for _, f := range r.LeftOut {
		a.wrapf("  left out: %s: %s\n", f.File, f.Why)
	}
	if s := took.Seconds(); s >= 1 {
		a.note("%.0f records/s\n", float64(r.Records)/s)
	}
}

func newUsageGapsCommand(a *cli) *cobra.Command {
	var account string
	var days int
	cmd := &cobra.Command{
		Use:   "gaps",
		Short: "List what the ledger does not know",
		Long:  "gaps lists why something may have been used without the ledger knowing.\n\nExit codes: 0 no gaps, 3 there are gaps.",
		Args:  args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if account != "" {
				if err := dera.ValidAccountID(account); err != nil {
					return usage("--account: %w", err)
				}
			}
			if days < 1 || days > 400 {
				return usage("--window is %d days, must be 1 to 400", days)
			}
			return a.stored(cmd.Context(), func(ctx context.Context, s *session) error {
				now := a.now()
				gaps, err := ledger.New(s.store, a.now).Gaps(ctx, ledger.Window{Account: account, From: now.AddDate(0, 0, -days), To: now})
				if err != nil {
					return err
				}
				return a.printGaps(gaps)
			})
		},
	}
	cmd.Flags().StringVar(&account, "account", "", "only of this account")
	cmd.Flags().IntVar(&days, "window", 90, "days up to now in which there must be no gap")
	return cmd
}

func (a *cli) printGaps(gaps []ledger.Gap) error {
	if a.json() {
		if gaps == nil {
			gaps = []ledger.Gap{}
		}
		if err := a.printJSON(gaps); err != nil {
			return err
		}
	} else if len(gaps) == 0 {
		a.wrapf("no gaps\n")
	} else {
		t := table{head: []string{"ACCOUNT", "REGION", "GAP", "FROM", "TO", "WHY"}}
		for _, g := range gaps {
			t.row(dash(g.Account), dash(g.Region), string(g.Kind), dash(g.From.String()), dash(g.To.String()), g.Why)
		}
		t.print(a.out)
	}
	if len(gaps) > 0 {
		return &exitError{exitNo, nil}
	}
	return nil
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
