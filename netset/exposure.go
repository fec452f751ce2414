package netset

import "fmt"

// Measure is how many distinct addresses reach something.
type Measure struct {
	IPv4 uint64 `json:"ipv4"`
	IPv6 Count  `json:"ipv6"`
}

// Reach is how far an exposure goes.
type Reach uint8

const (
	// Internal: no public address outside the allowlist.
	Internal Reach = iota
	// External: some such addresses, yet few enough that they were probably meant.
	External
	// Internet: so many that nobody can have meant each of them.
	Internet
)

// String returns internal, external or internet.
func (r Reach) String() string {
	switch r {
	case Internal:
		return "internal"
	case External:
		return "external"
	case Internet:
		return "internet"
	}
	return fmt.Sprintf("Reach(%d)", uint8(r))
}

// Internet reports whether m is "the internet": more IPv4 addresses than a /8 has,
// which is the widest range that one organisation holds (IANA IPv4 address space
// registry), or more IPv6 addresses than a /32 has.
func (m Measure) Internet() bool {
	return m.IPv4 > 1<<24 || Count{Hi: 1 << 32}.less(m.IPv6)
}

// External reports whether any address is counted.
func (m Measure) External() bool { return m.IPv4 > 0 || !m.IPv6.IsZero() }

// Reach is the class that Internet and External make.
func (m Measure) Reach() Reach {
	switch {
	case m.Internet():
		return Internet
	case m.External():
		return External
	default:
		return Internal
	}
}

// atLeast is the larger number of each family.
func (m Measure) atLeast(n Measure) Measure {
	return Measure{max(m.IPv4, n.IPv4), maxCount(m.IPv6, n.IPv6)}
}

// Exposure is the exact number of distinct public addresses (see [Public])
// outside the allowlist that s lets reach the port of the protocol.
func Exposure(s Set, p Protocol, port uint16, allow Addrs) Measure {
	return Outside(s.At(p, port), allow)
}

// Outside is the exact number of distinct public addresses among from that are
// not on the allowlist.
func Outside(from, allow Addrs) Measure {
	m := measure(from.v4, from.v6, public)
	if allow.IsEmpty() {
		return m
	}
	known := from.Intersect(allow)
	k := measure(known.v4, known.v6, public)
	return Measure{m.IPv4 - k.IPv4, m.IPv6.sub(k.IPv6)}
}

func measure(v4, v6 []span, outside Addrs) Measure {
	return Measure{countCommon(v4, outside.v4).Lo, countCommon(v6, outside.v6)}
}

// PortExposure is a maximal interval of ports of one reach. Measure holds, for
// each family, the largest number that reaches any one port of it.
type PortExposure struct {
	Ports   Ports
	Measure Measure
}

// Exposures is what [Exposure] would find for each port of the protocol, as the
// maximal intervals of ports that have the same reach; internal ones are left
// out. For ICMP and ICMPv6 ports are type<<8 | code.
func Exposures(s Set, p Protocol, allow Addrs) []PortExposure {
	outside := Public().Subtract(allow)
	var out []PortExposure
	for q := range pieces(s.v4, s.v6, key(p, 0), key(p, 65535)) {
		m := measure(q.x, q.y, outside)
		if !m.External() {
			continue
		}
		lo, hi := uint16(q.lo), uint16(q.hi)
		if n := len(out); n > 0 && int(out[n-1].Ports.Hi)+1 == int(lo) && out[n-1].Measure.Reach() == m.Reach() {
			out[n-1].Ports.Hi = hi
			out[n-1].Measure = out[n-1].Measure.atLeast(m)
			continue
		}
		out = append(out, PortExposure{Ports{lo, hi}, m})
	}
	return out
}
