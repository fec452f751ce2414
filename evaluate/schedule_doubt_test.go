package evaluate

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
)

// TestSchedulesAtTheEdges holds what a daily schedule hides, and names of services that
// AWS writes in several ways.
func TestSchedulesAtTheEdges(t *testing.T) {
	t.Parallel()
	own := func(s Start) Start { s.Name, s.Roles = "schedule s in eu-west-1", []string{appRole}; return s }
	states := Start{Name: "schedule s in eu-west-1", Expression: "cron(0 0 1 1 ? *)", Services: []string{"states"}}
	declared := []Schedule{{Principal: appRole, Days: 31, Owner: "ops", Reason: "invoices"}}
	for name, tt := range map[string]struct {
		start    Start
		declared []Schedule
		services string
		want     dera.Disposition
		why      string
	}{
		"begins_later":               {own(Start{Expression: "rate(1 day)", Since: noon.AddDate(0, 2, 0)}), nil, "lambda.amazonaws.com", dera.Review, "2027"},
		"begins_later_declared":      {own(Start{Expression: "rate(1 day)", Since: noon.AddDate(0, 2, 0)}), declared, "lambda.amazonaws.com", dera.Review, "2027"},
		"not_run_since_it_was_set":   {own(Start{Expression: "cron(0 0 1 * ? *)", Since: noon.AddDate(0, 0, -20)}), nil, "lambda.amazonaws.com", dera.Review, "is as it is only since"},
		"not_run_since_but_declared": {own(Start{Expression: "cron(0 0 1 * ? *)", Since: noon.AddDate(0, 0, -20)}), declared, "lambda.amazonaws.com", dera.Auto, "31 days"},
		"has_run_since_it_was_set":   {own(Start{Expression: "cron(0 0 1 * ? *)", Since: noon.AddDate(0, 0, -40)}), nil, "lambda.amazonaws.com", dera.Auto, "covered regions"},
		"as_long_as_the_window":      {own(Start{Expression: "rate(90 days)"}), nil, "lambda.amazonaws.com", dera.Review, "90 days"},
		"shorter_than_the_window":    {own(Start{Expression: "rate(80 days)"}), nil, "lambda.amazonaws.com", dera.Auto, ""},
		"declared_like_the_window":   {own(Start{Expression: "rate(1 day)"}), []Schedule{{Principal: appRole, Days: 90, Owner: "ops", Reason: "invoices"}}, "lambda.amazonaws.com", dera.Review, "90 days"},
		"service_of_a_region":        {states, nil, "states.eu-west-1.amazonaws.com", dera.Review, "366"},
		"service_of_china":           {states, nil, "states.amazonaws.com.cn", dera.Review, "366"},
		"of_a_service_but_declared":  {states, declared, "states.amazonaws.com", dera.Auto, "31 days"},
		"own_schedules_of_glue":      {Start{}, nil, "glue.amazonaws.com", dera.Review, "glue.amazonaws.com"},
		"own_schedules_of_airflow":   {Start{}, nil, "airflow-env.amazonaws.com", dera.Review, "airflow-env"},
		"own_schedules_but_declared": {Start{}, declared, "glue.amazonaws.com", dera.Auto, "31 days"},
		"anybody_may_act_as_it":      {own(Start{Expression: "cron(0 0 1 1 ? *)"}), nil, "*", dera.Review, "366"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var list []Start
			if tt.start.Name != "" {
				list = append(list, tt.start)
			}
			rail := Scheduled{Declared: tt.declared, Read: startList{list, nil}, Now: atNoon}
			got, err := rail.Check(t.Context(), losingCase([]string{"s3:GetObject"}, actedAsBy(tt.services)))
			if err != nil || got.Disposition != tt.want || !strings.Contains(got.Why, tt.why) {
				t.Errorf("got %s %q, %v, want %s %q", got.Disposition, got.Why, err, tt.want, tt.why)
			}
		})
	}
}

// TestManySchedules: schedules that start somebody else cost nothing.
func TestManySchedules(t *testing.T) {
	t.Parallel()
	var list []Start
	for n := range 20_000 {
		list = append(list, Start{Name: "s", Expression: fmt.Sprintf("cron(%d %d 1 1/2 ? *)", n%60, n/60%24), Roles: []string{"arn:aws:iam::111122223333:role/other"}})
	}
	began := time.Now()
	rail := Scheduled{Read: startList{list, nil}, Now: atNoon}
	if got, err := rail.Check(t.Context(), losingCase([]string{"s3:GetObject"}, actedAsBy("lambda.amazonaws.com"))); err != nil || got.Disposition != dera.Auto {
		t.Errorf("got %s, %v, want auto", got.Disposition, err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

// TestSchedulesThatNobodyRead: where nothing was read a person decides.
func TestSchedulesThatNobodyRead(t *testing.T) {
	t.Parallel()
	got, err := Scheduled{Now: atNoon}.Check(t.Context(), losingCase([]string{"s3:GetObject"}, actedAsBy("lambda.amazonaws.com")))
	if err != nil || got.Disposition != dera.Review || !strings.Contains(got.Why, "was not read") {
		t.Errorf("got %s %q, %v, want review, since schedules were not read", got.Disposition, got.Why, err)
	}
}

// asked is from when on schedules had to be read.
type asked struct{ since *time.Time }

func (a asked) Starts(_ context.Context, _ string, since time.Time) ([]Start, error) {
	*a.since = since
	return nil, nil
}

// TestSchedulesAreReadSinceTheDecision: what is judged again before it acts goes by no
// schedules that were read before it was decided or approved.
func TestSchedulesAreReadSinceTheDecision(t *testing.T) {
	t.Parallel()
	made, approved := noon.Add(-time.Hour), noon.Add(-time.Minute)
	for name, tt := range map[string]struct {
		r    *dera.Remediation
		want time.Time
	}{
		"first":    {nil, time.Time{}},
		"decided":  {&dera.Remediation{CreatedAt: made}, made},
		"approved": {&dera.Remediation{CreatedAt: made, Steps: []dera.Step{{State: dera.Waiting, At: made}, {State: dera.Ready, At: approved}}}, approved},
	} {
		var since time.Time
		c := losingCase([]string{"s3:GetObject"}, actedAsBy("lambda.amazonaws.com"))
		c.Remediation = tt.r
		got, err := Scheduled{Read: asked{&since}, Now: atNoon}.Check(t.Context(), c)
		if err != nil || got.Disposition != dera.Auto || !since.Equal(tt.want) {
			t.Errorf("%s: got %s, %v, since %v, want since %v", name, got.Disposition, err, since, tt.want)
		}
	}
}
