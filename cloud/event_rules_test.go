package cloud_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
)

// TestEventRules: rules that are on and that matter come with their targets,
// over all pages; they are remembered, and a refusal names the permission and is asked again.
func TestEventRules(t *testing.T) {
	t.Parallel()
	f := newBuckets(t)
	for i := range 120 { // more than a page
		f.Home.AddSchedule(awssim.Schedule{Kind: "rule", Name: fmt.Sprintf("rule-%03d", i), Pattern: `{"source":["aws.ec2"]}`, Off: i%2 == 1, Target: fmt.Sprintf("arn:aws:sns:us-east-1:111122223333:topic-%d", i)})
	}
	f.Home.AddSchedule(awssim.Schedule{Kind: "rule", Name: "nightly", Expression: "rate(1 day)", Target: "arn:aws:sns:us-east-1:111122223333:night"})
	follow := func(r cloud.EventRule) bool {
		return strings.HasSuffix(r.Name, "0") || strings.HasSuffix(r.Name, "1") || r.Schedule != ""
	}
	calls := func(operation string) (n int) {
		for _, c := range f.Calls {
			if c.Operation == operation {
				n++
			}
		}
		return n
	}
	list, err := f.EventRules(t.Context(), cloudtest.Hub, cloudtest.East, follow)
	if err != nil || len(list) != 13 {
		t.Fatalf("got %d rules, %v, want 12 that are on and end in 0, and the one by the clock", len(list), err)
	}
	at := slices.IndexFunc(list, func(r cloud.EventRule) bool { return r.Name == "rule-110" })
	if at < 0 || list[at].Pattern != `{"source":["aws.ec2"]}` || !slices.Equal(list[at].Targets, []string{"arn:aws:sns:us-east-1:111122223333:topic-110"}) || list[at].Account != cloudtest.Hub || list[at].Region != cloudtest.East {
		t.Errorf("got %+v, want rule-110 of the second page with its target", list)
	}
	if n := calls("ListTargetsByRule"); n != 13 {
		t.Errorf("targets: got %d calls, want those of the 13 alone", n)
	}
	before := len(f.Calls)
	if _, err := f.EventRules(t.Context(), cloudtest.Hub, cloudtest.East, follow); err != nil || len(f.Calls) != before {
		t.Errorf("asked again: got %d calls, %v, want none", len(f.Calls)-before, err)
	}
	for _, operation := range []string{"ListTargetsByRule", "ListRules"} {
		f.Cloud.Account(cloudtest.Hub).Region("eu-west-1").AddSchedule(awssim.Schedule{Kind: "rule", Name: "one", Pattern: `{}`})
		f.Cloud.Inject(awssim.Fault{Match: awssim.Match{Service: "events", Operation: operation}, Kind: awssim.Denied})
		for range 2 {
			if _, err := f.EventRules(t.Context(), cloudtest.Hub, "eu-west-1", func(cloud.EventRule) bool { return true }); !cloud.Is(err, cloud.Denied) || !strings.Contains(err.Error(), "events:"+operation) {
				t.Errorf("denied: got %v, want events:%s named", err, operation)
			}
		}
	}
}
