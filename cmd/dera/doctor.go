package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dera.example/dera/app"
	"dera.example/dera/cloud"
	"dera.example/dera/services"
	"dera.example/dera/store"
)

func newDoctorCommand(a *cli) *cobra.Command {
	var queue string
	var test, canary bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check that dera has what it needs, and say how to fix it",
		Long: "doctor checks that dera has what it needs, and tells you how to fix what is missing. It tries each\n" +
			"read for real, asks EC2 for a dry run and IAM for a simulation of the writes, and changes nothing.\n" +
			"With --send-test-event it sends one message to the queue, which names nothing, and waits up to a minute for dera run to take it.\n" +
			"With --canary it does one thing alone: in the test account that the configuration names it makes a security group that is attached to\n" +
			"nothing, opens SSH to the internet on it, says when dera run saw, decided, revoked and verified, and deletes the group in every case.\n\n" +
			"Exit codes: 0 all good, 3 something to do, 4 something could not be checked. What could not be tested without\n" +
			"a change is reported and does not count. A canary that takes more than 90 s, or that dera does not close, is something to do.",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if canary && (test || queue != "") {
				return usage("--canary goes alone")
			}
			if canary {
				return a.canary(cmd.Context())
			}
			return a.doctor(cmd.Context(), queue, test)
		},
	}
	cmd.Flags().StringVar(&queue, "queue", "", "URL of the SQS queue (default: the configuration's)")
	cmd.Flags().BoolVar(&test, "send-test-event", false, "send a test event through the queue and say when dera run took it")
	cmd.Flags().BoolVar(&canary, "canary", false, "open SSH on a group of its own in the test account of the configuration, and measure how fast dera run closes it")
	return cmd
}

// testWithin is how long a test event is waited for.
const testWithin = time.Minute

func (a *cli) doctor(ctx context.Context, queue string, test bool) (err error) {
	if _, err := loadConfig(a.flags.config); err != nil {
		return a.named("config", err)
	}
	began, data, err := a.openToExamine(ctx)
	if err != nil {
		return err
	}
	d := app.Doctor{Now: a.now, Folder: a.flags.data, FolderOpen: othersRead(a.flags.data), ExemptionConfig: exemptionConfig()}
	if test {
		d.SendTest, d.NewID, d.Wait = testWithin, rand.Text, waitFor
	}
	var cfg fileConfig
	if data != nil {
		defer func() { err = errors.Join(err, data.store.Close()) }()
		if err := data.recall(ctx, false); err != nil {
			return err
		}
		cfg = data.config
		d.Store, d.PublicKey, d.UnderWay = data.store, data.log.PublicKey, data.underWay
		d.Keys = data.keyChecks(ctx)
		if cfg.judgesUse() {
			d.Recorded = data.recordOf
		}
	} else if cfg, err = a.configuration(); err != nil {
		return err
	}
	d.Warnings, d.Enforces, d.Controls, d.Trusted = a.hidingWarnings(cfg), cfg.enforces(a.flags.mode), cfg.controls(), cfg.QueueOurs
	d.Exemptions, d.NoExemptions = cmp.Or(a.flags.exemptions, cfg.Exemptions), a.flags.noExemptions
	d.Sinks = cfg.sinkNames()
	d.Queue = cmp.Or(queue, cfg.Queue)
	d.QueueAccount, d.Expect = queueAccount(d.Queue), cfg.Sources.expected(d.Queue != "")
	d.Backfill, d.LogFiles = time.Duration(cfg.Sources.Backfill.After), len(cfg.Sources.Logs) > 0
	d.Anchored = cfg.Anchor.on()
	d.Aggregator = cfg.Sources.Aggregator.where()
	d.Accounts, d.Regions, d.AllRegions = cfg.cloudAccounts(), a.flags.regions, a.flags.allRegions
	of := cloud.Config{Wires: wires(), Accounts: d.Accounts, Now: a.now, Timeout: 20 * time.Second, Profile: a.flags.profile, Observe: calls(a.askedLog())}
	if len(d.Regions) > 0 {
		of.Region = d.Regions[0]
	} else {
		d.Regions = cfg.Regions
	}
	if d.Cloud, d.CloudError = cloud.New(ctx, of); d.CloudError == nil {
		d.Anchors = cfg.Anchor.anchors(d.Cloud)
		d.Others = otherTools{d.Cloud, cfg, services.NewTriggers(queueARN(d.Queue))}.in
	}
	report, err := d.Examine(ctx, began...)
	if err != nil {
		return err
	}
	if a.json() {
		if err := a.printJSON(report); err != nil {
			return err
		}
	} else {
		a.printDoctor(report)
	}
	return doctorExit(report)
}

// waitFor waits, or for the end of ctx.
func waitFor(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// openToExamine opens the data if there are any; the doctor makes none. What is
// wrong with them is the first check. An error is one of the command line or the
// configuration.
func (a *cli) openToExamine(ctx context.Context) ([]app.Check, *session, error) {
	says := func(h app.Health, says, fix string) []app.Check {
		return []app.Check{{Check: "data", About: a.flags.data, Health: h, Says: says, Fix: fix}}
	}
	if a.flags.db == "" {
		if _, err := os.Stat(filepath.Join(a.flags.data, "dera.db")); errors.Is(err, fs.ErrNotExist) {
			return says(app.NotTested, "there are none yet", "the first dera scan or dera run creates them; or name the folder with --data"), nil, nil
		}
	}
	s, err := a.open(ctx)
	var e *exitError
	switch {
	case errors.As(err, &e):
		return nil, nil, err
	case databaseAway(err):
		return says(app.Broken, databaseText(err),
			"bring it back: until then dera run waits, acknowledges no message and writes nothing to AWS, and goes on automatically"), nil, nil
	case err != nil:
		return says(app.Broken, err.Error(), "see docs/operations.md on data, keys and backups; nothing works until it opens"), nil, nil
	}
	return nil, s, nil
}

// doctorExit is the exit code: what could not be told wins over what is to do.
func doctorExit(r app.Diagnosis) error {
	switch {
	case r.Summary[app.Unchecked] > 0:
		return &exitError{code: exitUndecided}
	case r.Summary[app.ToDo]+r.Summary[app.Broken] > 0:
		return &exitError{code: exitNo}
	}
	return nil
}

// printDoctor writes the report for people.
func (a *cli) printDoctor(r app.Diagnosis) {
	p := newPaint(a.out)
	width, _ := terminal(a.out)
	for _, c := range r.Checks {
		mark, colour := "✓", "2"
		switch c.Health {
		case app.Healthy:
		case app.ToDo:
			mark, colour = "!", "3"
		case app.Broken:
			mark, colour = "✗", "1"
		case app.Unchecked:
			mark, colour = "?", "3"
		case app.NotTested:
			mark, colour = "–", "8"
		}
		head := c.Check
		if c.About != "" {
			head += " " + c.About
		}
		if c.Account != "" && !strings.Contains(c.About, c.Account) {
			head += " (account " + c.Account + ")"
		}
		a.printf("%s %s\n", p.colour(colour, mark), p.bold(head))
		a.printf("%s\n", wrap(c.Says, "    ", width))
		if c.Fix != "" {
			a.printf("%s\n", wrap("→ "+c.Fix, "    ", width))
		}
	}
	s := r.Summary
	a.printf("%d good, %d to do, %d broken, %d could not be checked, %d not tested\n", s[app.Healthy], s[app.ToDo], s[app.Broken], s[app.Unchecked], s[app.NotTested])
}

// databaseText says that the database does not answer, and why.
func databaseText(err error) string {
	if text, ok := store.Unreached(err); ok {
		return text
	}
	return "the database is unreachable: " + err.Error()
}
