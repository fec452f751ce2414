package trail

import (
	"testing"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"

	"github.com/google/go-cmp/cmp"
)

// TestHints: a call names the trail by its name or ARN; one of another region or account is
// none of the place, so that all are looked at.
func TestHints(t *testing.T) {
	t.Parallel()
	watch := cloudtrail.NewWatch(Events())
	for name, tc := range map[string]struct{ call, request, want string }{
		"by_name":           {"StopLogging", `{"name":"audit"}`, "audit"},
		"by_arn":            {"UpdateTrail", `{"name":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/audit"}`, "audit"},
		"selectors":         {"PutEventSelectors", `{"trailName":"audit","eventSelectors":[]}`, "audit"},
		"of_another_region": {"StopLogging", `{"name":"arn:aws:cloudtrail:us-east-1:111122223333:trail/audit"}`, ""},
		"of_the_manager":    {"StopLogging", `{"name":"arn:aws:cloudtrail:eu-west-1:444455556666:trail/org"}`, ""},
		"names_none":        {"DeleteTrail", `{}`, ""},
	} {
		r := cloudtrail.Record{Source: "cloudtrail.amazonaws.com", Name: tc.call, Account: "111122223333", Region: "eu-west-1", Partition: "aws", Request: []byte(tc.request)}
		want := dera.Scope{Partition: "aws", Account: "111122223333", Region: "eu-west-1", Type: Name}
		if tc.want != "" {
			want.IDs = []string{tc.want}
		}
		if d := cmp.Diff([]dera.Scope{want}, watch.Hints(r)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
