package role_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"dera.example/dera/control"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/iamtest"
	"dera.example/dera/services/iam/role"
	"dera.example/dera/services/iam/trust"
)

func texts(config any) []string { return iamtest.Texts(&config.(*role.Role).Identity) }

func named(config any) []iam.Text { return iamtest.Named(&config.(*role.Role).Identity) }

func nothing(any) []string { return nil }

// TestPeer: after each automatic plan of the cases and of histories, an evaluator that dera
// did not write allows what was used, and does not allow what was removed.
func TestPeer(t *testing.T) {
	t.Parallel()
	p := iamtest.NewPeer(t)
	p.HoldCases(t, laws(), role.UnusedPermissions(), "unused_permissions.txtar", named, nothing)
	for seed := range 40 {
		holdHistory(t, p, uint64(seed))
	}
	p.Done([3]int{50, 400, 500})
}

// TestPeer_resources: after each plan that narrows resources, of the cases and of drawn
// roles, the evaluator allows what was done where it was done, and not beside.
func TestPeer_resources(t *testing.T) {
	t.Parallel()
	p := iamtest.NewPeer(t)
	l, c := laws(), role.UnusedPermissions()
	for _, k := range l.Read(t, c, "unused_permissions.txtar") {
		p.HoldResources(t, k.Name, l, c, k.Settings, k.Resource.Config, texts)
	}
	for seed := range uint64(100) {
		r, s := drawn(seed)
		p.HoldResources(t, fmt.Sprintf("role %d", seed), l, c, s, r, texts)
	}
	p.Done([3]int{120, 300, 150})
}

// TestPeer_trust: after each automatic plan for a trust policy whoever goes may not assume the role, and
// everybody else whom it names may as before.
func TestPeer_trust(t *testing.T) {
	t.Parallel()
	p := iamtest.NewPeer(t)
	c := role.ExternalTrust()
	for _, k := range laws().Read(t, c, "external_trust.txtar") {
		res, err := c.Check(k.Resource, k.Settings)
		if err != nil {
			t.Fatal(err)
		}
		auto := iamtest.Automatic(res.Failures)
		plan, refusal, err := c.Plan(k.Resource, auto, k.Settings)
		if len(auto) == 0 || refusal != nil {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		config, err := role.Type().ApplyPlan(k.Resource.Config, plan)
		if err != nil {
			t.Fatal(err)
		}
		before, after := k.Resource.Config.(*role.Role).Trust, config.(*role.Role).Trust
		for _, account := range accountsOf(t, before) {
			goes := slices.ContainsFunc(auto, func(f control.Failure) bool { return f.Key == trust.AccountKey+account })
			p.Trust(k.Name, fmt.Sprintf("arn:aws:iam::%s:role/x", account), before, after, !goes)
		}
	}
	p.Done([3]int{35, 3, 30})
}

// holdHistory holds the plan that starts at auto of a generated role. What it used is known from
// how it was generated, and not from what its calls mean.
func holdHistory(t *testing.T, p *iamtest.Peer, seed uint64) {
	t.Helper()
	c, h := role.UnusedPermissions(), newHistory(seed)
	r := laws().Resource(h.role)
	res, err := c.Check(r, control.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	auto := iamtest.Automatic(res.Failures)
	if len(auto) == 0 {
		return
	}
	plan, refusal, err := c.Plan(r, auto, control.Settings{})
	if err != nil || refusal != nil {
		t.Fatalf("role %d: plan: %v, %v", seed, err, refusal)
	}
	after, err := role.Type().ApplyPlan(h.role, plan)
	if err != nil {
		t.Fatal(err)
	}
	used := slices.Sorted(maps.Keys(h.used))
	p.Hold(iamtest.PlanOf(h.role.Name, named(h.role), named(after), nil, used, auto))
}

// accountsOf are the accounts that a trust policy names.
func accountsOf(t *testing.T, text string) (out []string) {
	t.Helper()
	doc, err := policy.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	for i := range doc.Statements {
		for _, who := range document.PrincipalsOf(&doc.Statements[i]) {
			if a := who.Account(); a != "" && !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	return out
}
