package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	ledger "dera.example/dera/usage"
)

func newUsageShowCommand(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "show PRINCIPAL",
		Short: "Show what a principal did: actions, first and last use, counts, what was denied",
		Long: "show answers for the ARN of a role, a user or a session, with or without its path. First, last and count are of\n" +
			"calls that were authorized, whether or not they then succeeded; iam:PassRole is inferred from what was called.\n\n" +
			"Exit codes: 0 known, 4 the ledger has never seen this principal.",
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, list []string) error {
			return a.stored(cmd.Context(), func(ctx context.Context, s *session) error {
				act, err := ledger.New(s.store, a.now).Principal(ctx, list[0])
				if errors.Is(err, ledger.ErrUnknown) {
					return &exitError{exitUndecided, fmt.Errorf("%w; dera usage gaps lists what it cannot know", err)}
				}
				if err != nil {
					return err
				}
				return a.printActivity(act)
			})
		},
	}
}

// activityView is what dera usage show prints with --output json.
type activityView struct {
	ledger.Activity
	Kind string        `json:"kind"`
	Last ledger.Second `json:"last,omitzero"`
}

func (a *cli) printActivity(act ledger.Activity) error {
	if a.json() {
		return a.printJSON(activityView{act, act.Kind.String(), act.Last()})
	}
	p := newPaint(a.out)
	name := act.ARN
	if name == "" {
		name = act.Key
	}
	a.printf("%s  %s\n", p.bold(name), act.Kind)
	a.printf("  last seen %s", dash(act.Last().String()))
	if act.SessionEnd != 0 {
		a.printf(", last session ends by %s", act.SessionEnd)
	}
	a.printf("\n\n")
	t := table{head: []string{"ACTION", "FIRST", "LAST", "COUNT", "DENIED", "LAST DENIED", "TRUST", "RESOURCES"}}
	for _, u := range act.Uses {
		resources := "-"
		if len(u.Resources) > 0 {
			resources = u.Resources[0]
		}
		if n := len(u.Resources) - 1; n > 0 {
			resources += fmt.Sprintf(" and %d", n)
		}
		if u.More {
			resources += " and others"
		}
		t.row(u.Action.String(), dash(u.First.String()), dash(u.Last.String()), strconv.FormatUint(u.Count, 10),
			strconv.FormatUint(u.Denied, 10), dash(u.LastDenied.String()), u.Trust.String(), resources)
	}
	t.print(a.out)
	return nil
}
