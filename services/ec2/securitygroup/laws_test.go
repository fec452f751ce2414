package securitygroup_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/controltest"
	"dera.example/dera/netset"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/ec2/securitygroup"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// decodeGroup also refuses what a reader never makes: a protocol in another
// spelling, host bits, a rule without an ID.
func decodeGroup(data []byte) (any, error) {
	var g securitygroup.Group
	if err := controltest.Strict(data, &g); err != nil {
		return nil, err
	}
	if g.Network == nil { // a case says where the network of the group matters
		g.Network = &securitygroup.VPC{CIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")}}
		g.Interfaces = append(g.Interfaces, securitygroup.Interface{ID: "eni-1", PublicIP: "198.51.100.9"})
	}
	for _, r := range slices.Concat(g.Ingress, g.Egress) {
		_, err := r.Packets()
		switch {
		case err != nil:
			return nil, err
		case r.ID == "":
			return nil, fmt.Errorf("rule %s has no ID", r.Line())
		case securitygroup.Protocol(r.Protocol) != r.Protocol:
			return nil, fmt.Errorf("rule %s: a reader spells the protocol %q", r.Line(), securitygroup.Protocol(r.Protocol))
		case r.CIDR.IsValid() && r.CIDR != r.CIDR.Masked():
			return nil, fmt.Errorf("rule %s: a reader masks host bits", r.Line())
		case !r.CIDR.IsValid() && r.PrefixList == nil && r.Group == nil:
			return nil, fmt.Errorf("rule %s has no source", r.Line())
		}
	}
	return &g, nil
}

func groupOrders(config any) []any {
	g := config.(*securitygroup.Group)
	n := len(g.Ingress)
	if n < 2 {
		return nil
	}
	order := func(change func([]securitygroup.Rule) []securitygroup.Rule) any {
		other := *g
		other.Ingress = change(slices.Clone(g.Ingress))
		return &other
	}
	return []any{
		order(func(r []securitygroup.Rule) []securitygroup.Rule { slices.Reverse(r); return r }),
		order(func(r []securitygroup.Rule) []securitygroup.Rule { return slices.Concat(r[n/2:], r[:n/2]) }),
	}
}

func stampGroup(config any, id string) any {
	g := *config.(*securitygroup.Group)
	g.Ingress = slices.Clone(g.Ingress)
	for i, r := range g.Ingress {
		if r.ID == "" {
			g.Ingress[i].ID = "sgr-" + id
		}
	}
	return &g
}

func groupReach(t controltest.TB, config any) (netset.Set, []string) {
	t.Helper()
	g := config.(*securitygroup.Group)
	set, err := securitygroup.Reach(g.Ingress)
	if err != nil {
		t.Fatalf("reach: %v", err)
	}
	return set, securitygroup.Symbolic(g.Ingress)
}

// betweenGroups compares what the states allow, packet by packet.
func betweenGroups(t controltest.TB, states []any) {
	t.Helper()
	old, oldOthers := groupReach(t, states[0])
	last, lastOthers := groupReach(t, states[len(states)-1])
	for i, s := range states {
		now, others := groupReach(t, s)
		if ok, packet := netset.Subset(now, old); !ok {
			t.Errorf("state %d is wider than before: %v", i, packet)
		}
		if ok, packet := netset.Subset(last, now); !ok {
			t.Errorf("state %d is narrower than after: %v", i, packet)
		}
		for _, o := range others {
			if !slices.Contains(oldOthers, o) {
				t.Errorf("state %d is wider than before: %s", i, o)
			}
		}
		for _, o := range lastOthers {
			if !slices.Contains(others, o) {
				t.Errorf("state %d is narrower than after: %s", i, o)
			}
		}
	}
}

func sameGroup(t controltest.TB, a, b any) bool {
	t.Helper()
	x, xOthers := groupReach(t, a)
	y, yOthers := groupReach(t, b)
	return x.Equal(y) && slices.Equal(xOthers, yOthers)
}

// groupBodies are forgeries of a network proof.
func groupBodies(t controltest.TB, ev dera.Evidence) []controltest.Forgery {
	t.Helper()
	var n evidence.Network
	if err := controltest.Strict(ev.Body, &n); err != nil {
		t.Fatalf("read body of evidence: %v", err)
	}
	var out []controltest.Forgery
	everything := netset.Product(netset.EveryTraffic(), netset.Everywhere())
	if !n.Old.Equal(everything) {
		wide := n
		wide.New = everything
		out = append(out, controltest.Forgery{How: "the new state allows everything", Body: wide})
		wide = n
		wide.Between = append([]evidence.Step{{Come: everything}}, n.Between...)
		out = append(out, controltest.Forgery{How: "a state on the way allows everything", Body: wide})
	}
	if ev.Denied == "" {
		return out // nothing changes hands
	}
	same := n
	same.New, same.NewOthers = n.Old, n.OldOthers
	nothing := n
	nothing.Forbidden, nothing.GivenUp, nothing.ForbiddenOthers = netset.Set{}, netset.Set{}, nil
	named := n
	named.Unread += "denied"
	before := n
	before.Old, before.OldOthers = n.New, n.NewOthers
	return append(out, controltest.Forgery{How: "the new state is the old one", Body: same}, controltest.Forgery{How: "nothing is forbidden", Body: nothing}, controltest.Forgery{How: "the house is not known", Body: named}, controltest.Forgery{How: "the old state is the new one", Body: before})
}

var sameRule = []cmp.Option{cmpopts.EquateComparable(securitygroup.Rule{}.CIDR), cmpopts.EquateEmpty()}

// surgicalGroup: outbound rules, tags, names and descriptions stay; a rule that
// is not in the diff stays as it is; a rule that comes is a part of one that
// goes and carries its description and tags.
func surgicalGroup(t controltest.TB, before, after any, p dera.Plan) {
	t.Helper()
	old, now := before.(*securitygroup.Group), after.(*securitygroup.Group)
	a, b := *old, *now
	a.Ingress, b.Ingress = nil, nil
	if diff := cmp.Diff(a, b, sameRule...); diff != "" {
		t.Errorf("something beside the inbound rules changed (-before +after):\n%s", diff)
	}
	var gone, come []securitygroup.Rule
	for _, r := range old.Ingress {
		i := slices.IndexFunc(now.Ingress, func(n securitygroup.Rule) bool { return n.ID == r.ID })
		if i < 0 {
			gone = append(gone, r)
		} else if diff := cmp.Diff(r, now.Ingress[i], sameRule...); diff != "" {
			t.Errorf("rule %s changed (-before +after):\n%s", r.ID, diff)
		}
	}
	for _, r := range now.Ingress {
		if !slices.ContainsFunc(old.Ingress, func(o securitygroup.Rule) bool { return o.ID == r.ID }) {
			come = append(come, r)
		}
	}
	var diff []string
	for _, r := range gone {
		diff = append(diff, "- "+r.Line())
	}
	for _, r := range come {
		diff = append(diff, "+ "+r.Line())
		if !slices.ContainsFunc(gone, func(g securitygroup.Rule) bool { return partOf(r, g) }) {
			t.Errorf("rule %s is not a part of a rule that goes", r.Line())
		}
	}
	want := p.Diff()
	slices.Sort(want)
	slices.Sort(diff)
	if d := cmp.Diff(want, diff); d != "" {
		t.Errorf("the diff of the plan is not what changed (-diff +changed):\n%s", d)
	}
}

func partOf(r, whole securitygroup.Rule) bool {
	return r.Protocol == whole.Protocol && r.From >= whole.From && r.To <= whole.To &&
		netset.AddrsOf(r.CIDR).Subset(netset.AddrsOf(whole.CIDR)) && r.Description == whole.Description &&
		cmp.Equal(r.Tags, whole.Tags, cmpopts.EquateEmpty())
}

func laws() controltest.Laws {
	return controltest.Laws{
		Type: securitygroup.Type(), Evidence: []evidence.Kind{evidence.NetworkEvidence()},
		Decode: decodeGroup, Orders: groupOrders, Stamp: stampGroup, Surgical: surgicalGroup, Between: betweenGroups, Same: sameGroup,
		Bodies: groupBodies, Mutants: holdGroupMutants,
	}
}

// TestLaws holds every control on security groups against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	laws().RunAll(t, securitygroup.Controls())
}

func find(t testing.TB, id string) control.Control {
	t.Helper()
	for _, c := range securitygroup.Controls() {
		if c.ID == id {
			return c
		}
	}
	t.Fatalf("there is no control %s", id)
	return control.Control{}
}
