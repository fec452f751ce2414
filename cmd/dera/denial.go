package main

import (
	"context"
	"strings"

	"dera.example/dera"
	"dera.example/dera/app"
	ledger "dera.example/dera/usage"
)

// watchDays is how long denials are looked for after a change, by default.
const watchDays = 14

// watchDays is for how long denials are looked for; 0 is not at all.
func (s *session) watchDays() int {
	if d := s.config.Permissions.WatchDays; d != nil {
		return *d
	}
	return watchDays
}

// watching is how the ledger looks for denials after changes; found is called with the
// first one of a change.
func (s *session) watching(by string, found func(context.Context, dera.Denial)) ledger.WatchConfig {
	return ledger.WatchConfig{Days: s.watchDays(), Actor: dera.Actor{Name: by, How: "engine"}, Found: found}
}

// deniedAfter says which changes denied something, of each the first denial.
func (a *cli) deniedAfter(first []dera.Denial) {
	said := map[string]bool{}
	for _, d := range first {
		if !said[d.Remediation] {
			a.alert("dera: denied after %s: %s; give it back or undo it: %s\n", d.Remediation, app.Plain(d.Text()), a.again("show %s", d.Remediation))
			a.alert("dera: was it dera? %s\n", app.AskCommand(d)+a.orderFlags())
		}
		said[d.Remediation] = true
	}
}

// backText is the first of the commands that give back what was denied, in a line.
func backText(commands []string) string {
	if len(commands) == 0 {
		return ""
	}
	return "; " + giveBackText(commands[0])
}

// giveBackText says what a command gives back, before the command.
func giveBackText(command string) string {
	if strings.Contains(command, " --for "+app.ForGood+" ") {
		return "give just this action back for good: " + command
	}
	return "give just this action back for 8 hours: " + command
}

// printDenials says what a remediation denied, and what undoes it.
func (a *cli) printDenials(p paint, v app.Shown, width int) {
	if len(v.Denials) == 0 {
		return
	}
	a.printf("\n%s\n", p.bold("denied after the change"))
	undo := false
	for _, d := range v.Denials {
		a.printf("%s\n", wrap(app.Plain(d.Text()), "  ", width))
		undo = undo || d.Cause != dera.CauseOther
	}
	if undo && (v.Remediation.State == dera.Resolved || v.Remediation.State == dera.Collateral) {
		for _, c := range v.GiveBack {
			a.printf("  %s\n", giveBackText(c))
		}
		a.printf("%s\n", wrap("undo the whole change: "+app.UndoCommand(v.Remediation.ID)+a.orderFlags(), "  ", width))
		a.printf("%s\n", wrap("undo all that was changed lately, the newest first: "+app.UndoAllCommand(v.Remediation.Plan.Account)+a.orderFlags(), "  ", width))
	}
	if ask := app.AskCommand(v.Denials[len(v.Denials)-1]); ask != "" {
		a.printf("%s\n", wrap("was it dera? "+ask+a.orderFlags(), "  ", width))
	}
}
