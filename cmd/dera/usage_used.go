package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dera.example/dera/iam/catalog"
	ledger "dera.example/dera/usage"
)

func newUsageUsedCommand(a *cli) *cobra.Command {
	var days int
	cmd := &cobra.Command{
		Use:   "used PRINCIPAL",
		Short: "Write the list of actions that a principal used, for dera policy scope --used",
		Long: "used writes which IAM actions a principal used in the window, one a line. \"? SOURCE\" stands for events that the\n" +
			"catalogue does not know, \"window FROM TO\" the days that the list is about, and \"! GAP\" for what the ledger does not know of the principal's account: dera policy\n" +
			"scope keeps what these leave in doubt, or refuses. Denied calls do not count as use.\n\n" +
			"Exit codes: 0 known and nothing but data events is missing, 3 there are other gaps, 4 the ledger has never seen\n" +
			"this principal.",
		Example: "  dera usage used arn:aws:iam::111122223333:role/deploy --window 90 > used.txt\n" +
			"  dera policy scope role.json --used used.txt --days 90",
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, list []string) error {
			if days < 1 || days > 400 {
				return usage("--window is %d days, must be 1 to 400", days)
			}
			c, err := openCatalogue(a)
			if err != nil {
				return err
			}
			return a.stored(cmd.Context(), func(ctx context.Context, s *session) error {
				now := a.now()
				l := ledger.New(s.store, a.now)
				act, err := l.Principal(ctx, list[0])
				if errors.Is(err, ledger.ErrUnknown) {
					return &exitError{exitUndecided, fmt.Errorf("%w; dera usage gaps lists what it cannot know", err)}
				}
				if err != nil {
					return err
				}
				from := now.AddDate(0, 0, -days)
				gaps, err := l.Gaps(ctx, ledger.Window{Account: accountOf(act), From: from, To: now})
				if err != nil {
					return err
				}
				return a.printUsed(newUsedList(c, act, gaps, ledger.SecondOf(from), days))
			})
		},
	}
	cmd.Flags().IntVar(&days, "window", 90, "days up to now of which the use counts")
	return cmd
}

// accountOf is the account of a principal, or "" for every account.
func accountOf(act ledger.Activity) string {
	for _, name := range []string{act.ARN, act.Key} {
		if parts := strings.Split(name, ":"); len(parts) > 5 && parts[0] == "arn" {
			return parts[4]
		}
	}
	return ""
}

// usedList is what dera usage used prints.
type usedList struct {
	Principal string       `json:"principal"`
	Days      int          `json:"days"`
	Actions   []string     `json:"actions"`
	Unclear   []string     `json:"unclear"`
	Gaps      []ledger.Gap `json:"gaps"`
	// Before are actions that were used only before the window.
	Before []string `json:"before"`
}

// newUsedList translates the calls of a principal into the actions that authorized
// them.
func newUsedList(c *catalog.Catalog, act ledger.Activity, gaps []ledger.Gap, from ledger.Second, days int) usedList {
	out := usedList{Principal: act.ARN, Days: days, Actions: []string{}, Unclear: []string{}, Gaps: gaps, Before: []string{}}
	if out.Principal == "" {
		out.Principal = act.Key
	}
	for _, u := range act.Uses {
		if u.Count == 0 { // denied each time
			continue
		}
		call, known := c.Event(u.Action.Source, u.Action.Name)
		actions := slices.Concat(call.Actions, call.Maybe)
		switch {
		case u.Last < from && known:
			out.Before = append(out.Before, actions...)
		case u.Last < from:
		case !known:
			out.Unclear = append(out.Unclear, u.Action.Source)
		default:
			out.Actions = append(out.Actions, actions...)
		}
	}
	for _, list := range []*[]string{&out.Actions, &out.Unclear, &out.Before} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	out.Before = slices.DeleteFunc(out.Before, func(a string) bool { return slices.Contains(out.Actions, a) })
	return out
}

func (a *cli) printUsed(u usedList) error {
	var kinds []string
	for _, g := range u.Gaps {
		if kind := string(g.Kind); !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	var exit error
	if slices.ContainsFunc(u.Gaps, func(g ledger.Gap) bool { return g.Kind != ledger.GapData }) {
		exit = &exitError{exitNo, errors.New("the ledger has gaps, so that nothing may be called unused for sure; dera usage gaps lists them")}
	}
	if a.json() {
		if u.Gaps == nil {
			u.Gaps = []ledger.Gap{}
		}
		return errors.Join(a.printJSON(u), exit)
	}
	to := a.now().UTC()
	a.printf("# %s\nwindow %s %s\n", u.Principal, to.AddDate(0, 0, -u.Days).Format(time.DateOnly), to.Format(time.DateOnly))
	for _, k := range kinds {
		a.printf("! %s\n", k)
	}
	for _, s := range u.Unclear {
		a.printf("? %s\n", s)
	}
	for _, action := range u.Actions {
		a.printf("%s\n", action)
	}
	for _, action := range u.Before {
		a.printf("# %s was used before these %d days only\n", action, u.Days)
	}
	return exit
}
