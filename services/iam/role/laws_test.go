package role_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/controltest"
	"dera.example/dera/resource/document"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/iamtest"
	"dera.example/dera/services/iam/role"
)

func laws() controltest.Laws {
	return controltest.Laws{
		Type: role.Type(), Evidence: []evidence.Kind{iam.PermissionsEvidence(), role.TrustEvidence()},
		Orders: func(config any) []any {
			r := *config.(*role.Role)
			r.Inline, r.Attached = slices.Clone(r.Inline), slices.Clone(r.Attached)
			slices.Reverse(r.Inline)
			slices.Reverse(r.Attached)
			return []any{&r}
		},
		Surgical: surgical,
		Bodies: func(t controltest.TB, ev dera.Evidence) []controltest.Forgery {
			if ev.Kind != iam.PermissionsKind {
				return nil
			}
			return iamtest.Bodies(t, ev)
		},
		Same: func(t controltest.TB, a, b any) bool {
			t.Helper()
			return document.SamePolicy(a.(*role.Role).Trust, b.(*role.Role).Trust) && iamtest.Same(t, &a.(*role.Role).Identity, &b.(*role.Role).Identity)
		},
		Mutants: func(t controltest.TB, c control.Control, r dera.Resource, s control.Settings, failures []control.Failure, p dera.Plan) {
			holdTrustMutants(t, c, r, s, failures, p)
			if p.Changes[0].Operation != role.UpdateTrust {
				iamtest.Mutants(iam.RoleKind, func(config any) *iam.Identity { return &config.(*role.Role).Identity })(t, c, r, s, failures, p)
			}
		},
	}
}

// surgical: nothing but the policies changes, and these lose actions only.
func surgical(t controltest.TB, before, after any, p dera.Plan) {
	t.Helper()
	a, b := *before.(*role.Role), *after.(*role.Role)
	iamtest.Surgical(t, &a.Identity, &b.Identity)
	a.Inline, b.Inline, a.Attached, b.Attached = nil, nil, nil, nil
	if p.Changes[0].Operation == role.UpdateTrust {
		a.Trust, b.Trust = "", ""
	}
	if diff := cmp.Diff(a, b, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("something beside the policies changed (-before +after):\n%s", diff)
	}
	if !slices.ContainsFunc(p.Diff(), func(l string) bool { return strings.HasPrefix(l, "- ") }) {
		t.Errorf("the diff takes nothing away: %q", p.Diff())
	}
}

// TestLaws holds every control on roles against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	laws().RunAll(t, role.Controls())
}
