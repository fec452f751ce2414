package role_test

import (
	"testing"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/controltest"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/iamtest"
	"dera.example/dera/services/iam/role"
	"dera.example/dera/services/iam/trust"
)

// laws are those of the policies of an identity; a plan for a trust policy changes that
// alone.
func laws() controltest.Laws {
	l := iamtest.Laws(role.Type(), iam.RoleKind, func(r *role.Role) *iam.Identity { return &r.Identity }, func(*role.Role) []iam.Attached { return nil })
	ofPolicies := l
	l.Evidence = append(l.Evidence, trust.Evidence())
	trusts := func(p dera.Plan) bool { return p.Changes[0].Operation == role.UpdateTrust }
	l.Surgical = func(t controltest.TB, before, after any, p dera.Plan) {
		t.Helper()
		if trusts(p) {
			a, b := *before.(*role.Role), *after.(*role.Role)
			a.Trust, b.Trust = "", ""
			before, after = &a, &b
		}
		ofPolicies.Surgical(t, before, after, p)
	}
	l.Bodies = func(t controltest.TB, ev dera.Evidence) []controltest.Forgery {
		t.Helper()
		if ev.Kind == trust.Kind {
			return nil
		}
		return ofPolicies.Bodies(t, ev)
	}
	l.Same = func(t controltest.TB, a, b any) bool {
		t.Helper()
		return document.SamePolicy(a.(*role.Role).Trust, b.(*role.Role).Trust) && ofPolicies.Same(t, a, b)
	}
	l.Mutants = func(t controltest.TB, c control.Control, r dera.Resource, s control.Settings, failures []control.Failure, p dera.Plan) {
		t.Helper()
		if trusts(p) {
			holdTrustMutants(t, c, r, s, failures, p)
			return
		}
		ofPolicies.Mutants(t, c, r, s, failures, p)
	}
	return l
}

// TestLaws holds every control on roles against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	laws().RunAll(t, role.Controls())
}
