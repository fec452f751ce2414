package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/cloud"
	"dera.example/dera/remediate"
)

// rollbackFlags are the flags of dera rollback.
type rollbackFlags struct {
	reason, account, control string
	since                    time.Duration
	despite, partial, yes    bool
}

func newRollbackCommand(a *cli) *cobra.Command {
	var f rollbackFlags
	cmd := &cobra.Command{
		Use:   "rollback [ID]",
		Short: "Roll back a remediation, or all that was changed lately",
		Long: "rollback undoes what a remediation changed, and leaves what others changed since. It refuses, and shows\n" +
			"what changed, when someone else changed the same parts; --partial then rolls back the rest. It also refuses when\n" +
			"later remediations of the same resource are in effect. The finding goes to review next time.\n\n" +
			"With --since it rolls back everything that was changed in that time, the newest first, each as if it were named\n" +
			"alone: what is refused is listed with why, and the rest goes on. It shows the list and asks, on a terminal;\n" +
			"elsewhere --yes is required. An interrupted run can be repeated.\n\n" +
			"Exit codes: 0 rolled back, 3 refused or failed; with --since 3 where anything was refused, or is under way.",
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, list []string) error {
			set := cmd.Flags().Changed
			switch many := set("since"); {
			case many && len(list) > 0:
				return usage("rollback takes an ID or --since, not both")
			case !many && len(list) == 0:
				return usage("rollback needs the ID of a remediation (r-…), or --since DURATION for all that was changed lately")
			case many:
				return a.rollbackSince(cmd.Context(), f)
			case set("account") || set("control") || f.yes:
				return usage("--account, --control and --yes go with --since")
			}
			return a.acting(cmd.Context(), func(ctx context.Context, s *session) error {
				r, err := s.namedRemediation(ctx, list[0])
				if err != nil {
					return err
				}
				if err := s.inForce(ctx, r.Plan.Account, r.ID); err != nil {
					return err
				}
				if err := s.finish(ctx, r.ResourceKey()); err != nil {
					return err
				}
				r, err = s.engine.Rollback(ctx, r.ID, f.request(s))
				return a.carried(ctx, s, r, err, dera.RolledBack)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.reason, "reason", "", "why; it is recorded, and required with --since")
	flags.BoolVar(&f.partial, "partial", false, "roll back what nobody else changed since, and leave the rest")
	flags.BoolVar(&f.despite, "despite-stop", false, "roll back although dera is stopped")
	flags.DurationVar(&f.since, "since", 0, "roll back all that was changed in this time, such as 2h")
	flags.StringVar(&f.account, "account", "", "with --since, only in this account")
	flags.StringVar(&f.control, "control", "", "with --since, only what this control changed")
	flags.BoolVar(&f.yes, "yes", false, "with --since, do not ask")
	return cmd
}

func (f rollbackFlags) request(s *session) remediate.Request {
	return remediate.Request{By: s.person(), Reason: f.reason, DespiteStop: f.despite, Partial: f.partial}
}

// rolledBackJSON is what dera rollback --since prints with --output json.
type rolledBackJSON struct {
	Since time.Time `json:"since"`
	// RolledBack are those of which nothing is left in place, Refused those of which
	// something is, Left those that were not tried, and Waiting plans that are not begun.
	RolledBack []app.Recent `json:"rolled_back"`
	Refused    []app.Recent `json:"refused"`
	Left       []app.Recent `json:"left"`
	Waiting    []app.Recent `json:"waiting"`
}

func (a *cli) rollbackSince(ctx context.Context, f rollbackFlags) error {
	var typed <-chan string
	switch {
	case f.since <= 0:
		return usage("--since must be a time such as 2h or 30m")
	case strings.TrimSpace(f.reason) == "":
		return usage("--reason is required with --since: it is recorded with every rollback")
	case !f.yes && !a.interactive():
		return usage("--yes is missing: without it, rollback --since shows the list and asks, on a terminal only")
	case !f.yes:
		typed = a.listen()
	}
	return a.acting(ctx, func(ctx context.Context, s *session) error {
		size, err := s.store.LogSize(ctx)
		if err != nil {
			return err
		}
		out := rolledBackJSON{Since: a.now().Add(-f.since).UTC(), RolledBack: []app.Recent{}, Refused: []app.Recent{}}
		list, err := app.RecentChanges(ctx, s.store, size, app.RecentFilter{Since: out.Since, Account: f.account, Control: f.control})
		if err != nil {
			return err
		}
		undo := list.Undo
		out.Left, out.Waiting = list.Left, list.Waiting
		if !a.json() {
			a.printRecent("to roll back, the newest first", undo)
		}
		if len(undo) > 0 && typed != nil {
			answer, err := a.ask(ctx, typed, fmt.Sprintf("Roll back %s? [y/N]", counted(len(undo), "remediation")))
			if err != nil {
				return err
			}
			if !strings.EqualFold(answer, "y") && !strings.EqualFold(answer, "yes") {
				return &exitError{exitNo, errors.New("not rolled back; nothing was changed")}
			}
		}
		stopped := s.rollbackAll(ctx, undo, f, &out)
		for _, r := range undo[len(out.RolledBack)+len(out.Refused):] {
			r.Why = "the run was interrupted before it: repeat this command"
			out.Left = append(out.Left, r)
		}
		if a.json() {
			err = a.printJSON(out)
		} else {
			a.printRolledBack(out)
		}
		if stopped != nil {
			return stopped
		}
		if err == nil && len(out.Refused)+len(out.Left) > 0 {
			err = &exitError{code: exitNo}
		}
		return err
	})
}

// rollbackAll rolls the remediations back, each as dera rollback ID does.
func (s *session) rollbackAll(ctx context.Context, undo []app.Recent, f rollbackFlags, out *rolledBackJSON) error {
	var ids []string
	for _, r := range undo {
		ids = append(ids, r.Remediation)
	}
	done, err := s.engine.RollbackAll(ctx, ids, f.request(s), func(ctx context.Context, r dera.Remediation) error {
		if err := s.inForce(ctx, r.Plan.Account, r.ID); err != nil {
			return err
		}
		return s.finish(ctx, r.ResourceKey())
	})
	for i, r := range done {
		c := undo[i]
		c.State, c.Done = r.Remediation.State, r.Done()
		switch {
		case r.Err != nil:
			c.Why = cloud.Explain(r.Err)
		case r.Remediation.State == dera.RolledBack && !c.Done:
			c.Why = app.InPart
		case !c.Done:
			c.Why = r.Remediation.Failure
		}
		if !c.Done {
			out.Refused = append(out.Refused, c)
			continue
		}
		out.RolledBack = append(out.RolledBack, c)
		if err := s.engine.LookNow(ctx, lookAt(r.Remediation, s.app.now()), false); err != nil {
			s.app.alert("dera: %s is rolled back; the resource could not be read again afterwards: %s\n", c.Remediation, cloud.Explain(err))
		}
	}
	return err
}

func (a *cli) printRecent(head string, list []app.Recent) {
	if len(list) == 0 {
		return
	}
	width, _ := terminal(a.out)
	a.printf("%s\n", newPaint(a.out).bold(head))
	for _, r := range list {
		when := ""
		if r.Wrote != nil {
			when = "  " + app.Stamp(*r.Wrote)
		}
		a.printf("  %s%s  %s  %s\n", r.Remediation, when, r.Control, app.Plain(string(r.Resource)))
		if r.Why != "" {
			a.printf("%s\n", wrap(app.Plain(r.Why), "    ", width))
		}
	}
	a.printf("\n")
}

func (a *cli) printRolledBack(out rolledBackJSON) {
	a.printRecent("not rolled back", out.Refused)
	a.printRecent("not tried", out.Left)
	a.printRecent("planned, and not begun", out.Waiting)
	a.printf("%s rolled back, %d refused, %d not tried, of what was changed since %s\n", counted(len(out.RolledBack), "remediation"), len(out.Refused), len(out.Left), app.Stamp(out.Since))
}
