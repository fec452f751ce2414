package group_test

import (
	"testing"

	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/group"
	"dera.example/dera/services/iam/iamtest"
)

// TestPeer: after each automatic plan of the cases an evaluator that dera did not write allows
// what was used, and does not allow what was removed.
func TestPeer(t *testing.T) {
	t.Parallel()
	p := iamtest.NewPeer(t)
	own := func(config any) []iam.Text { return iamtest.Named(&config.(*group.Group).Identity) }
	p.HoldCases(t, laws(), group.UnusedPermissions(), "unused_permissions.txtar", own, others)
	p.Done([3]int{3, 3, 3})
}

// others are the policies that decide besides.
func others(config any) (out []string) {
	for _, m := range config.(*group.Group).Members {
		for _, p := range m.Beside {
			out = append(out, p.Document)
		}
	}
	return out
}
