package controltest

import (
	"fmt"
	"slices"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dera"
	"dera/netset"
	"dera/resource"
)

// kind is what the laws need to know of a resource type.
type kind struct {
	decode func([]byte) (any, error)
	// orders are the same configuration with its parts listed otherwise.
	orders func(config any) []any
	// stamp gives the parts without an ID one, as AWS does.
	stamp func(config any, id string) any
	// surgical says of everything that the plan changed beyond its diff.
	surgical func(t TB, before, after any, p dera.Plan)
	// reach is what the configuration lets in.
	reach func(t TB, config any) (netset.Set, []string)
}

func kindOf(t TB, typ string) kind {
	t.Helper()
	if typ == resource.SecurityGroupType {
		return kind{decodeGroup, groupOrders, stampGroup, surgicalGroup, groupReach}
	}
	t.Fatalf("the laws do not know the resource type %q yet: give controltest a kind for it", typ)
	return kind{}
}

func nameOf(r *dera.Resource) {
	if g, ok := r.Config.(*resource.SecurityGroup); ok {
		r.ID, r.Name, r.Tags = g.ID, g.Name, g.Tags
		r.ARN = dera.NewARN(r.Partition, "ec2", r.Region, r.Account, "security-group/"+g.ID)
	}
}

// decodeGroup also refuses what a reader never makes: a protocol in another
// spelling, host bits, a rule without an ID.
func decodeGroup(data []byte) (any, error) {
	var g resource.SecurityGroup
	if err := strict(data, &g); err != nil {
		return nil, err
	}
	for _, r := range slices.Concat(g.Ingress, g.Egress) {
		_, err := r.Packets()
		switch {
		case err != nil:
			return nil, err
		case r.ID == "":
			return nil, fmt.Errorf("rule %s has no ID", r.Line())
		case resource.Protocol(r.Protocol) != r.Protocol:
			return nil, fmt.Errorf("rule %s: a reader spells the protocol %q", r.Line(), resource.Protocol(r.Protocol))
		case r.CIDR.IsValid() && r.CIDR != r.CIDR.Masked():
			return nil, fmt.Errorf("rule %s: a reader masks host bits", r.Line())
		case !r.CIDR.IsValid() && r.PrefixList == nil && r.Group == nil:
			return nil, fmt.Errorf("rule %s has no source", r.Line())
		}
	}
	return &g, nil
}

func groupOrders(config any) []any {
	g := config.(*resource.SecurityGroup)
	n := len(g.Ingress)
	if n < 2 {
		return nil
	}
	order := func(change func([]resource.Rule) []resource.Rule) any {
		other := *g
		other.Ingress = change(slices.Clone(g.Ingress))
		return &other
	}
	return []any{
		order(func(r []resource.Rule) []resource.Rule { slices.Reverse(r); return r }),
		order(func(r []resource.Rule) []resource.Rule { return slices.Concat(r[n/2:], r[:n/2]) }),
	}
}

func stampGroup(config any, id string) any {
	g := *config.(*resource.SecurityGroup)
	g.Ingress = slices.Clone(g.Ingress)
	for i, r := range g.Ingress {
		if r.ID == "" {
			g.Ingress[i].ID = "sgr-" + id
		}
	}
	return &g
}

func groupReach(t TB, config any) (netset.Set, []string) {
	t.Helper()
	g := config.(*resource.SecurityGroup)
	set, err := resource.Reach(g.Ingress)
	if err != nil {
		t.Fatalf("reach: %v", err)
	}
	return set, resource.Symbolic(g.Ingress)
}

var sameRule = []cmp.Option{cmpopts.EquateComparable(resource.Rule{}.CIDR), cmpopts.EquateEmpty()}

// surgicalGroup: outbound rules, tags, names and descriptions stay; a rule that
// is not in the diff stays as it is; a rule that comes is a part of one that
// goes and carries its description and tags.
func surgicalGroup(t TB, before, after any, p dera.Plan) {
	t.Helper()
	old, now := before.(*resource.SecurityGroup), after.(*resource.SecurityGroup)
	a, b := *old, *now
	a.Ingress, b.Ingress = nil, nil
	if diff := cmp.Diff(a, b, sameRule...); diff != "" {
		t.Errorf("something beside the inbound rules changed (-before +after):\n%s", diff)
	}
	var gone, come []resource.Rule
	for _, r := range old.Ingress {
		i := slices.IndexFunc(now.Ingress, func(n resource.Rule) bool { return n.ID == r.ID })
		if i < 0 {
			gone = append(gone, r)
		} else if diff := cmp.Diff(r, now.Ingress[i], sameRule...); diff != "" {
			t.Errorf("rule %s changed (-before +after):\n%s", r.ID, diff)
		}
	}
	for _, r := range now.Ingress {
		if !slices.ContainsFunc(old.Ingress, func(o resource.Rule) bool { return o.ID == r.ID }) {
			come = append(come, r)
		}
	}
	var diff []string
	for _, r := range gone {
		diff = append(diff, "- "+r.Line())
	}
	for _, r := range come {
		diff = append(diff, "+ "+r.Line())
		if !slices.ContainsFunc(gone, func(g resource.Rule) bool { return partOf(r, g) }) {
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

func partOf(r, whole resource.Rule) bool {
	return r.Protocol == whole.Protocol && r.From >= whole.From && r.To <= whole.To &&
		netset.AddrsOf(r.CIDR).Subset(netset.AddrsOf(whole.CIDR)) && r.Description == whole.Description &&
		cmp.Equal(r.Tags, whole.Tags, cmpopts.EquateEmpty())
}
