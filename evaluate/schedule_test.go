package evaluate

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
)

// TestLongestPeriod holds expressions of AWS's documents, and those at their edges.
func TestLongestPeriod(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]int{
		"rate(5 minutes)": 1, "rate(1 day)": 1, "rate(25 hours)": 2, "rate(100 days)": 100, "rate(1440 minutes)": 1,
		"cron(0 10 * * ? *)": 1, "cron(15 12 ? * MON-FRI *)": 3, "cron(0 8 1 * ? *)": 31, "cron(0 18 ? * 2 *)": 7, "cron(0/15 * * * ? *)": 1,
		"cron(0 0 1 1 ? *)": 366, "cron(0 0 1 JAN,APR,JUL,OCT ? *)": 92, "cron(0 0 1 1/3 ? *)": 92, "cron(0 0 1 */6 ? *)": 184, "cron(0 0 29 2 ? *)": 1461,
		"cron(0 0 L * ? *)": 31, "cron(0 0 LW * ? *)": 33, "cron(0 0 15W * ? *)": 32, "cron(0 9 ? * 6L *)": 35, "cron(0 9 ? * FRI#2 *)": 35, "cron(0 9 ? * 2#1 *)": 35,
		"cron(0 9 ? * L *)": 7, "cron(0 9 ? * FRI-MON *)": 4, "cron(0 9 ? DEC-JAN * *)": 305, "cron(0 9 31 * ? *)": 61, "cron(0 9 ? MAR 2 *)": 343,
		"cron(0 9 * * ? 2027)": 0, "cron(0 9 * * ?)": 0, "cron(0 9 32 * ? *)": 0, "cron(0 9 ? * XYZ *)": 0, "cron(0 9 ? * 2#9 *)": 0, "cron(0 9 30 2 ? *)": 0,
		"rate(0 days)": 0, "rate(5 weeks)": 0, "at(2027-01-01T00:00:00)": 0, "cron(0 9 1/0 * ? *)": 0, "cron(0 9 L/2 * ? *)": 0, "": 0, "cron(": 0,
	} {
		if got, ok := longestPeriod(expression); got != want || ok != (want > 0) {
			t.Errorf("%s: got %d, %t, want %d", expression, got, ok, want)
		}
	}
}

func FuzzLongestPeriod(f *testing.F) {
	for _, s := range []string{"cron(0 0 1 1/3 ? *)", "cron(0 9 ? * FRI#2 *)", "cron(0 0 15W * ? *)", "rate(7 days)", "cron(0 9 ? DEC-JAN L *)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if days, ok := longestPeriod(s); ok != (days > 0) {
			t.Errorf("%q: got %d, %t", s, days, ok)
		}
	})
}

// startList is what AWS starts, or why that is not known.
type startList struct {
	list []Start
	err  error
}

func (l startList) Starts(context.Context, string, time.Time) ([]Start, error) { return l.list, l.err }

func TestSchedulesThatAreRead(t *testing.T) {
	t.Parallel()
	const yearly, daily, path = "cron(0 0 1 1 ? *)", "rate(1 day)", "arn:aws:iam::111122223333:role/service-role/app"
	other := strings.Replace(appRole, "111122223333", "444455556666", 1)
	start := func(change func(*Start)) Start {
		s := Start{Name: "rule year-end in eu-west-1", Expression: yearly, Roles: []string{appRole}}
		if change != nil {
			change(&s)
		}
		return s
	}
	declared := []Schedule{{Principal: appRole, Days: 31, Owner: "ops", Reason: "invoices"}}
	for name, tt := range map[string]struct {
		list     []Start
		declared []Schedule
		services string
		want     dera.Disposition
		why      string
	}{
		"function_once_a_year":          {[]Start{start(nil)}, nil, "lambda.amazonaws.com", dera.Review, "rule year-end in eu-west-1, which runs every 366 days"},
		"daily":                         {[]Start{start(func(s *Start) { s.Expression = daily })}, nil, "lambda.amazonaws.com", dera.Auto, "covered regions"},
		"rule_that_is_known":            {[]Start{start(func(s *Start) { s.Expression = daily })}, nil, "events.amazonaws.com", dera.Auto, "covered regions"},
		"rule_that_is_not_found":        {nil, nil, "events.amazonaws.com", dera.Review, "may start"},
		"one_of_two":                    {[]Start{start(func(s *Start) { s.Expression = daily }), start(nil)}, nil, "scheduler.amazonaws.com", dera.Review, "366"},
		"with_a_path":                   {[]Start{start(func(s *Start) { s.Roles = []string{strings.Replace(path, "app", appName(), 1)} })}, nil, "lambda.amazonaws.com", dera.Review, "366"},
		"of_another_account":            {[]Start{start(func(s *Start) { s.Roles = []string{other} })}, nil, "lambda.amazonaws.com", dera.Auto, ""},
		"as_whom_nobody_asked":          {[]Start{start(func(s *Start) { s.Roles, s.Services = nil, []string{"states"} })}, nil, "states.amazonaws.com", dera.Review, "366"},
		"of_another_service":            {[]Start{start(func(s *Start) { s.Roles, s.Services = nil, []string{"states"} })}, nil, "lambda.amazonaws.com", dera.Auto, ""},
		"off":                           {[]Start{start(func(s *Start) { s.Expression, s.Off = daily, true })}, nil, "lambda.amazonaws.com", dera.Review, "switched off"},
		"off_but_declared":              {[]Start{start(func(s *Start) { s.Expression, s.Off = daily, true })}, declared, "lambda.amazonaws.com", dera.Auto, "31 days"},
		"once_a_year_although_declared": {[]Start{start(nil)}, declared, "lambda.amazonaws.com", dera.Review, "366"},
		"not_readable":                  {[]Start{start(func(s *Start) { s.Expression = "cron(0 0 1 1 ? 2027)" })}, nil, "lambda.amazonaws.com", dera.Review, "does not say how often"},
		"once_to_come":                  {[]Start{start(func(s *Start) { s.Expression = "at(2027-03-01T00:00:00)" })}, nil, "lambda.amazonaws.com", dera.Review, "runs once"},
		"once_that_was":                 {[]Start{start(func(s *Start) { s.Expression = "at(2026-03-01T00:00:00)" })}, nil, "lambda.amazonaws.com", dera.Auto, ""},
		"over":                          {[]Start{start(func(s *Start) { s.Until = noon.Add(-time.Hour) })}, nil, "lambda.amazonaws.com", dera.Auto, ""},
		"others_are_not_read":           {nil, nil, "dlm.amazonaws.com", dera.Review, "dlm.amazonaws.com"},
		"nobody_starts_it":              {[]Start{start(nil)}, nil, "", dera.Auto, "no schedule starts it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := actedAsBy(strings.Fields(tt.services)...)
			rail := Scheduled{Declared: tt.declared, Read: startList{tt.list, nil}, Now: atNoon}
			got, err := rail.Check(t.Context(), losingCase([]string{"s3:GetObject"}, p))
			if err != nil || got.Disposition != tt.want || !strings.Contains(got.Why, tt.why) {
				t.Errorf("got %s %q, %v, want %s %q", got.Disposition, got.Why, err, tt.want, tt.why)
			}
		})
	}
	rail := Scheduled{Read: startList{nil, errors.New("denied")}, Now: atNoon}
	if _, err := rail.Check(t.Context(), losingCase([]string{"s3:GetObject"}, actedAsBy("lambda.amazonaws.com"))); err == nil {
		t.Error("schedules that could not be read: got no error")
	}
}

func appName() string { return appRole[strings.LastIndexByte(appRole, '/')+1:] }
