package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"dera.example/dera/app"
	"dera.example/dera/store"
)

// newNotifySendCommand sends what waits, for those who run no controller.
func newNotifySendCommand(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "send",
		Short: "Send what is recorded and due, once",
		Long: "send does once what dera run does all the time: it takes over what the audit log says since the last time, and sends the\n" +
			"messages that are due. The first time there is nothing to send: messages begin with what is recorded from then on.\n\n" +
			"Exit codes: 0 all that was due is sent, 3 something was not taken and is tried again the next time.",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.notifySend(cmd.Context()) },
	}
}

func (a *cli) notifySend(ctx context.Context) error {
	return a.stored(ctx, func(ctx context.Context, s *session) error {
		if s.needsAWS() {
			if err := s.connect(ctx, options{log: a.logger()}); err != nil {
				return err
			}
		}
		box, err := s.outbox(a.logger())
		if err != nil {
			return err
		}
		if box == nil {
			return usage("the configuration names nobody who gets messages: write notify.sinks or security_hub")
		}
		posted, sent := 0, 0
		for n := 1; n > 0; posted += n {
			if n, err = box.Post(ctx); err != nil {
				return err
			}
		}
		for n := 1; n > 0 && err == nil; sent += n {
			n, err = box.Send(ctx)
		}
		a.printf("%d records taken over, %d messages sent\n", posted, sent)
		if err != nil {
			a.alert("dera: %s\n", app.Plain(err.Error()))
			return &exitError{code: exitNo}
		}
		return nil
	})
}

// newNotifyRetryCommand has dead messages sent again.
func newNotifyRetryCommand(a *cli) *cobra.Command {
	var drop bool
	cmd := &cobra.Command{
		Use:   "retry [SINK]",
		Short: "Send messages again that were given up, or drop what waits for a sink",
		Long: "retry has the messages sent again, by dera run or dera notify send, that were given up: those that a receiver refused,\n" +
			"and those that it did not take for three days. With --drop what waits for a sink is taken away, for one that does not\n" +
			"exist any more.",
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, list []string) error {
			return a.stored(cmd.Context(), func(ctx context.Context, s *session) error { return a.notifyRetry(ctx, s, list, drop) })
		},
	}
	cmd.Flags().BoolVar(&drop, "drop", false, "take away what waits for SINK")
	return cmd
}

func (a *cli) notifyRetry(ctx context.Context, s *session, list []string, drop bool) error {
	name := ""
	if len(list) == 1 {
		name = list[0]
		known, err := s.store.Backlogs(ctx)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(known, func(b store.Backlog) bool { return b.Sink == name }); i < 0 {
			return usage("nothing waits for %q", name)
		}
	}
	if drop {
		if name == "" {
			return usage("--drop requires the name of a sink")
		}
		n, err := s.store.Drop(ctx, name)
		if err == nil {
			a.printf("%d messages dropped\n", n)
		}
		return err
	}
	n, err := s.store.Revive(ctx, name)
	if err == nil {
		a.printf("%d messages are sent again\n", n)
	}
	return err
}
