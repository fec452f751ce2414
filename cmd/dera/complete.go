package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/services"
	"dera.example/dera/store"
)

// completeWithin is how long a shell waits at most for IDs.
const completeWithin = 2 * time.Second

// complete registers what the shell completes beside commands and flags: values of
// flags that have few, and the IDs of findings and remediations.
func (a *cli) complete(root *cobra.Command) {
	a.completeFlags(root)
	waiting := []dera.State{dera.Waiting}
	undoable := []dera.State{dera.Resolved, dera.Collateral, dera.UndoFailed}
	for path, of := range map[string]ids{
		"show":            {findings: true, remediations: true},
		"remediate":       {findings: true},
		"approve":         {remediations: true, first: waiting},
		"reject":          {remediations: true, first: waiting},
		"rollback":        {remediations: true, first: undoable},
		"audit show":      {findings: true, remediations: true},
		"incident attach": {findings: true},
	} {
		if cmd, rest, err := root.Find(strings.Fields(path)); err == nil && len(rest) == 0 {
			cmd.ValidArgsFunction = a.completeIDs(of)
		}
	}
	if cmd, rest, err := root.Find([]string{"control", "show"}); err == nil && len(rest) == 0 {
		cmd.ValidArgsFunction = controlChoices
	}
}

// controlChoices offers the controls with their titles, which are made when a shell asks: to
// make them takes longer than most commands do.
func controlChoices(*cobra.Command, []string, string) (out []cobra.Completion, _ cobra.ShellCompDirective) {
	for _, c := range services.Controls() {
		out = append(out, cobra.CompletionWithDesc(c.ID, c.Meta.Title))
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeFlags registers the values of flags.
func (a *cli) completeFlags(root *cobra.Command) {
	for flag, values := range map[string][]string{
		"mode":       {"observe", "review", "enforce"},
		"log-level":  {"debug", "info", "warn", "error"},
		"log-format": {"text", "json"},
	} {
		a.flagValues(root, flag, values)
	}
	a.flagFunc(root, "output", func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return formatsOf(cmd), cobra.ShellCompDirectiveNoFileComp
	})
	each(root, func(cmd *cobra.Command) {
		for flag, values := range map[string][]string{
			"severity": severities(), "state": findingStates(), "fail-on": append(severities(), "none"),
		} {
			if cmd.LocalFlags().Lookup(flag) != nil {
				a.flagValues(cmd, flag, values)
			}
		}
		if cmd.LocalFlags().Lookup("control") != nil {
			a.flagFunc(cmd, "control", controlChoices)
		}
	})
	if cmd, _, err := root.Find([]string{"report"}); err == nil && cmd.Flags().Lookup("finding") != nil {
		a.flagFunc(cmd, "finding", a.completeIDs(ids{findings: true}))
	}
	if cmd, _, err := root.Find([]string{"role"}); err == nil {
		a.flagValues(cmd, "kind", []string{"reader", "remediator"})
	}
}

// flagValues registers the values of a flag.
func (a *cli) flagValues(cmd *cobra.Command, flag string, values []cobra.Completion) {
	a.flagFunc(cmd, flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// flagFunc registers what completes a flag, which the command must have, unless the
// command did.
func (a *cli) flagFunc(cmd *cobra.Command, flag string, f cobra.CompletionFunc) {
	if _, registered := cmd.GetFlagCompletionFunc(flag); registered {
		return
	}
	if err := cmd.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic(err) // a flag that is not there, or registered twice: wrong wiring
	}
}

// ids says which IDs a command takes, and those in which states come first.
type ids struct {
	findings, remediations bool
	first                  []dera.State
}

// completeIDs offers the IDs in the store, with titles. Whatever goes wrong, it
// offers none, and says nothing.
func (a *cli) completeIDs(of ids) cobra.CompletionFunc {
	return func(cmd *cobra.Command, list []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		const nothing = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
		if len(list) > 0 {
			return nil, nothing
		}
		a.err = io.Discard
		if a.environment(cmd) != nil {
			return nil, nothing
		}
		ctx, cancel := context.WithTimeout(context.Background(), completeWithin)
		defer cancel()
		found := make(chan []cobra.Completion, 1)
		go func() {
			out, err := a.storedIDs(ctx, of, begun)
			if err != nil {
				out = nil
			}
			found <- out
		}()
		select {
		case out := <-found:
			return out, nothing
		case <-ctx.Done():
			return nil, nothing
		}
	}
}

// storedIDs reads the IDs that begin as the text does.
func (a *cli) storedIDs(ctx context.Context, of ids, begun string) (out []cobra.Completion, err error) {
	s, err := a.openToComplete(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	findings, err := s.Findings(ctx)
	if err != nil {
		return nil, err
	}
	titles := map[string]string{}
	for _, f := range findings {
		titles[f.ID] = f.Title + ", " + app.ResourceText(f)
		if of.findings && strings.HasPrefix(f.ID, begun) && (f.State != dera.FindingResolved || of.remediations) {
			out = append(out, cobra.CompletionWithDesc(f.ID, titles[f.ID]))
		}
	}
	if !of.remediations || begun != "" && !strings.HasPrefix(begun, "r") {
		return out, nil
	}
	list, err := s.Remediations(ctx)
	if err != nil {
		return nil, err
	}
	slices.Reverse(list) // the newest first
	slices.SortStableFunc(list, func(x, y dera.Remediation) int {
		return rank(of.first, x.State) - rank(of.first, y.State)
	})
	for _, r := range list {
		if strings.HasPrefix(r.ID, begun) {
			title := r.Plan.Resource.Name()
			if len(r.Findings) > 0 && titles[r.Findings[0]] != "" {
				title = titles[r.Findings[0]]
			}
			out = append(out, cobra.CompletionWithDesc(r.ID, string(r.State)+": "+title))
		}
	}
	return out, nil
}

// rank is 0 for what comes first.
func rank(first []dera.State, state dera.State) int {
	if slices.Contains(first, state) {
		return 0
	}
	return 1
}

// openToComplete opens the store if there is one. It makes nothing: no folder, no
// key, no database.
func (a *cli) openToComplete(ctx context.Context) (*store.Store, error) {
	vault, err := a.vault(ctx)
	if err != nil {
		return nil, err
	}
	return store.OpenExisting(ctx, store.Config{URL: a.database(), Sealer: vault, Now: a.now})
}
