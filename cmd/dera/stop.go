package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"dera"
	"dera/controls"
	"dera/engine"
)

func newStopCommand(a *app) *cobra.Command {
	var s dera.Stop
	cmd := &cobra.Command{
		Use:   "stop --reason TEXT",
		Short: "Write nothing from now on: everywhere, in an account, or under a control",
		Long: "stop is durable and holds from the next AWS write on, in every process that shares the data. Looking and\n" +
			"recording go on. Without --account and --control it holds everywhere.",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if strings.TrimSpace(s.Reason) == "" {
				return usage("--reason is missing: whoever finds dera stopped wants to know why")
			}
			return a.stopOrResume(cmd.Context(), s, func(ctx context.Context, w engine.Switch, by dera.Actor) error { return w.Stop(ctx, s, by) }, "stopped")
		},
	}
	stopFlags(cmd, &s)
	return cmd
}

func newResumeCommand(a *app) *cobra.Command {
	var s dera.Stop
	cmd := &cobra.Command{
		Use:   "resume",
		Short: "Take a stop away, and close the breaker",
		Long: "resume takes away the stop of the same scope. Without --control it also closes the breaker: failed fixes of before\n" +
			"count no more, in the account or, without --account, everywhere.",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.stopOrResume(cmd.Context(), s, func(ctx context.Context, w engine.Switch, by dera.Actor) error { return w.Resume(ctx, s, by) }, "resumed")
		},
	}
	stopFlags(cmd, &s)
	return cmd
}

func stopFlags(cmd *cobra.Command, s *dera.Stop) {
	cmd.Flags().StringVar(&s.Account, "account", "", "only this account")
	cmd.Flags().StringVar(&s.Control, "control", "", "only this control")
	cmd.Flags().StringVar(&s.Reason, "reason", "", "why; it is recorded")
}

// stopOrResume must work when AWS cannot be reached: then the order is recorded
// under the local process, and says so.
func (a *app) stopOrResume(ctx context.Context, stop dera.Stop, do func(context.Context, engine.Switch, dera.Actor) error, done string) error {
	if stop.Account != "" {
		if err := dera.ValidAccountID(stop.Account); err != nil {
			return usage("--account: %v", err)
		}
	}
	if stop.Control != "" {
		if _, err := controls.Find(stop.Control); err != nil {
			return usage("--control: %v", err)
		}
	}
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := s.close(ctx); cerr != nil {
			a.note("dera: %v\n", cerr)
		}
	}()
	by := dera.Actor{Name: "local process", How: "not established"}
	if who, err := s.whoAmI(ctx); err != nil {
		a.note("dera: AWS does not say who you are (%v); the order counts all the same\n", err)
	} else {
		by = who
	}
	if err := do(ctx, engine.Switch{Store: s.store, Now: a.now}, by); err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(map[string]any{done: stop.Where(), "by": by.Name})
	}
	fmt.Fprintf(a.out, "%s %s, by %s\n", done, stop.Where(), by.Name)
	return nil
}
