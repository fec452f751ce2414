package policy_test

import (
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/policy"
)

// TestStaged_whoCameLater: who got a policy after something of it was staged is watched by
// nobody: what it was denied is in its record, and keeps the plan from being automatic.
func TestStaged_whoCameLater(t *testing.T) {
	t.Parallel()
	const (
		text = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:DescribeInstances","sns:DeleteTopic"],"Resource":"*"},` +
			`{"Sid":"DeraStaged","Effect":"Deny","Action":["sns:DeleteTopic"],"Resource":"*"}]}`
		first, later = "arn:aws:iam::111122223333:role/first", "arn:aws:iam::111122223333:role/later"
	)
	to := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		source, event string
		from          []string
		start         dera.Disposition
	}{
		"denied":             {"sns.amazonaws.com", "DeleteTopic", []string{first}, dera.Review},
		"unheard_of_event":   {"sns.amazonaws.com", "Unheard", []string{first}, dera.Review},
		"denied_and_watched": {"sns.amazonaws.com", "DeleteTopic", []string{first, later}, dera.Auto},
		"denied_other":       {"sqs.amazonaws.com", "DeleteQueue", []string{first}, dera.Auto},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			holder := func(arn string, calls ...resource.Call) iam.Holder {
				calls = append(calls, resource.Call{Source: "ec2.amazonaws.com", Name: "DescribeInstances", First: to.AddDate(0, 0, -60), Last: to.AddDate(0, 0, -3), Count: 9})
				return iam.Holder{ARN: arn, Kind: iam.RoleKind, Name: strings.TrimPrefix(arn, "arn:aws:iam::111122223333:role/"), Created: to.AddDate(-2, 0, 0),
					Use: &resource.Use{From: to.AddDate(0, 0, -90), To: to, Calls: calls}}
			}
			p := &policy.Policy{
				Name: "shared", Path: "/", Default: policy.Version{ID: "v2", Document: text}, Staged: &iam.Staged{Days: 20, From: tc.from},
				Holders: []iam.Holder{holder(first), holder(later, resource.Call{Source: tc.source, Name: tc.event, Denied: 2})},
			}
			found, err := policy.UnusedPermissions().Check(dera.Resource{Type: policy.Name, Config: p}, control.Settings{GraduationDays: 14})
			if err != nil || len(found.Failures) != 1 || found.Failures[0].Key != iam.UnusedStagedKey || found.Failures[0].Start != tc.start {
				t.Errorf("got %+v, %v, want %s that begins as %s", found, err, iam.UnusedStagedKey, tc.start)
			}
		})
	}
}
