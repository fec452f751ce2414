package netset

import (
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"
)

// Addrs is a set of IPv4 and IPv6 addresses: an allowlist, the networks to keep
// internal, or who reaches a port. The zero Addrs is empty.
//
// Addrs is immutable and safe for concurrent use; equal sets have equal
// representations.
type Addrs struct{ v4, v6 []span }

// AddrsOf is the union of the prefixes; host bits do not matter and an invalid
// prefix holds no address.
func AddrsOf(prefixes ...netip.Prefix) Addrs {
	var lists [2][]span
	for _, p := range prefixes {
		if f, s, ok := spanOf(netipx.RangeOfPrefix(p)); ok {
			lists[f] = append(lists[f], s)
		}
	}
	return Addrs{canonicalSpans(lists[ipv4]), canonicalSpans(lists[ipv6])}
}

// Everywhere is each address of both families.
func Everywhere() Addrs {
	return AddrsOf(netip.PrefixFrom(netip.IPv4Unspecified(), 0), netip.PrefixFrom(netip.IPv6Unspecified(), 0))
}

// Public is the addresses that a packet from outside can come from: everything
// but the special-purpose blocks below (IANA IPv4 and IPv6 Special-Purpose
// Address Registries, RFC 6890). Blocks that are merely unassigned or kept for
// documentation count as public: that errs on the side of seeing exposure.
//
//   - 0.0.0.0/8 "this network" (RFC 791), 127.0.0.0/8 loopback (RFC 1122)
//   - 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 private use (RFC 1918)
//   - 100.64.0.0/10 shared address space of carriers (RFC 6598)
//   - 169.254.0.0/16 link-local (RFC 3927)
//   - 224.0.0.0/3 multicast (RFC 5771), reserved and broadcast (RFC 1112, 919)
//   - ::/127 unspecified and loopback (RFC 4291)
//   - fc00::/7 unique local (RFC 4193)
//   - fe80::/10 link-local, ff00::/8 multicast (RFC 4291)
func Public() Addrs { return public }

// public never changes, as no Addrs does.
var public = Addrs{
	v4: []span{
		{Count{Lo: 0x01000000}, Count{Lo: 0x09ffffff}}, // 1.0.0.0   - 9.255.255.255
		{Count{Lo: 0x0b000000}, Count{Lo: 0x643fffff}}, // 11.0.0.0  - 100.63.255.255
		{Count{Lo: 0x64800000}, Count{Lo: 0x7effffff}}, // 100.128.0.0 - 126.255.255.255
		{Count{Lo: 0x80000000}, Count{Lo: 0xa9fdffff}}, // 128.0.0.0 - 169.253.255.255
		{Count{Lo: 0xa9ff0000}, Count{Lo: 0xac0fffff}}, // 169.255.0.0 - 172.15.255.255
		{Count{Lo: 0xac200000}, Count{Lo: 0xc0a7ffff}}, // 172.32.0.0 - 192.167.255.255
		{Count{Lo: 0xc0a90000}, Count{Lo: 0xdfffffff}}, // 192.169.0.0 - 223.255.255.255
	},
	v6: []span{
		{Count{Lo: 2}, Count{0xfbffffffffffffff, 1<<64 - 1}},           // ::2 - fbff:…
		{Count{0xfe00 << 48, 0}, Count{0xfe7fffffffffffff, 1<<64 - 1}}, // fe00:: - fe7f:…
		{Count{0xfec0 << 48, 0}, Count{0xfeffffffffffffff, 1<<64 - 1}}, // fec0:: - feff:…
	},
}

// Private are the addresses that organisations use inside: 10.0.0.0/8,
// 172.16.0.0/12 and 192.168.0.0/16 (RFC 1918), 100.64.0.0/10 (RFC 6598, which AWS
// lets VPCs use), and fc00::/7 (RFC 4193). What is neither private nor [Public]
// (loopback, link-local, multicast, reserved) sends no packet to a VPC, but for VPC
// Lattice, which calls its targets from link-local addresses.
func Private() Addrs { return private }

// private never changes, as no Addrs does.
var private = AddrsOf(
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("fc00::/7"),
)

// Union is a ∪ b.
func (a Addrs) Union(b Addrs) Addrs {
	return Addrs{appendUnion(nil, a.v4, b.v4), appendUnion(nil, a.v6, b.v6)}
}

// Intersect is a ∩ b.
func (a Addrs) Intersect(b Addrs) Addrs {
	return Addrs{appendIntersection(nil, a.v4, b.v4), appendIntersection(nil, a.v6, b.v6)}
}

// Subtract is a ∖ b.
func (a Addrs) Subtract(b Addrs) Addrs {
	return Addrs{appendDifference(nil, a.v4, b.v4), appendDifference(nil, a.v6, b.v6)}
}

// IPv4 is the IPv4 addresses of a.
func (a Addrs) IPv4() Addrs { return Addrs{v4: a.v4} }

// IPv6 is the IPv6 addresses of a.
func (a Addrs) IPv6() Addrs { return Addrs{v6: a.v6} }

// IsEmpty reports whether no address is in a.
func (a Addrs) IsEmpty() bool { return len(a.v4) == 0 && len(a.v6) == 0 }

// Equal reports whether a and b hold the same addresses.
func (a Addrs) Equal(b Addrs) bool { return equalSpans(a.v4, b.v4) && equalSpans(a.v6, b.v6) }

// Subset reports whether every address of a is in b.
func (a Addrs) Subset(b Addrs) bool { return covers(b.v4, a.v4) && covers(b.v6, a.v6) }

// Contains reports whether ip is in a; a zone is ignored.
func (a Addrs) Contains(ip netip.Addr) bool {
	switch {
	case !ip.IsValid():
		return false
	case ip.Is4():
		return holds(a.v4, number(ip))
	default:
		return holds(a.v6, number(ip))
	}
}

// Ranges is the maximal ranges of a, IPv4 before IPv6, in order.
func (a Addrs) Ranges() []netipx.IPRange {
	out := make([]netipx.IPRange, 0, len(a.v4)+len(a.v6))
	for _, s := range a.v4 {
		out = append(out, s.ipRange(ipv4))
	}
	for _, s := range a.v6 {
		out = append(out, s.ipRange(ipv6))
	}
	return out
}

// Prefixes is the shortest list of CIDR blocks that is exactly a, in order:
// what a rule for these addresses has to list.
func (a Addrs) Prefixes() []netip.Prefix {
	var out []netip.Prefix
	for _, r := range a.Ranges() {
		out = r.AppendPrefixes(out)
	}
	return out
}

// String lists the ranges, each as a CIDR block where it is one.
func (a Addrs) String() string { return strings.Join(a.texts(), ", ") }

func (a Addrs) texts() []string {
	ranges := a.Ranges()
	out := make([]string, len(ranges))
	for i, r := range ranges {
		out[i] = rangeText(r)
	}
	return out
}

// canonicalSpans sorts and joins a list that it owns.
func canonicalSpans(list []span) []span {
	slices.SortFunc(list, func(a, b span) int { return a.lo.Compare(b.lo) })
	out := list[:0]
	for _, s := range list {
		out = appendSpan(out, 0, s)
	}
	return out
}

// spanOf is false for a range that is invalid.
func spanOf(r netipx.IPRange) (family, span, bool) {
	if !r.IsValid() {
		return 0, span{}, false
	}
	return familyOf(r.From()), span{number(r.From()), number(r.To())}, true
}

func (s span) ipRange(f family) netipx.IPRange {
	return netipx.IPRangeFrom(address(f, s.lo), address(f, s.hi))
}

// rangeText is the CIDR block that r is, or from-to.
func rangeText(r netipx.IPRange) string { return string(appendRange(nil, r)) }

func appendRange(b []byte, r netipx.IPRange) []byte {
	if p, ok := r.Prefix(); ok {
		return p.AppendTo(b)
	}
	return r.AppendTo(b)
}
