package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"dera.example/dera"
	"dera.example/dera/app"
)

func newWaitingCommand(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "waiting",
		Short: "List the plans that wait for a person",
		Long: "waiting lists the plans that wait for an approval, the most severe first, with the command that approves each.\n" +
			"It also lists the plans that nobody answered in time, with the command that has them asked again.\n\n" +
			"Exit codes: 0 nothing waits, 3 something does.",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.stored(cmd.Context(), func(ctx context.Context, s *session) error { return a.waiting(ctx, s) })
		},
	}
}

func (a *cli) waiting(ctx context.Context, s *session) error {
	s.recallOffline(ctx)
	list, err := app.WaitingFor(ctx, s.store, s.app.orderFlags(), a.now())
	if err != nil {
		return err
	}
	if err := a.alertUnread(ctx, s); err != nil {
		return err
	}
	denied, _, _, err := app.Denials(ctx, s.store, s.app.orderFlags(), a.now())
	if err != nil {
		return err
	}
	if len(denied) > 0 {
		a.alert("dera: %d of the changes in effect denied what is in use, or may have; a person decides whether to give back what was denied or to undo them: dera report; of any other denial dera why says whether it was dera\n", len(denied))
		for _, d := range denied {
			if len(d.GiveBack) > 0 {
				a.alert("  %s\n", giveBackText(d.GiveBack[0]))
			}
		}
	}
	if a.json() {
		err = a.printJSON(list)
	} else {
		a.printWaiting(list)
	}
	if err == nil && len(list) > 0 {
		err = &exitError{code: exitNo}
	}
	return err
}

func (a *cli) printWaiting(list []app.Waiting) {
	if len(list) == 0 {
		a.printf("nothing waits for a person\n")
		return
	}
	p := newPaint(a.out)
	t := table{head: []string{"ID", "SEVERITY", "EXPIRES", "OWNER", "WHERE", "RESOURCE", "FINDING"}}
	for _, w := range list {
		f := dera.Finding{Owner: w.Owner, Resource: w.Resource, ResourceName: w.ResourceName}
		t.row(w.Remediation, p.severity(w.Severity), expiresCell(p, w, a.now()), ownerCell(f), w.Account+" "+w.Region, app.ResourceText(f), w.Title)
	}
	t.print(a.out)
	a.printf("\n")
	width, _ := terminal(a.out)
	for _, w := range list {
		a.printf("%s\n", w.Command)
		a.printLeft(p, w.Left, width)
	}
}

// expiresCell is how long a plan still waits.
func expiresCell(p paint, w app.Waiting, now time.Time) string {
	if w.State == dera.Expired {
		return p.colour("1", "not answered")
	}
	return "in " + spanText(w.Expires.Sub(now))
}

// spanText is a span of time for people, in its two largest units at most.
func spanText(d time.Duration) string {
	switch d = max(d, 0); {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", int((d+12*time.Hour).Hours())/24)
	case d >= time.Hour:
		return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
	case d >= time.Minute:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return fmt.Sprintf("%d s", int(d.Seconds()))
}
