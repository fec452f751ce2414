package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/cloud"
	"dera.example/dera/engine"
	"dera.example/dera/services"
	"github.com/spf13/cobra"
)

func newStopCommand(a *cli) *cobra.Command {
	var s dera.Stop
	cmd := &cobra.Command{
		Use:   "stop --reason TEXT",
		Short: "Stop all changes: everywhere, in one account, or for one control",
		Long: "stop is durable and holds from the next AWS write on, in every process that shares the data. dera keeps\n" +
			"reading and recording. Without --account and --control it holds everywhere.",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if strings.TrimSpace(s.Reason) == "" {
				return usage("--reason is required")
			}
			return a.stopOrResume(cmd.Context(), s, true)
		},
	}
	stopFlags(cmd, &s)
	return cmd
}

func newResumeCommand(a *cli) *cobra.Command {
	var s dera.Stop
	cmd := &cobra.Command{
		Use:   "resume",
		Short: "Lift a stop, and close the breaker",
		Long: "resume lifts the stop of the same scope. Without --control it also closes the breaker: earlier failed fixes\n" +
			"no longer count, in the account or, without --account, everywhere. Where there is nothing to resume, nothing is\n" +
			"recorded.\n\nExit codes: 0 nothing there is stopped any more, 3 another stop still holds there.",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.stopOrResume(cmd.Context(), s, false)
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
func (a *cli) stopOrResume(ctx context.Context, scope dera.Stop, stop bool) error {
	if err := validStop(scope); err != nil {
		return err
	}
	if !a.namedConfig {
		a.flags.config = "" // an order to stop depends on no file that it does not name
	}
	a.stopping = true
	there, err := a.dataThere(ctx)
	switch {
	case err != nil:
		return err
	case !there && !stop:
		return a.existing(ctx, exitFailed)
	case !there:
		a.alert("dera: warning: there was no data in %s: this stop holds only for what uses this folder from now on; --data names another\n", a.flags.data)
	}
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := s.close(ctx); cerr != nil {
			a.printError(ctx, cerr)
		}
	}()
	w := engine.Switch{Store: s.store, Now: a.now}
	if !stop {
		return a.resume(ctx, s, w, scope)
	}
	by, doubt := s.orderedBy(ctx)
	if err := w.Stop(ctx, scope, by); err != nil {
		return err
	}
	if doubt != "" {
		a.note("dera: %s; the stop is in effect anyway\n", doubt)
	}
	if a.json() {
		return a.printJSON(stoppedJSON{by.Name, scope.Where()})
	}
	a.printf("stopped %s, by %s\n", scope.Where(), by.Name)
	return nil
}

// validStop refuses a scope that no stop can have.
func validStop(scope dera.Stop) error {
	if scope.Account != "" {
		if err := dera.ValidAccountID(scope.Account); err != nil {
			return usage("--account: %w", err)
		}
	}
	if scope.Control != "" {
		if _, err := services.FindControl(scope.Control); err != nil {
			return usage("--control: %w", err)
		}
	}
	return nil
}

// stoppedJSON is what dera stop prints with --output json, resumedJSON what dera resume does.
type stoppedJSON struct {
	By      string `json:"by"`
	Stopped string `json:"stopped"`
}

type resumedJSON struct {
	By           string      `json:"by,omitempty"`
	Resumed      string      `json:"resumed"` // where; empty where there was nothing to resume
	StillStopped []dera.Stop `json:"still_stopped"`
}

// resume takes away what there is in the scope, and says what holds there still.
func (a *cli) resume(ctx context.Context, s *session, w engine.Switch, scope dera.Stop) error {
	something, err := w.Resumable(ctx, scope)
	if err != nil {
		return err
	}
	var out resumedJSON
	if something {
		by, doubt := s.orderedBy(ctx)
		if err := w.Resume(ctx, scope, by); err != nil {
			return err
		}
		if doubt != "" {
			a.note("dera: %s; the stop is lifted anyway\n", doubt)
		}
		out.Resumed, out.By = scope.Where(), by.Name
	}
	left, err := s.store.Stops(ctx)
	if err != nil {
		return err
	}
	left = slices.DeleteFunc(left, func(o dera.Stop) bool { return !meets(o, scope) })
	out.StillStopped = append([]dera.Stop{}, left...)
	switch {
	case a.json():
		err = a.printJSON(out)
	case something:
		a.printf("resumed %s, by %s\n", scope.Where(), out.By)
	default:
		a.printf("nothing to resume: no stop has exactly this scope (%s), and the breaker is closed\n", scope.Where())
	}
	for _, o := range left {
		a.alert("dera: still %s; lift it with: %s\n", stopText(o), a.resumeCommand(o))
	}
	if err == nil && len(left) > 0 {
		return &exitError{code: exitNo}
	}
	return err
}

// meets reports whether a stop holds somewhere within a scope.
func meets(o, scope dera.Stop) bool {
	one := func(a, b string) bool { return a == "" || b == "" || a == b }
	return one(o.Account, scope.Account) && one(o.Control, scope.Control)
}

// stopText says that dera is stopped, where, by whom, since when and why.
func stopText(s dera.Stop) string {
	return fmt.Sprintf("stopped %s since %s by %s: %s", s.Where(), app.Stamp(s.At), s.By, s.Reason)
}

// resumeCommand is the command that lifts a stop.
func (a *cli) resumeCommand(s dera.Stop) string {
	out := "resume"
	if s.Account != "" {
		out += " --account " + s.Account
	}
	if s.Control != "" {
		out += " --control " + s.Control
	}
	return a.again("%s", out)
}

// orderedBy is who gives an order, as far as AWS says, and why it does not: the
// order counts without.
func (s *session) orderedBy(ctx context.Context) (by dera.Actor, doubt string) {
	who, err := s.whoAmI(ctx)
	if err != nil {
		fact, _ := cloud.Cause(err)
		return dera.Actor{Name: "local process", How: "not established"}, "AWS does not say who you are (" + fact + ")"
	}
	return who, ""
}
