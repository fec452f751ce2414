package securitygroup

import (
	"fmt"
	"net/netip"
	"slices"

	"dera.example/dera/netset"
)

// Exposure is who reaches one kind of packet of a security group from outside,
// and which rules let them. Internet are the rules that together make the group
// open to the internet; Bounded are the others that allow public addresses.
type Exposure struct {
	Measure  netset.Measure
	Internet []Rule
	Bounded  []Rule
	// BoundedMeasure is what Bounded allows.
	BoundedMeasure netset.Measure
}

// Measure is how many public addresses outside the allowlist the rule allows,
// to whatever it opens.
func Measure(r Rule, allow netset.Addrs) (netset.Measure, error) {
	if _, err := r.Packets(); err != nil {
		return netset.Measure{}, err
	}
	prefixes, _ := r.Addresses()
	return netset.Outside(netset.AddrsOf(prefixes...), allow), nil
}

// Expose judges the union of the rules at one packet: an exposure is the
// internet's by measure (netset.Measure.Internet), however the range is written
// and over however many rules it is spread. The smallest set of wide rules is
// blamed first: only when the rest would still add up to the internet are all
// rules from public addresses blamed.
func Expose(rules []Rule, protocol netset.Protocol, port uint16, allow netset.Addrs) (Exposure, error) {
	type part struct {
		rule Rule
		from netset.Addrs
		m    netset.Measure
	}
	var parts []part
	var all netset.Addrs
	for _, r := range rules {
		t, err := r.Packets()
		if err != nil {
			return Exposure{}, err
		}
		if protocol < t.Protocols.Lo || protocol > t.Protocols.Hi || port < t.Ports.Lo || port > t.Ports.Hi {
			continue
		}
		prefixes, _ := r.Addresses()
		from := netset.AddrsOf(prefixes...)
		if m := netset.Outside(from, allow); m.External() {
			parts = append(parts, part{r, from, m})
			all = all.Union(from)
		}
	}
	e := Exposure{Measure: netset.Outside(all, allow)}
	var rest netset.Addrs
	for _, p := range parts {
		if !p.m.Internet() {
			rest = rest.Union(p.from)
		}
	}
	spread := netset.Outside(rest, allow).Internet()
	for _, p := range parts {
		if p.m.Internet() || spread {
			e.Internet = append(e.Internet, p.rule)
		} else {
			e.Bounded = append(e.Bounded, p.rule)
		}
	}
	if !spread {
		e.BoundedMeasure = netset.Outside(rest, allow)
	}
	return e, nil
}

// Cut returns what is left of rule r when the packets to the ports in remove
// (sorted, disjoint) go: the same source on the other ports, and, for each
// removed port, the source's part in keep. Tags and description are carried
// over. The rule must be one of TCP or UDP from addresses.
func Cut(r Rule, remove []netset.Ports, keep []netip.Prefix) ([]Rule, error) {
	if !r.Ported() || r.PrefixList != nil || r.Group != nil {
		return nil, fmt.Errorf("rule %s cannot be split", r.Line())
	}
	var out []Rule
	part := func(lo, hi int32, from netip.Prefix) {
		p := r
		p.ID, p.From, p.To, p.CIDR = "", lo, hi, from
		out = append(out, p)
	}
	next := r.From
	for _, gone := range remove {
		lo, hi := max(int32(gone.Lo), r.From), min(int32(gone.Hi), r.To)
		if lo > hi {
			continue
		}
		if next < lo {
			part(next, lo-1, r.CIDR)
		}
		for _, k := range netset.AddrsOf(keep...).Intersect(netset.AddrsOf(r.CIDR)).Prefixes() {
			part(lo, hi, k)
		}
		next = hi + 1
	}
	if next <= r.To {
		part(next, r.To, r.CIDR)
	}
	return out, nil
}

// RuleCounts returns how many inbound rules count against the quota in each
// address family: a prefix list counts as its maximum number of entries, a
// security group as one in both (Amazon VPC quotas, security groups).
func RuleCounts(rules []Rule) (v4, v6 int) {
	for _, r := range rules {
		switch {
		case r.Group != nil:
			v4++
			v6++
		case r.PrefixList != nil && slices.ContainsFunc(r.PrefixList.Entries, func(p netip.Prefix) bool { return p.Addr().Is6() }):
			v6 += max(r.PrefixList.MaxEntries, len(r.PrefixList.Entries))
		case r.PrefixList != nil:
			v4 += max(r.PrefixList.MaxEntries, len(r.PrefixList.Entries), 1)
		case r.CIDR.Addr().Is6():
			v6++
		default:
			v4++
		}
	}
	return v4, v6
}
