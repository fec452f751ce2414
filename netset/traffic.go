package netset

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"go4.org/netipx"
)

// Ports is the closed interval of ports from Lo to Hi, or of type<<8 | code for
// ICMP and ICMPv6.
type Ports struct{ Lo, Hi uint16 }

// EveryPort is 0 to 65535.
func EveryPort() Ports { return Ports{0, 65535} }

// Traffic is what a rule admits, whoever sends it: protocols × ports.
type Traffic struct {
	Protocols Protocols
	Ports     Ports
}

// EveryTraffic is what a rule of protocol -1 admits.
func EveryTraffic() Traffic { return Traffic{EveryProtocol(), EveryPort()} }

// Over is the traffic of one protocol on the ports lo to hi.
func Over(p Protocol, lo, hi uint16) Traffic { return Traffic{Protocols{p, p}, Ports{lo, hi}} }

// ParseTraffic reads IpProtocol, FromPort and ToPort of a security group rule
// with the meaning that the EC2 API reference gives them (IpPermission):
//
//   - tcp and udp: a range of ports, which must be there;
//   - icmp and icmpv6: type and code, where -1 or nil means all of them, and
//     all types means all codes;
//   - any other protocol, and -1: all ports, whatever range is written.
//
// A range that AWS does not accept is an error, not a guess.
func ParseTraffic(protocol string, from, to *int32) (Traffic, error) {
	ps, err := ParseProtocols(protocol)
	if err != nil {
		return Traffic{}, err
	}
	ports := EveryPort()
	switch ps {
	case Protocols{TCP, TCP}, Protocols{UDP, UDP}:
		ports, err = portRange(from, to)
	case Protocols{ICMP, ICMP}, Protocols{ICMPv6, ICMPv6}:
		ports, err = typeRange(from, to)
	}
	if err != nil {
		return Traffic{}, fmt.Errorf("parse ports of protocol %q: %w", protocol, err)
	}
	return Traffic{ps, ports}, nil
}

func portRange(from, to *int32) (Ports, error) {
	switch {
	case from == nil || to == nil:
		return Ports{}, fmt.Errorf("no port range")
	case *from < 0 || *to > 65535 || *from > *to:
		return Ports{}, fmt.Errorf("%d-%d is no range of ports", *from, *to)
	}
	return Ports{uint16(*from), uint16(*to)}, nil
}

func typeRange(from, to *int32) (Ports, error) {
	kind, code := orAll(from), orAll(to)
	switch {
	case kind == -1 && code == -1:
		return EveryPort(), nil
	case kind < 0 || kind > 255 || code < -1 || code > 255:
		return Ports{}, fmt.Errorf("type %d, code %d is no ICMP message", kind, code)
	case code == -1:
		return Ports{uint16(kind << 8), uint16(kind<<8 | 255)}, nil
	}
	n := uint16(kind<<8 | code)
	return Ports{n, n}, nil
}

func orAll(n *int32) int32 {
	if n == nil {
		return -1
	}
	return *n
}

// From is the box of t from the addresses of p; host bits in p do not matter.
func (t Traffic) From(p netip.Prefix) Box { return Box{t, netipx.RangeOfPrefix(p)} }

// String returns the protocols and, unless they are all there, the ports:
// "all", "tcp/22", "udp/0-21", "7-255", "icmp/8:0-8:255" (type:code).
func (t Traffic) String() string {
	if t.Ports == EveryPort() {
		return t.Protocols.String()
	}
	lo, hi := portText(t.Protocols, t.Ports.Lo), portText(t.Protocols, t.Ports.Hi)
	if lo == hi {
		return t.Protocols.String() + "/" + lo
	}
	return t.Protocols.String() + "/" + lo + "-" + hi
}

func portText(ps Protocols, port uint16) string {
	if ps.Lo == ps.Hi && ps.Lo.HasTypes() {
		return fmt.Sprintf("%d:%d", port>>8, port&255)
	}
	return strconv.Itoa(int(port))
}

// MarshalText returns the same as String.
func (t Traffic) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what MarshalText writes. Ports need one single protocol,
// as in every box that a [Set] gives out.
func (t *Traffic) UnmarshalText(text []byte) error {
	protocols, ports, cut := strings.Cut(string(text), "/")
	ps, err := protocolsFromText(protocols)
	if err != nil {
		return err
	}
	if !cut {
		*t = Traffic{ps, EveryPort()}
		return nil
	}
	if ps.Lo != ps.Hi {
		return fmt.Errorf("parse traffic %q: ports of more than one protocol", text)
	}
	lo, hi, ok := strings.Cut(ports, "-")
	if !ok {
		hi = lo
	}
	from, err := portFromText(ps.Lo, lo)
	if err != nil {
		return fmt.Errorf("parse traffic %q: %w", text, err)
	}
	to, err := portFromText(ps.Lo, hi)
	if err != nil {
		return fmt.Errorf("parse traffic %q: %w", text, err)
	}
	if from > to {
		return fmt.Errorf("parse traffic %q: ports are reversed", text)
	}
	*t = Traffic{ps, Ports{from, to}}
	return nil
}

func protocolsFromText(s string) (Protocols, error) {
	lo, hi, ok := strings.Cut(s, "-")
	if !ok || lo == "" {
		return ParseProtocols(s)
	}
	from, err := strconv.ParseUint(lo, 10, 8)
	if err != nil {
		return Protocols{}, fmt.Errorf("parse protocols %q: %w", s, err)
	}
	to, err := strconv.ParseUint(hi, 10, 8)
	if err != nil {
		return Protocols{}, fmt.Errorf("parse protocols %q: %w", s, err)
	}
	if from > to {
		return Protocols{}, fmt.Errorf("parse protocols %q: reversed", s)
	}
	return Protocols{Protocol(from), Protocol(to)}, nil
}

func portFromText(p Protocol, s string) (uint16, error) {
	if !p.HasTypes() {
		n, err := strconv.ParseUint(s, 10, 16)
		return uint16(n), err
	}
	kind, code, _ := strings.Cut(s, ":")
	k, err := strconv.ParseUint(kind, 10, 8)
	if err != nil {
		return 0, err
	}
	c, err := strconv.ParseUint(code, 10, 8)
	return uint16(k<<8 | c), err
}
