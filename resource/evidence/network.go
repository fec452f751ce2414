package evidence

import (
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/netset"
)

// NetworkKind is the kind of evidence that Network makes.
const NetworkKind = "network/2"

// PrivateAccessLost is the claim that takes the place of nothing_else_lost where
// private access goes because someone chose so.
const PrivateAccessLost = "private_access_lost"

// Network is what a network proof is about: the packets that a resource allows
// before and after the plan, those on the way between two changes, and the
// forbidden ones that shall go. Others are sources that stand for no addresses
// (security groups), by name.
type Network struct {
	Old       netset.Set `json:"old"`
	New       netset.Set `json:"new"`
	Forbidden netset.Set `json:"forbidden"`
	// House are all packets from the VPC's own addresses and from those that it
	// reaches privately. Private ranges belong to every house.
	House netset.Set `json:"house"`
	// GivenUp is what of the house's access goes too, as GivenUpBy allows.
	GivenUp   netset.Set `json:"given_up"`
	GivenUpBy string     `json:"given_up_by,omitempty"`
	// Unread says why the house is not known, or nothing.
	Unread string `json:"unread,omitempty"`
	// Between are the changes on the way from Old, but for the last one, that
	// make a difference: differences are small where states are not.
	Between []Step `json:"between,omitempty"`
	// Symbolic sources before, after, and those that shall go.
	OldOthers       []string `json:"old_others,omitempty"`
	NewOthers       []string `json:"new_others,omitempty"`
	ForbiddenOthers []string `json:"forbidden_others,omitempty"`
}

// Step is what one change takes away, and then what it brings.
type Step struct {
	Gone netset.Set `json:"gone"`
	Come netset.Set `json:"come"`
}

// Evidence proves or refutes, exactly: the new state allows nothing that the
// old did not; what is forbidden comes from outside; nothing else is lost, or
// nothing but the private access that someone chose to give up; something
// forbidden was allowed, and nothing is left of it; and no state on the way is
// wider than the old or narrower than what is kept. docs/evidence.md says of each
// what it does not cover.
func (n Network) Evidence() (dera.Evidence, error) {
	body, err := dera.CanonicalJSON(n)
	if err != nil {
		return dera.Evidence{}, fmt.Errorf("network evidence: %w", err)
	}
	ev := dera.Evidence{Kind: NetworkKind, Claims: n.Claims(), Body: body}
	if p, ok := n.Old.Subtract(n.New).Witness(); ok {
		ev.Denied = p.String()
	} else if gone := minus(n.OldOthers, n.NewOthers); len(gone) > 0 {
		ev.Denied = gone[0]
	}
	return ev, nil
}

// Claims are what the body proves or refutes.
func (n Network) Claims() []dera.Claim {
	house := n.House.Union(netset.Product(netset.EveryTraffic(), netset.Private()))
	kept := n.Old.Subtract(n.Forbidden).Subtract(n.GivenUp)
	keptOthers := minus(n.OldOthers, n.ForbiddenOthers)
	return []dera.Claim{
		subset("nothing_new", "no new access is allowed: nothing that the old state did not allow", n.New, n.Old, n.NewOthers, n.OldOthers),
		n.external(house),
		n.loss(house, kept, keptOthers),
		n.resolved(),
		n.between(kept),
	}
}

// external: what a plan is to take away is access from outside.
func (n Network) external(house netset.Set) dera.Claim {
	return subset("only_external_forbidden", "what is forbidden comes from outside: from no private address, none of the VPC and none to which it has a private route of its own (a default route is none)",
		n.Forbidden.Intersect(house), netset.Set{}, nil, nil)
}

// loss is over all addresses. Where private access goes, the claim is another one.
func (n Network) loss(house, kept netset.Set, keptOthers []string) dera.Claim {
	name, says := "nothing_else_lost", "from every address but link-local ones, everything outside the forbidden set is still allowed"
	if !n.GivenUp.IsEmpty() || len(n.ForbiddenOthers) > 0 {
		lost := strings.Join(slices.Concat([]string{n.GivenUp.String()}, n.ForbiddenOthers), "; ")
		name, says = PrivateAccessLost, fmt.Sprintf("beside the forbidden set only private access is lost, as %s says: %s", n.GivenUpBy, lost)
	}
	c := subset(name, says, kept, n.New, keptOthers, n.NewOthers)
	outside := subset("", "", n.GivenUp, house, nil, nil)
	switch {
	case c.Verdict != dera.Proved:
	case outside.Verdict != dera.Proved:
		c.Verdict, c.Witness = outside.Verdict, outside.Witness
	case n.Unread != "":
		c.Verdict, c.Witness = dera.Unknown, n.Unread
	}
	return c
}

// resolved: a forbidden set of which nothing was allowed would prove nothing.
func (n Network) resolved() dera.Claim {
	cut := n.Forbidden.Union(n.GivenUp)
	c := subset("finding_gone", "packets of what is removed were allowed, and none is any more", n.New.Intersect(cut), netset.Set{},
		minus(n.NewOthers, minus(n.NewOthers, n.ForbiddenOthers)), nil)
	if c.Verdict == dera.Proved && n.Old.Intersect(cut).IsEmpty() && len(n.ForbiddenOthers) == 0 {
		c.Verdict, c.Witness = dera.Unknown, "nothing that is removed was allowed"
	}
	return c
}

func (n Network) between(kept netset.Set) dera.Claim {
	between := dera.Claim{Name: "never_wider_between", Verdict: dera.Proved,
		Says: "no state between two changes allows more than the old one or less than what is kept"}
	now := n.Old
	for _, s := range n.Between {
		now = now.Subtract(s.Gone).Union(s.Come)
		for _, c := range []dera.Claim{subset("", "", now, n.Old, nil, nil), subset("", "", kept, now, nil, nil)} {
			if c.Verdict != dera.Proved {
				between.Verdict, between.Witness = c.Verdict, c.Witness
			}
		}
	}
	return between
}

func subset(name, says string, a, b netset.Set, aOthers, bOthers []string) dera.Claim {
	c := dera.Claim{Name: name, Says: says, Verdict: dera.Proved}
	if ok, p := netset.Subset(a, b); !ok {
		c.Verdict, c.Witness = dera.Refuted, p.String()
	} else if extra := minus(aOthers, bOthers); len(extra) > 0 {
		c.Verdict, c.Witness = dera.Refuted, extra[0]
	}
	return c
}

// NetworkEvidence is the kind of Network.
func NetworkEvidence() Kind { return Kind{Name: NetworkKind, Remake: Remade[Network]} }

func minus(a, b []string) []string {
	var out []string
	for _, s := range a {
		if !slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	return out
}
