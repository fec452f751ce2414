package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/engine"
	"dera.example/dera/evaluate"
	"dera.example/dera/services"
)

func newReplayCommand(a *cli) *cobra.Command {
	var details []string
	cmd := &cobra.Command{
		Use:   "replay FILE…",
		Short: "Replay recorded CloudTrail offline: what dera would have done",
		Long: "replay reads recorded CloudTrail events in every form that docs/usage.md lists, detected by content, and folders\n" +
			"of them. It rebuilds from the calls what security groups and buckets were set to, and runs the loop on that in\n" +
			"observe mode, event by event, with the clock of the events. It needs no credentials and writes nothing to AWS.\n\n" +
			"What existed before the first event is not known. A resource that no event created is partly known: what\n" +
			"the events report of it is judged, and a check that finds nothing is unknown, never pass.\n\n" +
			"Roles, users, groups and managed policies are rebuilt too, from the calls and from --authorization-details, and\n" +
			"their unused permissions judged at the end of each day by what was recorded until then: what dera would have taken\n" +
			"away automatically, which later calls that would have denied, and what waited for a person. For that the files are\n" +
			"taken to hold all management events from the first one on; a day without any event is a gap.\n\n" +
			"It does not store its findings, unless --data names a new folder.\n\n" +
			"Exit codes: 0 nothing found, 3 findings, 4 something could not be read, followed or judged in full.",
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, paths []string) error {
			return a.replay(cmd.Context(), paths, details, cmd.Flags().Changed("data"))
		},
	}
	cmd.Flags().StringArrayVar(&details, "authorization-details", nil, "what aws iam get-account-authorization-details prints, a file for each account: identities from before the first event")
	return cmd
}

// replay runs the loop over the files and reports.
func (a *cli) replay(ctx context.Context, paths, details []string, keep bool) (err error) {
	if a.flags.db != "" {
		return usage("--db: replay does not store its findings; name a new folder with --data to keep them")
	}
	if a.flags.mode != "" && a.flags.mode != dera.Observe.String() {
		return usage("--mode %s: replay only observes", a.flags.mode)
	}
	if a.flags.allRegions {
		return usage("--all-regions: replay looks at the regions of the events, or at those of --region")
	}
	cfg, err := a.configuration()
	if err != nil {
		return err
	}
	bar := a.newProgress("reading")
	rec, err := app.ReadRecording(ctx, paths, services.Watch(), cfg.accounts(), a.flags.regions, bar)
	bar.end()
	if errors.Is(err, app.ErrNoFile) {
		return usage("%w", err)
	}
	if err != nil {
		return err
	}
	forget, err := a.replayData(keep)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, forget()) }()
	report, err := a.runReplay(ctx, rec, paths, details)
	if err != nil {
		return err
	}
	if a.json() {
		if err := a.printJSON(report); err != nil {
			return err
		}
	} else {
		a.printReplay(report)
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
		Types: services.Types(), Store: s.store, Controls: services.Controls(), Settings: s.settings, Gate: gate,
		Owners: owners, Own: s.ownPrincipals(), Flapping: s.flapping(), Tags: s.config.Tagging.tags(owners, s.config.Instance),
		BudgetPerHour: budget(s.config.Budget), BudgetEverywhere: budget(s.config.BudgetAll),
	}}.Run(ctx, rec)
	if err != nil {
		return report, err
	}
	report.IAM, err = s.narrowing(ctx, rec, narrowingInput{paths, details, gate, clock})
	return report, err
}
