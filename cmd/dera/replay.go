package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/app/export"
	"dera.example/dera/engine"
	"dera.example/dera/evaluate"
	"dera.example/dera/services"
)

func newReplayCommand(a *cli) *cobra.Command {
	var details []string
	var past pastFlags
	cmd := &cobra.Command{
		Use:   "replay [FILE…]",
		Short: "Replay recorded CloudTrail, or the last 90 days of AWS: what dera would have done",
		Long: "replay reads recorded CloudTrail events in every form that docs/usage.md lists, detected by content, and folders\n" +
			"of them. It rebuilds from the calls what security groups and buckets were set to, and runs the loop on that in\n" +
			"observe mode, event by event, with the clock of the events. It needs no credentials and writes nothing to AWS.\n\n" +
			"What existed before the first event is not known. A resource that no event created is partly known: what\n" +
			"the events report of it is judged, and a check that finds nothing is unknown, never pass.\n\n" +
			"Roles, users, groups and managed policies are rebuilt too, from the calls and from --authorization-details, and\n" +
			"their unused permissions judged at the end of each day by what was recorded until then: what dera would have taken\n" +
			"away automatically, which later calls that would have denied, and what waited for a person. For that the files are\n" +
			"taken to hold all management events from the first one on; a day without any event is a gap.\n\n" +
			"With --aws it looks the calls up in the event history of CloudTrail instead, in every configured account and region:\n" +
			"nothing is installed, changed or kept, and it needs no permission but cloudtrail:LookupEvents. Only the calls from which\n" +
			"security groups and buckets are rebuilt are looked up, by name: unused permissions are not judged.\n\n" +
			"It does not store its findings, unless --data names a new folder.\n\n" +
			"Exit codes: 0 nothing found, 3 findings, 4 something could not be read, followed or judged in full.",
		Args: args(cobra.ArbitraryArgs),
		RunE: func(cmd *cobra.Command, paths []string) error {
			if err := past.check(a, paths, details, cmd.Flags().Changed("days")); err != nil {
				return err
			}
			return a.replay(cmd.Context(), paths, details, past, cmd.Flags().Changed("data"))
		},
	}
	cmd.Flags().StringArrayVar(&details, "authorization-details", nil, "what aws iam get-account-authorization-details prints, a file for each account: identities from before the first event")
	cmd.Flags().BoolVar(&past.aws, "aws", false, "replay the event history of CloudTrail in place of files; only reads")
	cmd.Flags().IntVar(&past.days, "days", app.HistoryDays, "with --aws: how many days back")
	return withFormats(cmd, "table", "json", "html")
}

// replay runs the loop over the files and reports.
func (a *cli) replay(ctx context.Context, paths, details []string, past pastFlags, keep bool) (err error) {
	if a.flags.db != "" {
		return usage("--db: replay does not store its findings; name a new folder with --data to keep them")
	}
	if a.flags.mode != "" && a.flags.mode != dera.Observe.String() {
		return usage("--mode %s: replay only observes", a.flags.mode)
	}
	cfg, err := a.configuration()
	if err != nil {
		return err
	}
	forget, err := a.replayData(keep)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, forget()) }()
	at := a.now() // of the report: the replay has the clock of the events
	var rec app.Recording
	var history *app.ReplayedHistory
	if past.aws {
		rec, history, err = a.recordPast(ctx, cfg, past.days)
	} else {
		bar := a.newProgress("reading")
		rec, err = app.ReadRecording(ctx, paths, services.Watch(), cfg.accounts(), a.flags.regions, bar)
		bar.end()
	}
	if errors.Is(err, app.ErrNoFile) {
		return usage("%w", err)
	}
	if err != nil {
		return err
	}
	report, err := a.runReplay(ctx, rec, paths, details)
	if err != nil {
		return err
	}
	report.AWS = history
	switch {
	case a.flags.output == "html":
		err = export.ReplayHTML(a.out, report, version, at)
	case a.json():
		err = a.printJSON(report)
	default:
		a.printReplay(report)
	}
	if err != nil {
		return err
	}
	return replayExit(report)
}

// replayData points the command at a folder of its own: a new one that was asked
// for, or one that goes when the command ends. What other commands keep is never
// opened.
func (a *cli) replayData(keep bool) (forget func() error, err error) {
	if keep {
		if list, err := os.ReadDir(a.flags.data); err == nil && len(list) > 0 {
			return nil, usage("--data %s is not empty; replay requires a new folder, so that its findings do not mix with yours", a.flags.data)
		}
		return func() error { return nil }, nil
	}
	if a.flags.data, err = os.MkdirTemp("", "dera-replay-"); err != nil {
		return nil, fmt.Errorf("make a folder for the replay: %w", err)
	}
	return func() error { return os.RemoveAll(a.flags.data) }, nil
}

// runReplay runs the loop over the events, with their clock.
func (a *cli) runReplay(ctx context.Context, rec app.Recording, paths, details []string) (report app.ReplayReport, err error) {
	clock := app.NewClock(rec, a.now())
	a.now = clock.Now
	a.flags.mode = dera.Observe.String()
	s, err := a.open(ctx)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	s.regions = rec.Regions()
	gate, err := s.gate()
	if err != nil {
		return report, err
	}
	owners := evaluate.Owners{Tags: s.config.OwnerTags}
	bar := a.newProgress("replaying")
	defer bar.end()
	report, err = app.Replay{Clock: clock, Progress: bar, Engine: engine.Config{
		Types: services.Types(), Store: s.store, Controls: s.config.withCustom(services.Controls()), Settings: s.settings, Gate: gate,
		Owners: owners, Own: s.ownPrincipals(), Flapping: s.flapping(), Tags: s.config.Tagging.tags(owners, s.config.Instance),
		BudgetPerHour: budget(s.config.Budget), BudgetEverywhere: budget(s.config.BudgetAll),
	}}.Run(ctx, rec)
	if err != nil {
		return report, err
	}
	report.IAM, err = s.narrowing(ctx, rec, narrowingInput{paths, details, gate, clock})
	return report, err
}
