package netset

import (
	"fmt"
	"net/netip"
)

// Point is one kind of packet: from Addr, of Protocol, to Port. For ICMP and
// ICMPv6 the port is type<<8 | code; for a protocol that has neither it is any
// number and says nothing.
type Point struct {
	Addr     netip.Addr `json:"addr"`
	Protocol Protocol   `json:"protocol"`
	Port     uint16     `json:"port"`
}

// String returns "tcp/22 from 198.51.100.7", "icmp/8:0 from …", "47 from …".
func (p Point) String() string {
	if !p.Protocol.HasPorts() && !p.Protocol.HasTypes() {
		return fmt.Sprintf("%v from %v", p.Protocol, p.Addr)
	}
	return fmt.Sprintf("%v from %v", Over(p.Protocol, p.Port, p.Port), p.Addr)
}

// Witness is a point of a, and false when there is none: the first by family,
// protocol and port, and there the first public address if there is one.
func (a Set) Witness() (Point, bool) {
	_, p := Subset(a, Set{})
	return p, !a.IsEmpty()
}

// Subset reports whether every point of a is in b. If not, the point is one
// that is in a but not in b, chosen as by [Set.Witness]; if so, it is zero.
func Subset(a, b Set) (bool, Point) {
	for _, f := range [...]family{ipv4, ipv6} {
		for p := range pieces(a.slabs(f), b.slabs(f), 0, lastKey) {
			if !covers(p.y, p.x) {
				return false, witness(f, p)
			}
		}
	}
	return true, Point{}
}

// witness picks a point of p that is in x and not in y.
func witness(f family, p piece) Point {
	missing := appendDifference(nil, p.x, p.y)
	public := Public().v4
	if f == ipv6 {
		public = Public().v6
	}
	pick := missing[0].lo
	if open := appendIntersection(nil, missing, public); len(open) > 0 {
		pick = open[0].lo
	}
	return Point{address(f, pick), Protocol(p.lo >> 16), uint16(p.lo)}
}
