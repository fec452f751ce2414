package proof

import (
	"testing"

	"dera.example/dera/iam/policy"
)

// TestBench_accepted: what AWS has stored as managed policies has no faults.
func TestBench_accepted(t *testing.T) {
	all := managedPolicies(t, benchFolder(t))
	for _, m := range all {
		for _, e := range policy.Faults(m.text, policy.Identity) {
			t.Errorf("%s: %v", m.name, e)
		}
	}
	t.Logf("%d managed policies", len(all))
}
