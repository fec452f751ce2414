package iam_test

import (
	"strings"
	"testing"
	"time"

	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
)

// TestReported_later: a denied attempt explains that IAM counts an action as used only where
// it is as late as what IAM saw.
func TestReported_later(t *testing.T) {
	t.Parallel()
	to := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		attempts []resource.Call // denied
		saw      time.Time
		want     string
	}{
		"as_late":        {[]resource.Call{{Denied: 1, LastDenied: to.AddDate(0, 0, -80)}}, to.AddDate(0, 0, -80), iam.UnusedKey},
		"rounded":        {[]resource.Call{{Denied: 1, LastDenied: to.AddDate(0, 0, -80)}}, to.AddDate(0, 0, -80).Add(23 * time.Hour), iam.UnusedKey},
		"later":          {[]resource.Call{{Denied: 1, LastDenied: to.AddDate(0, 0, -80)}}, to.AddDate(0, 0, -1), iam.UnusedDoubtedKey},
		"no_attempt":     {nil, to.AddDate(0, 0, -80), iam.UnusedDoubtedKey},
		"none_denied":    {[]resource.Call{{}}, to.AddDate(0, 0, -80), iam.UnusedDoubtedKey},
		"when_not_known": {[]resource.Call{{Denied: 1}}, to.AddDate(0, 0, -1), iam.UnusedKey},
		"the_last_counts": {[]resource.Call{{Denied: 1, LastDenied: to.AddDate(0, 0, -1)}, {Denied: 1, LastDenied: to.AddDate(0, 0, -80)}},
			to.AddDate(0, 0, -1), iam.UnusedKey},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := []resource.Call{{Source: "sqs.amazonaws.com", Name: "DeleteQueue", Count: 3, First: to.AddDate(0, 0, -60), Last: to.AddDate(0, 0, -2)}}
			for _, c := range tt.attempts {
				c.Source, c.Name = "sqs.amazonaws.com", "PurgeQueue"
				calls = append(calls, c)
			}
			holder := iam.Holder{Kind: iam.RoleKind, ARN: "role/app", Name: "app", Use: &resource.Use{From: to.AddDate(0, 0, -90), To: to, Calls: calls}}
			holders := []iam.Holder{holder}
			text := iam.Text{Name: "own", Document: granting(allow("*", "sqs:DeleteQueue", "sqs:PurgeQueue"))}
			s, err := iam.NewSubject([]iam.Text{text}, holders, 0, control.Settings{})
			s = s.By(&iam.Reported{Accessed: []iam.Accessed{{Service: "sqs", Last: to, Actions: map[string]time.Time{"PurgeQueue": tt.saw}}}}, holders)
			res := iam.Unused(s, err, "policy own")
			if len(res.Failures) != 1 || res.Failures[0].Key != tt.want || (tt.want == iam.UnusedDoubtedKey) != strings.Contains(res.Failures[0].Why, "IAM last saw it used on "+tt.saw.Format(time.DateOnly)) {
				t.Errorf("got %+v, want %s", res, tt.want)
			}
		})
	}
}
