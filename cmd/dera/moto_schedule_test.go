package main

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
)

// TestMotoPermissions_copy: an inline copy without what was not used takes the place of
// a policy of AWS, and the rollback attaches that again.
func TestMotoPermissions_copy(t *testing.T) {
	w := newIAMWorld(t, "permissions: aws_managed: auto")
	const full, copied = "arn:aws:iam::aws:policy/AmazonSQSFullAccess", "AmazonSQSFullAccess-v1-narrowed"
	w.role("queues", lambdaTrust, "")
	w.must(w.iam.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: aws.String("queues"), PolicyArn: aws.String(full)}))
	w.behind(t, 0)
	w.recorded(map[string][][2]string{w.arn("role", "queues"): {{"sqs.amazonaws.com", "ListQueues"}, {"sqs.amazonaws.com", "GetQueueAttributes"}}})
	policies := func() (attached, inline []string) {
		a, errA := w.iam.ListAttachedRolePolicies(t.Context(), &iam.ListAttachedRolePoliciesInput{RoleName: aws.String("queues")})
		i, errI := w.iam.ListRolePolicies(t.Context(), &iam.ListRolePoliciesInput{RoleName: aws.String("queues")})
		if err := errors.Join(errA, errI); err != nil {
			t.Fatal(err)
		}
		for _, p := range a.AttachedPolicies {
			attached = append(attached, *p.PolicyArn)
		}
		return attached, i.PolicyNames
	}

	r := w.scan(exitGood, "--apply", "--mode", "enforce", "--no-exemptions")
	want := []finding{{"unused/aws-managed/AmazonSQSFullAccess", "iam-role-unused-permissions", "auto", "resolved"}}
	if got := findingsOf(r, "queues"); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if attached, inline := policies(); len(attached) > 0 || !slices.Equal(inline, []string{copied}) {
		t.Errorf("after the plan: got %v attached and %v inline, want the copy alone", attached, inline)
	}
	p, err := w.iam.GetRolePolicy(t.Context(), &iam.GetRolePolicyInput{RoleName: aws.String("queues"), PolicyName: aws.String(copied)})
	if err != nil {
		t.Fatal(err)
	}
	text, err := url.PathUnescape(*p.PolicyDocument)
	if err != nil {
		t.Fatal(err)
	}
	for action, stays := range map[string]bool{"sqs:ListQueues": true, "sqs:GetQueueAttributes": true, "sqs:SendMessage": true, "sqs:DeleteQueue": false, "sqs:*": false} {
		if strings.Contains(text, `"`+action+`"`) != stays {
			t.Errorf("the copy names %s: got %t, want %t: %s", action, !stays, stays, text)
		}
	}
	w.rollBackAll()
	if attached, inline := policies(); len(inline) > 0 || !slices.Equal(attached, []string{full}) {
		t.Errorf("after the rollback: got %v attached and %v inline", attached, inline)
	}
}

// TestMotoPermissions_schedules: what EventBridge starts once a year keeps its permissions
// until a person decides; what it starts every day is narrowed.
func TestMotoPermissions_schedules(t *testing.T) {
	w := newIAMWorld(t, "")
	ctx, options := t.Context(), w.iam.Options()
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["events.amazonaws.com","scheduler.amazonaws.com"]},"Action":"sts:AssumeRole",` +
		`"Condition":{"StringEquals":{"aws:SourceAccount":"` + w.creds.Account + `"}}}]}`
	calls := map[string][][2]string{}
	for _, name := range []string{"daily", "yearly", "quarterly"} {
		w.role(name, trust, "")
		w.must(w.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("own"), PolicyDocument: aws.String(athenaWide)}))
		calls[w.arn("role", name)] = [][2]string{{"athena.amazonaws.com", "StartQueryExecution"}}
	}
	rules := eventbridge.New(eventbridge.Options{Region: "us-east-1", BaseEndpoint: options.BaseEndpoint, Credentials: options.Credentials})
	for name, expression := range map[string]string{"daily": "rate(1 day)", "yearly": "cron(0 5 1 1 ? *)"} {
		w.must(rules.PutRule(ctx, &eventbridge.PutRuleInput{Name: &name, ScheduleExpression: &expression}))
		target := eventtypes.Target{Id: aws.String("1"), Arn: aws.String("arn:aws:states:us-east-1:" + w.creds.Account + ":stateMachine:" + name), RoleArn: aws.String(w.arn("role", name))}
		w.must(rules.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: &name, Targets: []eventtypes.Target{target}}))
	}
	schedules := scheduler.New(scheduler.Options{Region: "us-east-1", BaseEndpoint: options.BaseEndpoint, Credentials: options.Credentials})
	w.must(schedules.CreateSchedule(ctx, &scheduler.CreateScheduleInput{
		Name: aws.String("quarterly"), ScheduleExpression: aws.String("rate(92 days)"), FlexibleTimeWindow: &schedulertypes.FlexibleTimeWindow{Mode: schedulertypes.FlexibleTimeWindowModeOff},
		Target: &schedulertypes.Target{Arn: aws.String("arn:aws:sqs:us-east-1:" + w.creds.Account + ":q"), RoleArn: aws.String(w.arn("role", "quarterly"))},
	}))
	w.behind(t, 0)
	w.recorded(calls)

	r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
	for name, want := range map[string][]finding{
		"daily":     {{"unused", "iam-role-unused-permissions", "auto", "resolved"}},
		"yearly":    {{"unused", "iam-role-unused-permissions", "review", "open"}},
		"quarterly": {{"unused", "iam-role-unused-permissions", "review", "open"}},
	} {
		if got := findingsOf(r, name); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	out, _, _ := w.dera("scan", "--mode", "observe", "--no-exemptions", "--output", "json")
	for _, want := range []string{"rule yearly in us-east-1, which runs every 366 days, longer than the window of 90 days", "schedule quarterly in us-east-1, which runs every 92 days"} {
		if !strings.Contains(out, want) {
			t.Errorf("scan: got no %q\n%s", want, out)
		}
	}
}
