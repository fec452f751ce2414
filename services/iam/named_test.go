package iam_test

import (
	"fmt"
	"slices"
	"testing"

	"dera.example/dera/services/iam"
)

// TestFindingsNameAll: a finding names every permission that goes, however many they
// are: guardrails, exemptions and what was given back are decided by the names.
func TestFindingsNameAll(t *testing.T) {
	t.Parallel()
	res := judgedOf(t, iam.Text{Name: "own", Document: granting(allow("*", "ec2:DescribeInstances", "athena:*", "sqs:*", "codepipeline:*", "cloudfront:*"))})
	if len(res.Failures) == 0 {
		t.Fatal("got no finding")
	}
	total := 0
	for _, f := range res.Failures {
		total += len(f.Permissions)
		if f.Granted.Unused != len(f.Permissions) {
			t.Errorf("%s: got %d permissions, want all %d", f.Key, len(f.Permissions), f.Granted.Unused)
		}
		if len(f.Why) > 2000 {
			t.Errorf("%s: got %d characters, want a text that a person reads", f.Key, len(f.Why))
		}
		for _, p := range f.Permissions {
			if fmt.Sprintf("%q", p) != `"`+p+`"` || slices.Contains([]byte(p), ' ') {
				t.Errorf("%s: got %q, want the name of an action", f.Key, p)
			}
		}
	}
	if total < 200 {
		t.Errorf("got %d permissions, want many", total)
	}
}
