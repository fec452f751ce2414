package policy_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/controltest"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/iamtest"
	"dera.example/dera/services/iam/policy"
)

// alone is the policy as an identity that has nothing else, and what its holders have
// besides.
func alone(p *policy.Policy) *iam.Identity {
	i := &iam.Identity{Inline: []iam.Inline{{Name: "policy", Document: p.Default.Document}}}
	for _, h := range p.Holders {
		i.Attached = append(i.Attached, h.Beside...)
	}
	return i
}

func laws() controltest.Laws {
	return controltest.Laws{
		Type: policy.Type(), Evidence: []evidence.Kind{iam.PermissionsEvidence(), iam.ResourcesEvidence()},
		Orders: func(config any) []any {
			p := *config.(*policy.Policy)
			p.Holders = slices.Clone(p.Holders)
			slices.Reverse(p.Holders)
			p.Sort()
			return []any{&p}
		},
		Surgical: func(t controltest.TB, before, after any, plan dera.Plan) {
			t.Helper()
			a, b := *before.(*policy.Policy), *after.(*policy.Policy)
			iamtest.Narrower(t, a.Default.Document, b.Default.Document, plan)
			a.Default, b.Default, a.Others, b.Others = policy.Version{}, policy.Version{}, nil, nil
			if diff := cmp.Diff(a, b, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("something beside the versions changed (-before +after):\n%s", diff)
			}
		},
		Same: func(t controltest.TB, a, b any) bool {
			t.Helper()
			return iamtest.Same(t, alone(a.(*policy.Policy)), alone(b.(*policy.Policy)))
		},
		Opens: func(p dera.Plan, key string) bool { // a list takes the place of a wildcard
			return key == iam.ResourcesKey && !slices.Contains(p.Keys, key)
		},
		Bodies: iamtest.Bodies, Mutants: holdMutants,
	}
}

// holdMutants puts other documents in force than the plan does: none may be proved.
func holdMutants(t controltest.TB, c control.Control, r dera.Resource, s control.Settings, failures []control.Failure, p dera.Plan) {
	t.Helper()
	before := r.Config.(*policy.Policy)
	config, err := policy.Type().ApplyPlan(before, p)
	if err != nil {
		t.Fatalf("change: %v", err)
	}
	after := config.(*policy.Policy)
	for _, m := range iamtest.Documents(t, before.Default.Document, after.Default.Document) {
		other := *after
		if other.Default.Document = m.Text; iamtest.Same(t, alone(&other), alone(after)) {
			continue
		}
		changes, err := before.SetDocument(m.Text)
		if err != nil {
			t.Fatalf("change: %v", err)
		}
		mutant := p
		mutant.Changes = changes
		if ev, err := c.Prove(r, failures, mutant, s); err == nil && ev.Proved() {
			t.Errorf("the plan for %s is proved too where it %s:\n%s\nof\n%s", p.Keys, m.How, m.Text, before.Default.Document)
		}
	}
}

// TestLaws holds every control on policies against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	laws().RunAll(t, policy.Controls())
}

// TestResources: every recorded call of whoever has the policy stays allowed.
func TestResources(t *testing.T) {
	t.Parallel()
	own := func(config any) []string { return []string{config.(*policy.Policy).Default.Document} }
	iamtest.HoldSeen(t, laws(), policy.UnusedPermissions(), "unused_permissions.txtar", own, [2]int{4, 8})
}
