package group_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/group"
	"dera.example/dera/services/iam/iamtest"
)

func laws() controltest.Laws {
	return iamtest.Laws(group.Type(), iam.GroupKind, func(g *group.Group) *iam.Identity { return &g.Identity }, func(g *group.Group) (out []iam.Attached) {
		for _, m := range g.Members {
			out = append(out, m.Beside...)
		}
		return out
	})
}

// TestControlLaws holds every control on groups against the control laws.
func TestControlLaws(t *testing.T) {
	t.Parallel()
	laws().RunAll(t, group.Controls())
}
