package securitygroup

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/netset"
	"dera.example/dera/resource"
	"dera.example/dera/resource/evidence"
)

// Removal is what a plan on a security group shall take away: packets of one
// protocol to some ports, as far as the blamed rules allow them.
type Removal struct {
	Protocol netset.Protocol
	Ports    netset.Ports
	Blamed   []Rule
}

// PlanRemovals makes the changes that take the removals out of the group's
// inbound rules and nothing else: for each blamed rule first the remainder is
// authorized, one rule a change, then the rule is revoked by its ID, so that no
// state on the way is wider or narrower than it must be. The remainder holds the
// private access that the settings keep, unless other rules give it. Rules that
// cannot be split safely are refused.
func PlanRemovals(g *Group, removals []Removal, s control.Settings) ([]dera.Change, *control.Refusal) {
	var changes []dera.Change
	rules := append(make([]Rule, 0, 2*len(g.Ingress)), g.Ingress...)
	fail := func(err error) ([]dera.Change, *control.Refusal) {
		return nil, &control.Refusal{Code: "cannot-plan", Why: err.Error()}
	}
	cut := blamed(removals)
	free, err := Reach(unblamed(g.Ingress, cut))
	if err != nil {
		return fail(err)
	}
	for _, r := range cut {
		rest, refusal := remainder(r, removals, s, g.House())
		if refusal != nil {
			return nil, refusal
		}
		for _, p := range rest {
			if slices.ContainsFunc(rules, p.SamePermission) {
				continue
			}
			if p.CIDR != r.CIDR {
				kept, err := Reach([]Rule{p})
				if err != nil {
					return fail(err)
				}
				if ok, _ := netset.Subset(kept, free); ok {
					continue
				}
			}
			c, err := g.Authorize(p)
			if err != nil {
				return fail(err)
			}
			changes = append(changes, c)
			rules = append(rules, p)
			v4, v6 := RuleCounts(rules)
			if quota := s.Quota(); v4 > quota || v6 > quota {
				return nil, &control.Refusal{Code: "rule-quota", Why: fmt.Sprintf(
					"splitting %s needs more than the %d inbound rules that the group may have in one address family", r.Line(), quota)}
			}
		}
		c, err := g.Revoke(r)
		if err != nil {
			return fail(err)
		}
		changes = append(changes, c)
		rules = slices.DeleteFunc(rules, func(o Rule) bool { return o.ID == r.ID && r.ID != "" })
	}
	return changes, nil
}

// unblamed are the rules that stay as they are.
func unblamed(rules, cut []Rule) []Rule {
	return slices.DeleteFunc(slices.Clone(rules), func(r Rule) bool {
		return slices.ContainsFunc(cut, func(b Rule) bool { return b.ID == r.ID && b.SamePermission(r) })
	})
}

// remainder is what must be authorized before the rule is revoked.
func remainder(r Rule, removals []Removal, s control.Settings, house netset.Addrs) ([]Rule, *control.Refusal) {
	switch {
	case r.All():
		return nil, &control.Refusal{Code: "all-traffic", Why: "the rule allows all traffic; what remains of it cannot be written as a few rules: " + r.Line()}
	case r.PrefixList != nil:
		return nil, &control.Refusal{Code: "prefix-list", Why: "the rule's source is a prefix list, which other groups may share: " + r.Line()}
	case r.Group != nil:
		return nil, &control.Refusal{Code: "security-group", Why: "the rule's source is a security group: " + r.Line()}
	}
	var ports []netset.Ports
	for _, m := range removals {
		if slices.ContainsFunc(m.Blamed, r.SamePermission) {
			ports = append(ports, m.Ports)
		}
	}
	keep := s.KeepAddrs(house).Intersect(netset.AddrsOf(r.CIDR))
	if left := keep.Intersect(netset.Public()).Subtract(netset.AddrsOf(s.Allow...)).Subtract(house); !left.IsEmpty() {
		return nil, &control.Refusal{Code: "keep-internal", Why: fmt.Sprintf(
			"keep_internal holds public addresses that are on no allowlist (%s); access from there would stay a finding: %s", left, r.Line())}
	}
	if !r.Ported() {
		// No ports to split: the rule goes whole, but for what is kept.
		var rest []Rule
		for _, k := range keep.Prefixes() {
			p := r
			p.ID, p.CIDR = "", k
			rest = append(rest, p)
		}
		return rest, nil
	}
	rest, err := Cut(r, joined(ports), keep.Prefixes())
	if err != nil {
		return nil, &control.Refusal{Code: "cannot-split", Why: err.Error()}
	}
	return rest, nil
}

// joined sorts the intervals and joins those that overlap.
func joined(ports []netset.Ports) []netset.Ports {
	slices.SortFunc(ports, func(a, b netset.Ports) int { return cmp.Compare(a.Lo, b.Lo) })
	var out []netset.Ports
	for _, p := range ports {
		if n := len(out); n > 0 && p.Lo <= out[n-1].Hi {
			out[n-1].Hi = max(out[n-1].Hi, p.Hi)
			continue
		}
		out = append(out, p)
	}
	return out
}

// blamed returns the rules that the removals blame, each once, in a fixed order.
func blamed(removals []Removal) []Rule {
	var out []Rule
	for _, m := range removals {
		for _, r := range m.Blamed {
			if !slices.ContainsFunc(out, func(o Rule) bool { return o.ID == r.ID && o.SamePermission(r) }) {
				out = append(out, r)
			}
		}
	}
	return InOrder(out)
}

// InOrder returns the rules in the one order in which plans take them, whatever
// the order in which AWS listed them: by what they allow, then by ID.
func InOrder(rules []Rule) []Rule {
	out := slices.Clone(rules)
	slices.SortFunc(out, func(a, b Rule) int { return cmp.Or(cmp.Compare(a.Line(), b.Line()), cmp.Compare(a.ID, b.ID)) })
	return out
}

// ProveRemovals makes the network evidence for changes that PlanRemovals made.
// The forbidden set is the removed packets from outside: from all addresses of the
// blamed rules' families but private ones, the house and those that the
// organisation keeps, less what the rules allow where nobody blames them. Given
// up is what of the private access the settings do not keep.
func ProveRemovals(g *Group, removals []Removal, changes []dera.Change, s control.Settings) (dera.Evidence, error) {
	n, err := walk(g, changes)
	if err != nil {
		return dera.Evidence{}, err
	}
	house := g.House().Union(netset.Private())
	keep := s.KeepAddrs(g.House())
	foreign := netset.Everywhere().Subtract(house).Subtract(keep)
	lost := house.Subtract(keep)
	cut := blamed(removals)
	var forbidden, given, stays netset.Set
	for _, r := range cut {
		from := netset.AddrsOf(netip.PrefixFrom(r.CIDR.Addr(), 0)) // its address family
		var lose netset.Set
		for _, m := range removals {
			if !slices.ContainsFunc(m.Blamed, func(b Rule) bool { return b.ID == r.ID && b.SamePermission(r) }) {
				continue
			}
			t := netset.Over(m.Protocol, m.Ports.Lo, m.Ports.Hi)
			forbidden = forbidden.Union(netset.Product(t, foreign.Intersect(from)))
			given = given.Union(netset.Product(t, lost.Intersect(from)))
			lose = lose.Union(netset.Product(t, foreign.Union(lost)))
		}
		reach, err := Reach([]Rule{r})
		if err != nil {
			return dera.Evidence{}, err
		}
		stays = stays.Union(reach.Subtract(lose))
	}
	free, err := Reach(unblamed(g.Ingress, cut))
	if err != nil {
		return dera.Evidence{}, err
	}
	stays = stays.Union(free)
	n.Forbidden = forbidden.Subtract(stays)
	n.House = netset.Product(netset.EveryTraffic(), g.House())
	n.Unread = g.NetworkUnread()
	if n.GivenUp = given.Intersect(n.Old).Subtract(stays); !n.GivenUp.IsEmpty() {
		n.GivenUpBy = "network.keep_internal: " + s.KeepInternal.String()
	}
	return n.Evidence()
}

// ProveEmptied makes the network evidence for changes that take all inbound
// rules away: everything from outside is forbidden, and private access and every
// source that stands for no address are given up, for the named reason.
func ProveEmptied(g *Group, changes []dera.Change, why string) (dera.Evidence, error) {
	n, err := walk(g, changes)
	if err != nil {
		return dera.Evidence{}, err
	}
	house := g.House().Union(netset.Private())
	n.House = netset.Product(netset.EveryTraffic(), g.House())
	n.Forbidden = netset.Product(netset.EveryTraffic(), netset.Everywhere().Subtract(house))
	n.GivenUp = n.Old.Subtract(n.Forbidden)
	n.ForbiddenOthers, n.GivenUpBy, n.Unread = n.OldOthers, why, g.NetworkUnread()
	return n.Evidence()
}

// walk applies the changes one by one and notes what the group allows, each
// state once: authorizing a part of what is open changes nothing.
func walk(g *Group, changes []dera.Change) (evidence.Network, error) {
	var err error
	kind := Type()
	n := evidence.Network{OldOthers: Symbolic(g.Ingress)}
	if n.Old, err = Reach(g.Ingress); err != nil {
		return n, err
	}
	n.New = n.Old
	now := g
	for i, c := range changes {
		config, err := kind.Apply(now, resource.Of(c))
		if err != nil {
			return n, fmt.Errorf("apply change %d: %w", i, err)
		}
		next := config.(*Group)
		step, err := between(now, next, n.New)
		if err != nil {
			return n, err
		}
		if !step.Gone.IsEmpty() || !step.Come.IsEmpty() {
			n.Between = append(n.Between, step)
			n.New = n.New.Subtract(step.Gone).Union(step.Come)
		}
		now = next
	}
	if k := len(n.Between); k > 0 {
		n.Between = n.Between[:k-1] // the last one leads to New
	}
	n.NewOthers = Symbolic(now.Ingress)
	return n, nil
}

// between is what the next configuration takes away and brings, where now lets
// in reach. Of one rule more or less only the packets of that rule can change,
// and only rules for the same packets can keep them.
func between(now, next *Group, reach netset.Set) (evidence.Step, error) {
	more, less := differs(now.Ingress, next.Ingress)
	switch {
	case more != nil:
		in, err := Reach([]Rule{*more})
		return evidence.Step{Come: in.Subtract(reach)}, err
	case less != nil:
		out, err := Reach([]Rule{*less})
		if err != nil {
			return evidence.Step{}, err
		}
		rest, err := Reach(touching(next.Ingress, *less))
		return evidence.Step{Gone: out.Subtract(rest)}, err
	}
	after, err := Reach(next.Ingress)
	return evidence.Step{Gone: reach.Subtract(after), Come: after.Subtract(reach)}, err
}

// differs returns the one rule that b has more than a, or less; none of both if
// they differ in another way.
func differs(a, b []Rule) (more, less *Rule) {
	if len(b) < len(a) {
		less, more = differs(b, a)
		return more, less
	}
	if len(b) != len(a)+1 {
		return nil, nil
	}
	i := 0
	for i < len(a) && same(&a[i], &b[i]) {
		i++
	}
	for k := i; k < len(a); k++ {
		if !same(&a[k], &b[k+1]) {
			return nil, nil
		}
	}
	return &b[i], nil
}

// same compares what counts for packets, the cheap things first.
func same(a, b *Rule) bool {
	return a.From == b.From && a.To == b.To && a.ID == b.ID && a.PrefixList == b.PrefixList && a.SamePermission(*b)
}

// touching leaves out rules that for sure share no packet with r.
func touching(rules []Rule, r Rule) []Rule {
	out := make([]Rule, 0, len(rules))
	for i := range rules {
		if o := &rules[i]; !o.Ported() || !r.Ported() || o.Protocol == r.Protocol && o.From <= r.To && r.From <= o.To {
			out = append(out, *o)
		}
	}
	return out
}
