package iam_test

import (
	"strings"
	"testing"
	"time"

	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
)

// TestFindingsSaySinceWhen: the calls that a finding counts are those since the day that
// it names, which is that of the first of them; and of which days the record answers is
// said apart.
func TestFindingsSaySinceWhen(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 8, 31, 0, 0, 0, 0, time.UTC)
	old, lately := from.AddDate(0, 0, -29), from.AddDate(0, 0, 30)
	call := func(name string, n uint64, first, last time.Time) resource.Call {
		return resource.Call{Source: "sqs.amazonaws.com", Name: name, Count: n, First: first, Last: last}
	}
	denied := resource.Call{Source: "sqs.amazonaws.com", Name: "ListQueues", Denied: 7}
	data := resource.Gap{Kind: resource.GapOfDataEvents}
	for name, tt := range map[string]struct {
		calls []resource.Call
		gaps  []resource.Gap
		want  string
	}{
		"in_the_window":        {[]resource.Call{call("DeleteQueue", 3, lately, lately)}, nil, "1 was used by role/app (3 calls are recorded since 2026-08-31, and all of the 90 days to 2026-11-29); unused:"},
		"before_it_too":        {[]resource.Call{call("DeleteQueue", 300, old, lately), call("GetQueueUrl", 54, lately, lately)}, nil, "2 were used by role/app (354 calls are recorded since 2026-08-02, and all of the 90 days"},
		"before_it_alone":      {[]resource.Call{call("DeleteQueue", 1, old, old)}, nil, "1 was used by role/app (1 call is recorded since 2026-08-02, and all of the 90 days"},
		"none_authorized":      {[]resource.Call{denied}, nil, "Nothing of policy own was used by role/app (0 calls are recorded since 2026-08-31, and all of"},
		"without_data_events":  {[]resource.Call{call("DeleteQueue", 3, lately, lately)}, []resource.Gap{data}, "and all management events of the 90 days to 2026-11-29); unused:"},
		"without_some_service": {[]resource.Call{call("DeleteQueue", 3, lately, lately)}, []resource.Gap{data, {Kind: "kms-excluded"}}, "since 2026-08-31; not all of the 90 days to 2026-11-29); unused:"},
		"with_a_gap":           {[]resource.Call{call("DeleteQueue", 3, lately, lately)}, []resource.Gap{{Kind: "hours-missing", Why: "an hour"}}, "since 2026-08-31; not all of the 90 days to 2026-11-29); unused:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := iam.Text{Name: "own", Document: granting(allow("*", "sqs:DeleteQueue", "sqs:GetQueueUrl", "sqs:PurgeQueue"))}
			if strings.HasPrefix(tt.want, "Nothing") {
				text.Whole = iam.UnusedAttachedKey + "own"
			}
			use := &resource.Use{From: from, To: from.AddDate(0, 0, 90), Calls: tt.calls, Gaps: tt.gaps}
			holder := iam.Holder{Kind: iam.RoleKind, ARN: "role/app", Name: "app", Use: use}
			s, err := iam.NewSubject([]iam.Text{text}, []iam.Holder{holder}, 0, control.Settings{})
			res := iam.Unused(s, err, "policy own")
			if len(res.Failures) != 1 || !strings.Contains(res.Failures[0].Why, tt.want) {
				t.Errorf("got %+v, want one that says %q", res, tt.want)
			}
		})
	}
}
