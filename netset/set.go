package netset

import (
	"net/netip"
	"slices"

	"go4.org/netipx"
)

// family is an address family.
type family uint8

const (
	ipv4 family = iota
	ipv6
)

// Box is one rule: the traffic from each address of a range of one family.
//
// A Box whose address range is invalid (as the zero Box's is) or whose bounds
// are reversed holds no point.
type Box struct {
	Traffic
	Addrs netipx.IPRange
}

// String returns the traffic and the addresses, "tcp/22 from 10.0.0.0/8".
func (b Box) String() string { return b.Traffic.String() + " from " + rangeText(b.Addrs) }

// Set is a set of points of traffic. The zero Set is empty.
//
// A Set is immutable and safe for concurrent use; equal sets have equal
// representations, texts and JSON. Copying a Set is cheap.
type Set struct{ v4, v6 []slab }

// Of is the union of the boxes, in whatever order and however they overlap.
func Of(boxes ...Box) Set {
	var items [2][]item
	for _, b := range boxes {
		f, s, ok := spanOf(b.Addrs)
		if !ok {
			continue
		}
		if items[f] == nil {
			items[f] = make([]item, 0, len(boxes))
		}
		items[f] = appendItems(items[f], b.Traffic, s)
	}
	return Set{slabsOf(items[ipv4]), slabsOf(items[ipv6])}
}

// appendItems turns the rectangle protocols × ports into intervals of keys: one
// when it spans all ports, else one for each protocol.
func appendItems(out []item, t Traffic, s span) []item {
	if t.Ports.Lo > t.Ports.Hi || t.Protocols.Lo > t.Protocols.Hi {
		return out
	}
	if t.Ports == EveryPort() {
		return append(out, item{key(t.Protocols.Lo, 0), key(t.Protocols.Hi, 65535), s})
	}
	for p := int(t.Protocols.Lo); p <= int(t.Protocols.Hi); p++ {
		out = append(out, item{key(Protocol(p), t.Ports.Lo), key(Protocol(p), t.Ports.Hi), s})
	}
	return out
}

// Product is the set of the traffic from each of the addresses.
func Product(t Traffic, from Addrs) Set {
	return Set{productSlabs(t, from.v4), productSlabs(t, from.v6)}
}

func productSlabs(t Traffic, addrs []span) []slab {
	if len(addrs) == 0 {
		return nil
	}
	// A canonical list of addresses, so intervals of keys are all that is to do.
	items := appendItems(nil, t, span{})
	out := make([]slab, 0, len(items))
	for _, it := range items {
		out = append(out, slab{it.lo, it.hi, addrs})
	}
	return out
}

// Union is a ∪ b.
func (a Set) Union(b Set) Set { return Set{unionSlabs(a.v4, b.v4), unionSlabs(a.v6, b.v6)} }

// Intersect is a ∩ b.
func (a Set) Intersect(b Set) Set {
	return Set{intersectSlabs(a.v4, b.v4), intersectSlabs(a.v6, b.v6)}
}

// Subtract is a ∖ b.
func (a Set) Subtract(b Set) Set { return Set{subtractSlabs(a.v4, b.v4), subtractSlabs(a.v6, b.v6)} }

// IsEmpty reports whether no point is in a.
func (a Set) IsEmpty() bool { return len(a.v4) == 0 && len(a.v6) == 0 }

// Equal reports whether a and b hold the same points.
func (a Set) Equal(b Set) bool { return equalSlabs(a.v4, b.v4) && equalSlabs(a.v6, b.v6) }

// Contains reports whether p is in a.
func (a Set) Contains(p Point) bool {
	if !p.Addr.IsValid() {
		return false
	}
	return holds(reach(a.slabs(familyOf(p.Addr)), key(p.Protocol, p.Port)), number(p.Addr))
}

// At is the addresses from which the port of the protocol is reached.
func (a Set) At(p Protocol, port uint16) Addrs {
	k := key(p, port)
	return Addrs{reach(a.v4, k), reach(a.v6, k)}
}

// Boxes is a's canonical decomposition: disjoint boxes, IPv4 before IPv6,
// ordered by protocol, port and address. Each box spans all ports or has a
// single protocol, and equal sets give equal boxes.
func (a Set) Boxes() []Box {
	var out []Box
	for f, slabs := range [...][]slab{ipv4: a.v4, ipv6: a.v6} {
		for _, s := range slabs {
			for _, t := range s.traffic() {
				for _, addrs := range s.addrs {
					out = append(out, Box{t, addrs.ipRange(family(f))})
				}
			}
		}
	}
	return out
}

// traffic splits an interval of keys into at most three rectangles: the end of
// its first protocol, whole protocols, and the start of its last.
func (s slab) traffic() []Traffic {
	first, last := Protocol(s.lo>>16), Protocol(s.hi>>16)
	from, to := uint16(s.lo), uint16(s.hi)
	if first == last {
		return []Traffic{Over(first, from, to)}
	}
	var out []Traffic
	lo, hi := int(first), int(last)
	if from > 0 {
		out = append(out, Over(first, from, 65535))
		lo++
	}
	if to < 65535 {
		hi--
	}
	if lo <= hi {
		out = append(out, Traffic{Protocols{Protocol(lo), Protocol(hi)}, EveryPort()})
	}
	if to < 65535 {
		out = append(out, Over(last, 0, to))
	}
	return out
}

func (a Set) slabs(f family) []slab {
	if f == ipv4 {
		return a.v4
	}
	return a.v6
}

// reach is the list at k, nil where there is none.
func reach(slabs []slab, k uint32) []span {
	i, _ := slices.BinarySearchFunc(slabs, k, func(s slab, k uint32) int { return int(s.hi) - int(k) })
	if i == len(slabs) || slabs[i].lo > k {
		return nil
	}
	return slabs[i].addrs
}

func familyOf(a netip.Addr) family {
	if a.Is4() {
		return ipv4
	}
	return ipv6
}
