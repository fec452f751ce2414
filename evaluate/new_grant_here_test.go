package evaluate

import (
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// TestWhatDeraGranted: what dera itself has just added, by order of a person, it does not
// take away, although the record does not tell of it yet.
func TestWhatDeraGranted(t *testing.T) {
	t.Parallel()
	use := &resource.Use{From: noon.AddDate(0, 0, -100), To: noon.Add(-time.Hour)}
	for name, tt := range map[string]struct {
		control string
		state   dera.State
		diff    string
		ago     time.Duration
		want    dera.Disposition
	}{
		"a_minute_ago":     {"iam-role-outdated-copy", dera.Resolved, "+ inline policy \"copy\"", time.Minute, dera.Review},
		"a_week_ago":       {"iam-role-outdated-copy", dera.Collateral, "+ inline policy \"copy\"", 7 * 24 * time.Hour, dera.Review},
		"a_month_ago":      {"iam-role-outdated-copy", dera.Resolved, "+ inline policy \"copy\"", 30 * 24 * time.Hour, dera.Auto},
		"taken_back":       {"iam-role-outdated-copy", dera.RolledBack, "+ inline policy \"copy\"", time.Minute, dera.Auto},
		"only_taken_away":  {"iam-role-external-trust", dera.Resolved, "- statement 1", time.Minute, dera.Auto},
		"by_this_control":  {"ctl", dera.Resolved, "+ statement 1", time.Minute, dera.Auto},
		"not_carried_out":  {"iam-role-outdated-copy", dera.Waiting, "+ inline policy \"copy\"", time.Minute, dera.Auto},
		"was_not_possible": {"iam-role-outdated-copy", dera.Failed, "+ inline policy \"copy\"", time.Minute, dera.Auto},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := actedAsBy("lambda.amazonaws.com")
			p.Use = use
			c := losingCase([]string{"sqs:TagQueue"}, p)
			c.Finding.FirstSeen = noon
			c.Earlier = []dera.Remediation{{ID: "r-1", Control: tt.control, State: tt.state, Plan: dera.Plan{Changes: []dera.Change{{Diff: []string{tt.diff}}}}, Steps: []dera.Step{{State: tt.state, At: noon.Add(-tt.ago)}}}}
			got, err := NewGrant{Now: atNoon}.Check(t.Context(), c)
			if err != nil || got.Disposition != tt.want || tt.want == dera.Review && !strings.Contains(got.Why, "r-1") {
				t.Errorf("got %s %q, %v, want %s", got.Disposition, got.Why, err, tt.want)
			}
		})
	}
}
