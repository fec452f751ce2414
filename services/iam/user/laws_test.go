package user_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/iamtest"
	"dera.example/dera/services/iam/user"
)

func laws() controltest.Laws {
	return iamtest.Laws(user.Type(), iam.UserKind, func(u *user.User) *iam.Identity { return &u.Identity }, func(u *user.User) (out []iam.Attached) {
		for _, g := range u.Groups {
			for _, p := range g.Inline {
				out = append(out, iam.Attached{ARN: p.Name, Document: p.Document})
			}
			out = append(out, g.Attached...)
		}
		return out
	})
}

// TestControlLaws holds every control on users against the control laws.
func TestControlLaws(t *testing.T) {
	t.Parallel()
	laws().RunAll(t, user.Controls())
}
