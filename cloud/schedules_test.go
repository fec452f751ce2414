package cloud_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

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
		{Kind: "schedule", Name: "grow", Expression: "rate(103 days)", Target: "arn:aws:scheduler:::aws-sdk:autoscaling:setDesiredCapacity", Role: role("calls")},
		{Kind: "rule", Name: "reboot", Expression: "rate(104 days)", Target: "arn:aws:events:us-east-1:" + account + ":target/reboot-instance"},
		{Kind: "rule", Name: "job", Expression: "rate(105 days)", Target: "arn:aws:glue:us-east-1:" + account + ":workflow/w"},
		{Kind: "plan", Name: "backup", Role: role("backs-up")},
		{Kind: "restore", Name: "drill", Expression: "cron(0 5 1 1/6 ? *)", Role: role("restores")},
		{Kind: "plan", Name: "archive", Expression: "cron(0 5 1 1 ? *)", Role: role("archives")},
	} {
		f.Home.AddSchedule(s)
	}
	list, err := f.Schedules(t.Context(), cloud.ScheduleLook{Account: account, Region: cloudtest.East, Follow: func(s cloud.Schedule) bool { return s.Expression != "rate(1 day)" }})
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
	const workers = "lambda states ecs-tasks ecs batch ec2 pods glue codebuild sagemaker elasticmapreduce emr-serverless"
	want := []string{
		"backup plan archive cron(0 5 1 1 ? *) archives", "backup plan backup cron(0 5 ? * * *) backs-up",
		"restore test drill cron(0 5 1 1/6 ? *) restores",
		"rule alias cron(0 0 2 1 ? *) year-end-role", "rule daily rate(1 day)", "rule deleted cron(0 0 1 2 ? *)", "rule job rate(105 days) glue",
		"rule queue cron(0 0 1 4 ? *) " + workers + " sqs", "rule reboot rate(104 days) ec2",
		"rule states cron(0 0 1 3 ? *) starts-m off " + workers + " states", "rule yearly cron(0 0 1 1 ? *) year-end-role",
		"schedule call rate(101 days) calls " + workers + " sfn", "schedule grow rate(103 days) calls " + workers + " autoscaling", "schedule stop rate(102 days) calls",
		"schedule task rate(100 days) starts-tasks ecs-tasks ecs",
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v\n%s\nwant\n%s", err, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	calls := len(f.Calls)
	if _, err := f.Schedules(t.Context(), cloud.ScheduleLook{Account: account, Region: cloudtest.East, Follow: func(cloud.Schedule) bool { return true }}); err != nil || len(f.Calls) != calls {
		t.Errorf("asked again: got %d calls, %v, want none", len(f.Calls)-calls, err)
	}
	for _, service := range []string{"scheduler", "events", "backup"} {
		t.Run(service, func(t *testing.T) {
			f := newBuckets(t)
			f.Cloud.Inject(awssim.Fault{Match: awssim.Match{Service: service}, Kind: awssim.Denied})
			if list, err := f.Schedules(t.Context(), cloud.ScheduleLook{Account: account, Region: cloudtest.East, Follow: func(cloud.Schedule) bool { return true }}); !cloud.Is(err, cloud.Denied) || list != nil {
				t.Errorf("denied: got %v, %v, want the error", list, err)
			}
		})
	}
}

// TestSchedulesSince: since when something is as it is.
func TestSchedulesSince(t *testing.T) {
	t.Parallel()
	f := newBuckets(t)
	set, begins := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)
	const queue = "arn:aws:sqs:us-east-1:" + cloudtest.Hub + ":q"
	for _, s := range []awssim.Schedule{
		{Kind: "schedule", Name: "old", Expression: "rate(1 day)", Target: queue},
		{Kind: "schedule", Name: "changed", Expression: "rate(1 day)", Target: queue, Changed: set},
		{Kind: "schedule", Name: "begins", Expression: "rate(1 day)", Target: queue, Changed: set, Begins: begins},
		{Kind: "plan", Name: "backup", Changed: set},
		{Kind: "rule", Name: "rule", Expression: "rate(1 day)", Target: queue, Changed: set},
		{Kind: "restore", Name: "drill", Expression: "rate(1 day)", Changed: set},
	} {
		f.Home.AddSchedule(s)
	}
	list, err := f.Schedules(t.Context(), cloud.ScheduleLook{Account: cloudtest.Hub, Region: cloudtest.East, Follow: func(cloud.Schedule) bool { return false }})
	got := map[string]time.Time{}
	for _, s := range list {
		got[strings.TrimSuffix(s.Name, " in "+cloudtest.East)] = s.Since.UTC()
	}
	want := map[string]time.Time{"schedule old": {}, "schedule changed": set, "schedule begins": begins, "backup plan backup": set, "rule rule": {}, "restore test drill": set}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

// TestSchedulesOfARegionThatIsOff: nothing runs where the account has no region.
func TestSchedulesOfARegionThatIsOff(t *testing.T) {
	t.Parallel()
	f := newBuckets(t)
	if list, err := f.Schedules(t.Context(), cloud.ScheduleLook{Account: cloudtest.Hub, Region: "me-south-1", Follow: func(cloud.Schedule) bool { return true }}); err != nil || len(list) > 0 {
		t.Errorf("got %v, %v, want none", list, err)
	}
	f = newBuckets(t)
	f.Cloud.Inject(awssim.Fault{Match: awssim.Match{Service: "ec2"}, Kind: awssim.Denied})
	if list, err := f.Schedules(t.Context(), cloud.ScheduleLook{Account: cloudtest.Hub, Region: "me-south-1", Follow: func(cloud.Schedule) bool { return true }}); err == nil {
		t.Errorf("nobody knows which are on: got %v, want an error", list)
	}
}

// TestSchedulesSinceADecision: what is remembered from before a decision is read again right
// before its write, and once for all that were decided by then.
func TestSchedulesSinceADecision(t *testing.T) {
	t.Parallel()
	f := newBuckets(t)
	ask := func(since time.Time) (names []string, calls int) {
		t.Helper()
		before := len(f.Calls)
		list, err := f.Schedules(t.Context(), cloud.ScheduleLook{Account: cloudtest.Hub, Region: cloudtest.East, Since: since, Follow: func(cloud.Schedule) bool { return true }})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			names = append(names, s.Name)
		}
		return names, len(f.Calls) - before
	}
	ask(time.Time{})
	f.Home.AddSchedule(awssim.Schedule{Kind: "restore", Name: "drill", Expression: "cron(0 5 1 1/6 ? *)"})
	if got, calls := ask(time.Now().Add(-time.Minute)); len(got) > 0 || calls > 0 {
		t.Errorf("decided before it was read: got %v by %d calls, want what is remembered", got, calls)
	}
	decided := time.Now()
	if got, _ := ask(decided); len(got) != 1 {
		t.Errorf("decided since: got %v, want the new one", got)
	}
	if got, calls := ask(decided); len(got) != 1 || calls > 0 {
		t.Errorf("once more: got %v by %d calls, want what is remembered", got, calls)
	}
}

// TestSchedulesThatCannotBeRead: every finding asks, and AWS is asked once a minute.
func TestSchedulesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	f := newBuckets(t)
	f.Cloud.Inject(awssim.Fault{Match: awssim.Match{Service: "scheduler"}, Kind: awssim.Denied})
	ask := func() (calls int, err error) {
		before := len(f.Calls)
		_, err = f.Schedules(t.Context(), cloud.ScheduleLook{Account: cloudtest.Hub, Region: cloudtest.East, Follow: func(cloud.Schedule) bool { return true }})
		return len(f.Calls) - before, err
	}
	if n, err := ask(); n == 0 || err == nil {
		t.Fatalf("first: got %d calls, %v", n, err)
	}
	if n, err := ask(); n != 0 || !cloud.Is(err, cloud.Denied) {
		t.Errorf("again: got %d calls, %v, want none, and the error", n, err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	other := newBuckets(t)
	if _, err := other.Schedules(gone, cloud.ScheduleLook{Account: cloudtest.Hub, Region: cloudtest.East, Follow: func(cloud.Schedule) bool { return true }}); err == nil {
		t.Error("of a caller who went: got no error")
	}
	if _, err := other.Schedules(t.Context(), cloud.ScheduleLook{Account: cloudtest.Hub, Region: cloudtest.East, Follow: func(cloud.Schedule) bool { return true }}); err != nil {
		t.Errorf("after a caller who went: got %v", err)
	}
}
