package evaluate

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
)

// earlierRuns are remediations in other accounts, and denials after them.
type earlierRuns struct {
	list    []dera.Remediation
	denials []dera.Denial
	err     error
	asked   []string
	since   time.Time
}

func (l *earlierRuns) RunsBefore(_ context.Context, partition string, accounts []string, since time.Time) (out []RunBefore, err error) {
	if partition != "aws" {
		return nil, errors.New("asked for another partition")
	}
	l.asked, l.since = accounts, since
	for _, r := range l.list {
		out = append(out, RunOf(r, l.denials))
	}
	return out, l.err
}

// runIn is a remediation that went through states, each so many days ago.
func runIn(id, account string, states ...any) dera.Remediation {
	r := dera.Remediation{ID: id, Control: "ctl", Plan: dera.Plan{Account: account}}
	for i := 0; i < len(states); i += 2 {
		r.State = states[i].(dera.State)
		r.Steps = append(r.Steps, dera.Step{State: r.State, At: noon.AddDate(0, 0, -states[i+1].(int))})
	}
	return r
}

func fixedIn(id, account string, ago int) dera.Remediation {
	return runIn(id, account, dera.Ready, ago, dera.Applying, ago, dera.Verifying, ago, dera.Resolved, ago)
}

const (
	sandbox    = "444455556666"
	staging    = "777788889999"
	production = "111122223333"
)

// guarding is what guards production of ctl until it ran in the sandbox or in staging.
func guarding() NonProductionFirst {
	return NonProductionFirst{
		List:     []RunFirst{{Match: Where{Control: "c*", OU: "production"}, After: []Where{{Account: sandbox}, {OU: "staging"}}}},
		Accounts: []dera.Account{{ID: production, OU: "production"}, {ID: sandbox, OU: "sandbox"}, {ID: staging, OU: "staging"}},
		Now:      atNoon,
	}
}

func TestNonProductionFirst(t *testing.T) {
	t.Parallel()
	other := func(r dera.Remediation) dera.Remediation { r.Control = "another"; return r }
	denied := func(id string, ago int, cause dera.DenialCause) []dera.Denial {
		at := noon.AddDate(0, 0, -ago)
		return []dera.Denial{{Remediation: id, Principal: "arn:aws:iam::" + sandbox + ":role/app", Call: "s3:GetObject", Actions: []string{"s3:GetObject"}, Cause: cause, First: at.AddDate(0, 0, -1), Last: at, Events: []string{"e"}}}
	}
	long := fixedIn("r-1", sandbox, 20)
	tests := []struct {
		name   string
		runs   []dera.Remediation
		denied []dera.Denial
		err    error
		change func(*Case)
		rail   func(*NonProductionFirst)
		want   dera.Disposition // 0: an error
		why    string
	}{
		{name: "nothing_is_configured", rail: func(g *NonProductionFirst) { g.List = nil }, want: dera.Auto, why: "no entry of non_production_first is configured"},
		{name: "never_ran", want: dera.Review, why: "ctl has fixed nothing in accounts 444455556666, 777788889999 yet; it must run there for 14 days first"},
		{name: "ran_long_enough", runs: []dera.Remediation{long}, want: dera.Auto, why: "ctl ran in account 444455556666 since 2026-11-03 12:00 UTC (r-1), and nothing in accounts"},
		{name: "ran_in_the_ou", runs: []dera.Remediation{fixedIn("r-2", staging, 14)}, want: dera.Auto, why: "account 777788889999 since 2026-11-09"},
		{name: "not_long_enough", runs: []dera.Remediation{fixedIn("r-1", sandbox, 13)}, want: dera.Review, why: "since 2026-11-10 12:00 UTC (r-1), and 14 days are required"},
		{name: "the_first_run_counts", runs: []dera.Remediation{fixedIn("r-2", sandbox, 1), long}, want: dera.Auto, why: "(r-1)"},
		{name: "fewer_days", runs: []dera.Remediation{fixedIn("r-1", sandbox, 3)}, rail: func(g *NonProductionFirst) { g.List[0].Days = 3 }, want: dera.Auto, why: "3 days are required"},
		{name: "collateral_counts", runs: []dera.Remediation{runIn("r-1", sandbox, dera.Verifying, 20, dera.Collateral, 20)}, want: dera.Auto},
		{name: "collateral_by_a_later_event_ran_since_it_was_resolved", runs: []dera.Remediation{runIn("r-1", sandbox, dera.Verifying, 20, dera.Resolved, 20, dera.Collateral, 1)}, want: dera.Auto},
		{name: "observed_is_no_run", runs: []dera.Remediation{runIn("r-1", sandbox, dera.Observed, 20)}, want: dera.Review, why: "fixed nothing"},
		{name: "waiting_is_no_run", runs: []dera.Remediation{runIn("r-1", sandbox, dera.Waiting, 20)}, want: dera.Review, why: "fixed nothing"},
		{name: "another_control", runs: []dera.Remediation{other(long)}, want: dera.Review, why: "fixed nothing"},
		{name: "another_account", runs: []dera.Remediation{fixedIn("r-1", "222233334444", 20)}, want: dera.Review, why: "fixed nothing"},

		{name: "rolled_back", runs: []dera.Remediation{runIn("r-1", sandbox, dera.Verifying, 20, dera.Resolved, 20, dera.Undoing, 2, dera.RolledBack, 2)}, want: dera.Review, why: "r-1 of ctl in account 444455556666 was rolled back (2026-11-21 12:00 UTC); it must run again"},
		{name: "another_one_was_rolled_back_since", runs: []dera.Remediation{long, runIn("r-2", staging, dera.Resolved, 9, dera.Undoing, 2, dera.RolledBack, 2)}, want: dera.Review, why: "r-2 of ctl in account 777788889999 was rolled back"},
		{name: "rolled_back_and_ran_again", runs: []dera.Remediation{runIn("r-1", sandbox, dera.Resolved, 40, dera.Undoing, 30, dera.RolledBack, 30), long}, want: dera.Auto},
		{name: "rolled_back_and_runs_again_since_lately", runs: []dera.Remediation{long, runIn("r-1", sandbox, dera.Resolved, 40, dera.Undoing, 10, dera.RolledBack, 10), fixedIn("r-3", sandbox, 5)}, want: dera.Review, why: "since then ctl ran in account 444455556666 since 2026-11-18 12:00 UTC (r-3), and 14 days are required"},
		{name: "another_control_was_rolled_back", runs: []dera.Remediation{long, other(runIn("r-2", sandbox, dera.Resolved, 9, dera.Undoing, 2, dera.RolledBack, 2))}, want: dera.Auto},
		{name: "a_rollback_found_nothing_to_do", runs: []dera.Remediation{long, runIn("r-2", sandbox, dera.Resolved, 9, dera.Undoing, 2, dera.Collateral, 2)}, want: dera.Review, why: "r-2 of ctl in account 444455556666 was to be rolled back"},
		{name: "an_undo_failed_and_stays_so", runs: []dera.Remediation{runIn("r-0", sandbox, dera.Applying, 90, dera.Undoing, 90, dera.UndoFailed, 90), long}, want: dera.Review, why: "r-0 of ctl in account 444455556666 could not be undone"},
		{name: "an_undo_failed_and_was_done_later", runs: []dera.Remediation{runIn("r-0", sandbox, dera.UndoFailed, 90, dera.Undoing, 60, dera.RolledBack, 60), long}, want: dera.Auto},
		{name: "is_being_undone", runs: []dera.Remediation{long, runIn("r-2", sandbox, dera.Resolved, 19, dera.Undoing, 0)}, want: dera.Review, why: "is being undone"},
		{name: "its_verification_failed", runs: []dera.Remediation{long, runIn("r-2", sandbox, dera.Applying, 2, dera.Verifying, 2, dera.Undoing, 2, dera.Failed, 2)}, want: dera.Review, why: "since its verification failed"},
		{name: "it_failed_and_showed_later", runs: []dera.Remediation{runIn("r-1", sandbox, dera.Applying, 20, dera.Undoing, 20, dera.Failed, 20, dera.Collateral, 20)}, want: dera.Review, why: "fixed nothing"},
		{name: "aws_refused_it", runs: []dera.Remediation{long, runIn("r-2", sandbox, dera.Applying, 2, dera.Undoing, 2, dera.Failed, 2)}, want: dera.Auto},

		{name: "denied", runs: []dera.Remediation{long}, denied: denied("r-1", 2, dera.CauseRemoved), want: dera.Review, why: "r-1 of ctl in account 444455556666 denied what is in use, or may have: role/app was denied s3:GetObject"},
		{name: "perhaps_denied", runs: []dera.Remediation{long, fixedIn("r-2", staging, 3)}, denied: denied("r-2", 2, dera.CauseUnknown), want: dera.Review, why: "it may be this change"},
		{name: "denied_by_another_policy", runs: []dera.Remediation{long}, denied: denied("r-1", 2, dera.CauseOther), want: dera.Auto},
		{name: "denied_before_it_was_verified", runs: []dera.Remediation{runIn("r-1", sandbox, dera.Applying, 23, dera.Verifying, 23, dera.Resolved, 20)}, denied: denied("r-1", 22, dera.CauseRemoved), want: dera.Review, why: "r-1 of ctl in account 444455556666 denied what is in use, or may have"},
		{name: "denied_before_it_ran_again", runs: []dera.Remediation{fixedIn("r-0", sandbox, 40), long}, denied: denied("r-0", 30, dera.CauseRemoved), want: dera.Auto, why: "(r-1)"},

		{name: "cannot_be_read", err: errors.New("down")},
		{name: "what_is_not_guarded_is_not_read", err: errors.New("down"), change: func(c *Case) { c.Account.OU = "staging" }, want: dera.Auto, why: "guards it"},
		{name: "a_control_that_is_not_guarded", err: errors.New("down"), change: func(c *Case) { c.Finding.Control = "d" }, want: dera.Auto, why: "guards it"},
		{name: "a_control_that_only_reports", err: errors.New("down"), change: func(c *Case) { c.Finding.Start = dera.Alert }, want: dera.Auto, why: "changes nothing"},
		{name: "no_account_fits_any_more", runs: []dera.Remediation{long}, rail: func(g *NonProductionFirst) { g.Accounts = nil }, want: dera.Review, why: "none of these is configured"},
		{name: "every_entry_holds", runs: []dera.Remediation{fixedIn("r-1", sandbox, 20)}, rail: func(g *NonProductionFirst) {
			g.List = append(g.List, RunFirst{Match: Where{Account: production}, After: []Where{{Account: staging}}})
		}, want: dera.Review, why: "ctl has fixed nothing in account 777788889999 yet"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := guarding()
			g.Runs = &earlierRuns{list: tt.runs, denials: tt.denied, err: tt.err}
			if tt.rail != nil {
				tt.rail(&g)
			}
			r, err := g.Check(t.Context(), caseOf(func(c *Case) {
				c.Finding.Partition, c.Account = "aws", dera.Account{ID: production, OU: "production"}
				if tt.change != nil {
					tt.change(c)
				}
			}))
			if tt.want == 0 {
				if err == nil {
					t.Errorf("got %+v, want an error", r)
				}
				return
			}
			if err != nil || r.Disposition != tt.want || !strings.Contains(r.Why, tt.why) {
				t.Errorf("got %s %q, %v, want %s with %q", r.Disposition, r.Why, err, tt.want, tt.why)
			}
		})
	}
}

// TestNonProductionFirstReadsAgain: right before a write nothing counts that was read
// before the decision.
func TestNonProductionFirstReadsAgain(t *testing.T) {
	t.Parallel()
	g, runs := guarding(), &earlierRuns{list: []dera.Remediation{fixedIn("r-1", sandbox, 20)}}
	g.Runs = runs
	decided := noon.Add(-time.Minute)
	_, err := g.Check(t.Context(), caseOf(func(c *Case) {
		c.Finding.Partition, c.Account = "aws", dera.Account{ID: production, OU: "production"}
		c.Remediation = &dera.Remediation{CreatedAt: decided}
	}))
	if err != nil || !runs.since.Equal(decided) || !slices.Equal(runs.asked, []string{sandbox, staging}) {
		t.Errorf("asked of %v since %s, %v, want sandbox and staging since the decision at %s", runs.asked, runs.since, err, decided)
	}
}

func TestNonProductionFirstIsChecked(t *testing.T) {
	t.Parallel()
	with := func(change func(*RunFirst)) NonProductionFirst {
		g := guarding()
		g.List = append(g.List, RunFirst{Match: Where{OU: "production"}, After: []Where{{OU: "staging"}}})
		change(&g.List[1])
		return g
	}
	for want, g := range map[string]NonProductionFirst{
		"non_production_first[1].days: is 367":                                             with(func(x *RunFirst) { x.Days = 367 }),
		"non_production_first[1].days: is -1":                                              with(func(x *RunFirst) { x.Days = -1 }),
		"non_production_first[1].match: names no place":                                    with(func(x *RunFirst) { x.Match = Where{Control: "c*"} }),
		"non_production_first[1].match.resource_tags: whoever":                             with(func(x *RunFirst) { x.Match.ResourceTags = map[string]string{"a": "b"} }),
		"non_production_first[1].after: is mandatory":                                      with(func(x *RunFirst) { x.After = nil }),
		"non_production_first[1].after[0]: names no place":                                 with(func(x *RunFirst) { x.After = []Where{{}} }),
		"non_production_first[1].after[0].control: it is":                                  with(func(x *RunFirst) { x.After[0].Control = "c" }),
		"non_production_first[1].after[0].resource_tags: name acc":                         with(func(x *RunFirst) { x.After[0].ResourceTags = map[string]string{"a": "b"} }),
		"non_production_first[1].after[0]: fits none of accounts":                          with(func(x *RunFirst) { x.After[0].OU = "nowhere" }),
		"non_production_first[1].after: account 777788889999 is guarded itself by match: ": with(func(x *RunFirst) { x.Match = Where{Account: "*"} }),
	} {
		if err := g.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	if err := guarding().Validate(); err != nil {
		t.Errorf("a good one: got %v", err)
	}
}
