package cloud_test

import (
	"slices"
	"strings"
	"testing"

	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
)

func TestSchedules(t *testing.T) {
	t.Parallel()
	f := newBuckets(t)
	const account = cloudtest.Hub
	role := func(name string) string { return "arn:aws:iam::" + account + ":role/" + name }
	function := func(name string) string {
		return "arn:aws:lambda:" + cloudtest.East + ":" + account + ":function:" + name
	}
	f.Home.AddFunction("year-end", role("year-end-role"))
	for _, s := range []awssim.Schedule{
		{Kind: "rule", Name: "yearly", Expression: "cron(0 0 1 1 ? *)", Target: function("year-end")},
		{Kind: "rule", Name: "alias", Expression: "cron(0 0 2 1 ? *)", Target: function("year-end:live")},
		{Kind: "rule", Name: "deleted", Expression: "cron(0 0 1 2 ? *)", Target: function("nothing")},
		{Kind: "rule", Name: "daily", Expression: "rate(1 day)", Target: function("year-end")},
		{Kind: "rule", Name: "by-events", Target: function("year-end")},
		{Kind: "rule", Name: "states", Expression: "cron(0 0 1 3 ? *)", Off: true, Target: "arn:aws:states:us-east-1:" + account + ":stateMachine:m", Role: role("starts-m")},
		{Kind: "rule", Name: "queue", Expression: "cron(0 0 1 4 ? *)", Target: "arn:aws:sqs:us-east-1:" + account + ":q"},
		{Kind: "schedule", Name: "task", Expression: "rate(100 days)", Target: "arn:aws:ecs:us-east-1:" + account + ":cluster/c", Role: role("starts-tasks")},
		{Kind: "schedule", Name: "call", Expression: "rate(101 days)", Target: "arn:aws:scheduler:::aws-sdk:sfn:startExecution", Role: role("calls")},
		{Kind: "schedule", Name: "stop", Expression: "rate(102 days)", Target: "arn:aws:scheduler:::aws-sdk:ec2:stopInstances", Role: role("calls")},
		{Kind: "plan", Name: "backup", Role: role("backs-up")},
		{Kind: "plan", Name: "archive", Expression: "cron(0 5 1 1 ? *)", Role: role("archives")},
	} {
		f.Home.AddSchedule(s)
	}
	list, err := f.Schedules(t.Context(), account, cloudtest.East, func(s cloud.Schedule) bool { return s.Expression != "rate(1 day)" })
	var got []string
	for _, s := range list {
		line := s.Name + " " + s.Expression
		for _, r := range s.Roles {
			line += " " + strings.TrimPrefix(r, role(""))
		}
		if s.Off {
			line += " off"
		}
		got = append(got, strings.TrimSpace(strings.ReplaceAll(line, " in "+cloudtest.East, "")+" "+strings.Join(s.Services, " ")))
	}
	slices.Sort(got)
	want := []string{
		"backup plan archive cron(0 5 1 1 ? *) archives", "backup plan backup cron(0 5 ? * * *) backs-up",
		"rule alias cron(0 0 2 1 ? *) year-end-role", "rule daily rate(1 day)", "rule deleted cron(0 0 1 2 ? *)", "rule queue cron(0 0 1 4 ? *)",
		"rule states cron(0 0 1 3 ? *) starts-m off states.amazonaws.com", "rule yearly cron(0 0 1 1 ? *) year-end-role",
		"schedule call rate(101 days) calls states.amazonaws.com", "schedule stop rate(102 days) calls",
		"schedule task rate(100 days) starts-tasks ecs-tasks.amazonaws.com ecs.amazonaws.com",
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v\n%s\nwant\n%s", err, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	calls := len(f.Calls)
	if _, err := f.Schedules(t.Context(), account, cloudtest.East, func(cloud.Schedule) bool { return true }); err != nil || len(f.Calls) != calls {
		t.Errorf("asked again: got %d calls, %v, want none", len(f.Calls)-calls, err)
	}
	for _, service := range []string{"scheduler", "events", "backup"} {
		t.Run(service, func(t *testing.T) {
			f := newBuckets(t)
			f.Cloud.Inject(awssim.Fault{Match: awssim.Match{Service: service}, Kind: awssim.Denied})
			if list, err := f.Schedules(t.Context(), account, cloudtest.East, func(cloud.Schedule) bool { return true }); !cloud.Is(err, cloud.Denied) || list != nil {
				t.Errorf("denied: got %v, %v, want the error", list, err)
			}
		})
	}
}
