package securitygroup_test

import (
	"net/netip"
	"slices"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/controltest"
	"dera.example/dera/services/ec2/securitygroup"
)

// groupMutant is a way in which a plan on a security group could go wrong, and the
// claim that must not be proved of it.
type groupMutant struct {
	how, claim string
	changes    []dera.Change
}

// holdGroupMutants: of each mutant of the plan the claim that is about its fault is
// not proved. One that makes no difference to a packet is left out.
func holdGroupMutants(t controltest.TB, c control.Control, r dera.Resource, s control.Settings, failures []control.Failure, p dera.Plan) {
	t.Helper()
	g, ok := r.Config.(*securitygroup.Group)
	if !ok {
		return
	}
	after, err := securitygroup.Type().ApplyPlan(g, p)
	if err != nil {
		t.Fatalf("apply the plan: %v", err)
	}
	for _, m := range groupMutants(t, g, p) {
		mutant := p
		mutant.Changes = m.changes
		config, err := securitygroup.Type().ApplyPlan(g, mutant)
		if err != nil || m.claim != "never_wider_between" && sameGroup(t, after, config) {
			continue
		}
		ev, err := c.Prove(r, failures, mutant, s)
		if err != nil {
			continue
		}
		for _, claim := range ev.Claims {
			if (claim.Name == m.claim || m.claim == "nothing_else_lost" && claim.Name == "private_access_lost") && claim.Verdict == dera.Proved {
				t.Errorf("the plan for %s has %s proved although it %s", p.Keys, claim.Name, m.how)
			}
		}
	}
}

func groupMutants(t controltest.TB, g *securitygroup.Group, p dera.Plan) []groupMutant {
	t.Helper()
	var out []groupMutant
	add := func(how, claim string, changes ...dera.Change) { out = append(out, groupMutant{how, claim, changes}) }
	change := func(c dera.Change, err error) dera.Change {
		if err != nil {
			t.Fatalf("make a mutant: %v", err)
		}
		return c
	}
	for i, c := range p.Changes {
		less := slices.Delete(slices.Clone(p.Changes), i, i+1)
		if c.Operation == securitygroup.AuthorizeIngress {
			add("does not authorize "+c.Diff[0]+" again", "nothing_else_lost", less...)
		} else {
			add("leaves "+c.Diff[0], "finding_gone", less...)
		}
	}
	for _, r := range g.Ingress {
		revoked := slices.ContainsFunc(p.Changes, func(c dera.Change) bool { return slices.Contains(c.Diff, "- "+r.Line()) })
		if !revoked && r.PrefixList == nil {
			add("revokes its neighbour "+r.Line()+" too", "nothing_else_lost", append(slices.Clone(p.Changes), change(g.Revoke(r)))...)
		}
	}
	wide := securitygroup.Rule{Protocol: "tcp", From: 0, To: 65535, CIDR: netip.MustParsePrefix("0.0.0.0/0")}
	old, _ := groupReach(t, g)
	if all, _ := groupReach(t, &securitygroup.Group{Ingress: []securitygroup.Rule{wide}}); !all.Subtract(old).IsEmpty() {
		add("opens every port", "nothing_new", append(slices.Clone(p.Changes), change(g.Authorize(wide)))...)
	}
	back := slices.Clone(p.Changes)
	slices.SortStableFunc(back, func(a, b dera.Change) int { // what goes first goes before its remainder comes
		return map[string]int{securitygroup.RevokeIngress: 0, securitygroup.AuthorizeIngress: 1}[a.Operation] - map[string]int{securitygroup.RevokeIngress: 0, securitygroup.AuthorizeIngress: 1}[b.Operation]
	})
	if len(p.Changes) > 1 && p.Changes[0].Operation == securitygroup.AuthorizeIngress && outage(t, g, p) {
		add("revokes before it authorizes the remainder", "never_wider_between", back...)
	}
	return out
}

// outage reports whether what the plan authorizes is allowed by nothing but what it
// revokes: other rules can make up for the order.
func outage(t controltest.TB, g *securitygroup.Group, p dera.Plan) bool {
	t.Helper()
	var stay []securitygroup.Rule
	for _, r := range g.Ingress {
		if !slices.ContainsFunc(p.Changes, func(c dera.Change) bool { return slices.Contains(c.Diff, "- "+r.Line()) }) {
			stay = append(stay, r)
		}
	}
	left := *g
	left.Ingress = stay
	after, err := securitygroup.Type().ApplyPlan(g, p)
	if err != nil {
		t.Fatalf("apply the plan: %v", err)
	}
	return !sameGroup(t, &left, after)
}
