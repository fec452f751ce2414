package evaluate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
)

// fixes is a ledger of failed fixes.
type fixes struct {
	failed  []dera.FailedFix
	resumed map[string]time.Time
	spent   map[string]int // by account
	err     error
	only    string // which call fails; all if empty
}

func (l fixes) fails(call string) error {
	if l.only == "" || l.only == call {
		return l.err
	}
	return nil
}

func (l fixes) FailedFixes(_ context.Context, since time.Time) (out []dera.FailedFix, err error) {
	for _, f := range l.failed {
		if f.At.After(since) {
			out = append(out, f)
		}
	}
	return out, l.fails("fixes")
}

func (l fixes) Resumed(context.Context) (map[string]time.Time, error) {
	return l.resumed, l.fails("resumed")
}

func (l fixes) Spent(_ context.Context, account, control string, _ time.Time) (int, error) {
	if control != "" {
		return 0, errors.New("the reserve is of all controls")
	}
	return l.spent[account], l.fails("spent")
}

// failing are failed fixes of resources of their own, minutes ago.
func failing(account string, minutes ...int) (out []dera.FailedFix) {
	for i, m := range minutes {
		out = append(out, dera.FailedFix{Account: account, Resource: fmt.Sprintf("%s/%d", account, i), At: noon.Add(-time.Duration(m) * time.Minute)})
	}
	return out
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	const here, there, third = "111122223333", "444455556666", "777788889999"
	critical := func(c *Case) { c.Finding.Severity = dera.Critical }
	production := inAccount(dera.Account{Tags: map[string]string{"environment": "Production"}})
	all := func(lists ...[]dera.FailedFix) (out []dera.FailedFix) {
		for _, l := range lists {
			out = append(out, l...)
		}
		return out
	}
	same := failing(here, 30, 20, 10)
	for i := range same {
		same[i].Resource = "one"
	}
	three := failing(here, 30, 20, 10)
	tests := []struct {
		name   string
		ledger fixes
		rail   Breaker
		change func(*Case)
		want   dera.Disposition // 0: an error
		why    string
	}{
		{name: "nothing_failed", want: dera.Auto, why: "no fix failed"},
		{name: "two_failed", ledger: fixes{failed: failing(here, 20, 10)}, want: dera.Auto},
		{name: "three_failed", ledger: fixes{failed: three}, want: dera.Review, why: "in this account"},
		{name: "one_resource_counts_once", ledger: fixes{failed: same}, want: dera.Auto},
		{name: "three_failed_elsewhere", ledger: fixes{failed: failing(there, 30, 20, 10)}, want: dera.Auto},
		{name: "two_other_accounts_do_not_stop_this_one", ledger: fixes{failed: all(failing(there, 30, 20, 10), failing(third, 30, 20, 10))}, want: dera.Auto},
		{name: "one_error_each_is_no_breaker", ledger: fixes{failed: all(failing(here, 9), failing(there, 8), failing(third, 7), failing("222233334444", 6))}, want: dera.Auto},
		{name: "three_accounts_stop_all", ledger: fixes{failed: all(failing("222233334444", 32, 22, 12), failing(there, 30, 20, 10), failing(third, 31, 21, 11))}, want: dera.Review, why: "in 3 accounts"},
		{name: "spread_over_more_than_the_window", ledger: fixes{failed: failing(here, 130, 70, 10)}, want: dera.Auto},
		{name: "it_stays_open_while_errors_go_on", ledger: fixes{failed: failing(here, 180, 170, 160, 110, 59)}, want: dera.Review},
		{name: "it_closes_after_a_quiet_time", ledger: fixes{failed: failing(here, 80, 70, 60)}, want: dera.Auto},
		{name: "after_a_quiet_time_it_counts_anew", ledger: fixes{failed: failing(here, 130, 125, 120, 59, 58)}, want: dera.Auto},
		{name: "after_a_quiet_time_it_opens_again", ledger: fixes{failed: failing(here, 130, 125, 120, 59, 58, 57)}, want: dera.Review},
		{name: "a_shorter_quiet_time", ledger: fixes{failed: three}, rail: Breaker{Quiet: 10 * time.Minute}, want: dera.Auto},
		{name: "more_errors_allowed", ledger: fixes{failed: three}, rail: Breaker{Errors: 4}, want: dera.Auto},
		{name: "resumed", ledger: fixes{failed: three, resumed: map[string]time.Time{here: noon.Add(-time.Minute)}}, want: dera.Auto},
		{name: "resumed_everywhere", ledger: fixes{failed: three, resumed: map[string]time.Time{"": noon.Add(-time.Minute)}}, want: dera.Auto},
		{name: "resumed_elsewhere", ledger: fixes{failed: three, resumed: map[string]time.Time{there: noon}}, want: dera.Review},
		{name: "resumed_before_the_errors", ledger: fixes{failed: three, resumed: map[string]time.Time{"": noon.Add(-time.Hour)}}, want: dera.Review},
		{name: "what_is_not_automatic_passes", ledger: fixes{failed: three}, change: func(c *Case) { c.Finding.Start = dera.Review }, want: dera.Auto},
		{name: "reserve_for_critical", ledger: fixes{failed: three, spent: map[string]int{here: 1}}, change: critical, want: dera.Auto, why: "1 of a reserve of 2"},
		{name: "reserve_for_production", ledger: fixes{failed: three}, change: production, want: dera.Auto, why: "reserve"},
		{name: "reserve_is_spent", ledger: fixes{failed: three, spent: map[string]int{here: 2}}, change: critical, want: dera.Review},
		{name: "own_spend_does_not_count", ledger: fixes{failed: three, spent: map[string]int{here: 2}}, want: dera.Auto,
			change: func(c *Case) { critical(c); c.Remediation = &dera.Remediation{CreatedAt: noon} }},
		{name: "own_spend_from_before_was_not_counted", ledger: fixes{failed: three, spent: map[string]int{here: 2}}, want: dera.Review,
			change: func(c *Case) { critical(c); c.Remediation = &dera.Remediation{CreatedAt: noon.Add(-time.Hour)} }},
		{name: "no_reserve", ledger: fixes{failed: three}, rail: Breaker{Reserve: -1}, change: critical, want: dera.Review},
		{name: "reserve_of_everything", ledger: fixes{failed: all(three, failing(there, 30, 20, 10), failing(third, 31, 21, 11)), spent: map[string]int{"": 2}}, change: critical, want: dera.Review},
		{name: "fixes_cannot_be_read", ledger: fixes{failed: three, err: errors.New("down"), only: "fixes"}},
		{name: "resumes_cannot_be_read", ledger: fixes{failed: three, err: errors.New("down"), only: "resumed"}},
		{name: "spends_cannot_be_read", ledger: fixes{failed: three, err: errors.New("down"), only: "spent"}, change: critical},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.rail.Ledger, tt.rail.Now = tt.ledger, atNoon
			r, err := tt.rail.Check(t.Context(), caseOf(tt.change))
			if tt.want == 0 {
				if err == nil {
					t.Errorf("got %+v, want an error", r)
				}
				return
			}
			if err != nil || r.Disposition != tt.want || !strings.Contains(r.Why, tt.why) {
				t.Errorf("got %s %q, %v, want %s with %q", r.Disposition, r.Why, err, tt.want, tt.why)
			}
			r.Guardrail = tt.rail.Name()
			draws := strings.Contains(r.Why, "of a reserve")
			if got, ok := ReserveOf(dera.Decision{Reasons: []dera.Reason{r}}); ok != draws || ok && (got.Most != 2 || got.Account != here || !got.Since.Equal(noon.Add(-10*time.Minute))) {
				t.Errorf("reserve: got %+v, %t, want it %t", got, ok, draws)
			}
		})
	}
}
