package securitygroup

import (
	"fmt"
	"net/netip"
	"slices"

	"dera.example/dera/netset"
)

// Addresses returns what addresses the rule's source stands for. known is false
// for a prefix list whose entries could not be read. A security group as a
// source is symbolic: it has no addresses and is known.
func (r Rule) Addresses() (prefixes []netip.Prefix, known bool) {
	switch {
	case r.PrefixList != nil:
		return r.PrefixList.Entries, r.PrefixList.Known
	case r.Group != nil:
		return nil, true
	}
	return []netip.Prefix{r.CIDR}, true
}

// Packets returns the packets that the rule lets through, whoever sends them.
func (r Rule) Packets() (netset.Traffic, error) {
	t, err := netset.ParseTraffic(r.Protocol, &r.From, &r.To)
	if err != nil {
		return netset.Traffic{}, fmt.Errorf("rule %s: %w", r.Line(), err)
	}
	return t, nil
}

// Reach returns the packets from addresses that the rules allow, exactly. It is
// an error if a rule cannot be understood; rules whose prefix list is not known
// are left out, and Unknown finds them.
func Reach(rules []Rule) (netset.Set, error) {
	boxes := make([]netset.Box, 0, len(rules))
	for i := range rules {
		r := &rules[i]
		t, err := r.Packets()
		if err != nil {
			return netset.Set{}, err
		}
		prefixes, _ := r.Addresses()
		for _, p := range prefixes {
			boxes = append(boxes, t.From(p))
		}
	}
	return netset.Of(boxes...), nil
}

// Symbolic returns, sorted, the rules that do not stand for addresses: those
// from security groups and from prefix lists that could not be read.
func Symbolic(rules []Rule) []string {
	var out []string
	for _, r := range rules {
		if r.Group != nil || (r.PrefixList != nil && !r.PrefixList.Known) {
			out = append(out, r.Line())
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Unknown returns the rules whose source could not be read.
func Unknown(rules []Rule) []Rule {
	var out []Rule
	for _, r := range rules {
		if _, known := r.Addresses(); !known {
			out = append(out, r)
		}
	}
	return out
}
