package policy_test

import (
	"testing"

	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/iamtest"
	"dera.example/dera/services/iam/policy"
)

// TestPeer: after each automatic plan of the cases an evaluator that dera did not write allows
// what was used, and does not allow what was removed.
func TestPeer(t *testing.T) {
	t.Parallel()
	p := iamtest.NewPeer(t)
	own := func(config any) []iam.Text { return []iam.Text{{Document: config.(*policy.Policy).Default.Document}} }
	others := func(config any) (out []string) {
		for _, h := range config.(*policy.Policy).Holders {
			for _, b := range h.Beside {
				out = append(out, b.Document)
			}
		}
		return out
	}
	p.HoldCases(t, laws(), policy.UnusedPermissions(), "unused_permissions.txtar", own, others)
	p.Done([3]int{7, 15, 20})
}
