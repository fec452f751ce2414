package iam_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
)

func granting(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

func allow(on string, actions ...string) string {
	return fmt.Sprintf(`{"Effect":"Allow","Action":["%s"],"Resource":"%s"}`, strings.Join(actions, `","`), on)
}

// TestRecordedCalls: what would become of the recorded calls is decided from these and
// the policies alone, whatever the plan is for.
func TestRecordedCalls(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 8, 31, 0, 0, 0, 0, time.UTC)
	const queue, other = "arn:aws:sqs:eu-west-1:111122223333:jobs", "arn:aws:sqs:eu-west-1:111122223333:mail"
	call := func(source, name string, n uint64, resources ...string) resource.Call {
		return resource.Call{Source: source + ".amazonaws.com", Name: name, Count: n, First: from, Last: from, Resources: resources}
	}
	before := granting(allow("*", "sqs:DeleteQueue", "sqs:GetQueueUrl", "lambda:CreateFunction", "s3:ListAllMyBuckets"))
	tests := []struct {
		name   string
		after  string
		beside string
		gaps   []resource.Gap
		calls  []resource.Call
		want   dera.Verdict
		says   string // what it says, at the end
	}{
		{"kept", granting(allow("*", "sqs:DeleteQueue")), "", nil, []resource.Call{call("sqs", "DeleteQueue", 1204311)}, dera.Proved,
			"of 1,204,311 recorded calls of its principal since 2026-08-31, 0 would be denied, 0 cannot be decided (management events and data events are recorded)"},
		{"no_calls", "", "", nil, nil, dera.Proved, "of 0 recorded calls of its principal since 2026-08-31, 0 would be denied, 0 cannot be decided (management events and data events are recorded)"},
		{"before_the_window", granting(allow("*", "sqs:DeleteQueue")), "", []resource.Gap{{Kind: "data-events-not-selected"}}, []resource.Call{{Source: "sqs.amazonaws.com", Name: "DeleteQueue", Count: 2, First: from.AddDate(-1, 0, 0), Last: from}}, dera.Proved,
			"since 2025-08-31, 0 would be denied, 0 cannot be decided (management events are recorded)"},
		{"another_policy_grants_it", granting(allow("*", "sqs:GetQueueUrl")), granting(allow("*", "sqs:*")), nil, []resource.Call{call("sqs", "DeleteQueue", 3)}, dera.Proved, ""},
		{"lost_on_a_known_resource", granting(allow("*", "sqs:GetQueueUrl")), "", nil, []resource.Call{call("sqs", "DeleteQueue", 3, queue)}, dera.Refuted, "3 would be denied, 0 cannot be decided (management events and data events are recorded)"},
		{"lost_on_another_resource", granting(allow(queue, "sqs:DeleteQueue")), "", nil, []resource.Call{call("sqs", "DeleteQueue", 3, queue)}, dera.Proved, ""},
		{"lost_on_one_of_two", granting(allow(queue, "sqs:DeleteQueue")), "", nil, []resource.Call{call("sqs", "DeleteQueue", 3, queue, other)}, dera.Refuted, ""},
		{"lost_somewhere", granting(allow(queue, "sqs:DeleteQueue")), "", nil, []resource.Call{call("sqs", "DeleteQueue", 3)}, dera.Unknown, "0 would be denied, 3 cannot be decided (management events and data events are recorded)"},
		{"under_another_name", granting(allow("*", "sqs:DeleteQueue", "s3:ListAllMyBuckets")), "", nil, []resource.Call{call("s3", "ListBuckets", 1), call("lambda", "CreateFunction20150331", 2)}, dera.Unknown, "2 cannot be decided (management events and data events are recorded)"},
		{"event_nobody_knows_of_a_service_that_stays", granting(allow("*", "sqs:DeleteQueue", "sqs:GetQueueUrl")), "", nil, []resource.Call{call("sqs", "FrobnicateQueue", 1)}, dera.Proved, ""},
		{"event_nobody_knows_of_a_service_that_loses", granting(allow("*", "sqs:DeleteQueue")), "", nil, []resource.Call{call("sqs", "FrobnicateQueue", 1)}, dera.Unknown, ""},
		{"source_nobody_knows", granting(allow("*", "sqs:DeleteQueue")), "", nil, []resource.Call{call("frobnicator", "Frobnicate", 1)}, dera.Unknown, ""},
		{"denied_each_time", granting(allow("*", "sqs:GetQueueUrl")), "", nil, []resource.Call{{Source: "sqs.amazonaws.com", Name: "DeleteQueue", Denied: 9}}, dera.Proved, "of 0 recorded calls of its principal since 2026-08-31, 0 would be denied, 0 cannot be decided (management events and data events are recorded)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			who := iam.CalledBy{Name: "role/app", Kind: iam.RoleKind, Use: resource.Use{From: from, To: from.AddDate(0, 0, 90), Calls: tt.calls, Gaps: tt.gaps}}
			p := iam.Permissions{Before: iam.Subject{Policies: []iam.Text{{Name: "own", Document: before}}}, After: []string{tt.after}, Goals: []string{iam.UnusedKey}}
			if tt.beside != "" {
				p.Before.Beside, who.Beside = []iam.Text{{Name: "other", Document: tt.beside}}, []int{0}
			}
			p.Before.Principals = []iam.CalledBy{who}
			ev, err := p.Evidence()
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range ev.Claims {
				switch {
				case c.Name != "recorded_calls":
				case c.Verdict != tt.want || !strings.HasSuffix(c.Says, tt.says):
					t.Errorf("got %s: %s (%s), want %s: … %s", c.Verdict, c.Says, c.Witness, tt.want, tt.says)
				case (c.Witness == "") != (tt.want == dera.Proved):
					t.Errorf("%s has the witness %q", c.Verdict, c.Witness)
				}
			}
		})
	}
}
