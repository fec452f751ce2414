package netset

import (
	"fmt"
	"strconv"
	"strings"
)

// Protocol is an IP protocol number (IANA "Assigned Internet Protocol Numbers").
type Protocol uint8

// The protocols that have a second dimension (see the package comment).
const (
	ICMP    Protocol = 1
	TCP     Protocol = 6
	UDP     Protocol = 17
	DCCP    Protocol = 33
	ICMPv6  Protocol = 58
	SCTP    Protocol = 132
	UDPLite Protocol = 136
)

// HasPorts reports whether packets of p carry port numbers.
func (p Protocol) HasPorts() bool {
	return p == TCP || p == UDP || p == DCCP || p == SCTP || p == UDPLite
}

// HasTypes reports whether packets of p carry an ICMP type and code.
func (p Protocol) HasTypes() bool { return p == ICMP || p == ICMPv6 }

// String returns the name that AWS uses, or the number for a protocol that AWS
// has no name for.
func (p Protocol) String() string {
	switch p {
	case ICMP:
		return "icmp"
	case TCP:
		return "tcp"
	case UDP:
		return "udp"
	case ICMPv6:
		return "icmpv6"
	default:
		return strconv.Itoa(int(p))
	}
}

// Protocols is the closed interval of protocols from Lo to Hi.
type Protocols struct{ Lo, Hi Protocol }

// EveryProtocol is all 256 of them, what AWS writes as -1.
func EveryProtocol() Protocols { return Protocols{0, 255} }

// ParseProtocols reads a protocol as AWS writes it: tcp, udp, icmp or icmpv6 in
// any case, a decimal number from 0 to 255, or -1 (also "all") for all of them.
//
// Anything else is an error: an unknown protocol must not pass for an empty or
// a harmless one.
func ParseProtocols(s string) (Protocols, error) {
	switch strings.ToLower(s) {
	case "-1", "all":
		return EveryProtocol(), nil
	case "icmp":
		return Protocols{ICMP, ICMP}, nil
	case "tcp":
		return Protocols{TCP, TCP}, nil
	case "udp":
		return Protocols{UDP, UDP}, nil
	case "icmpv6":
		return Protocols{ICMPv6, ICMPv6}, nil
	}
	n, err := strconv.ParseUint(s, 10, 8)
	if err != nil {
		return Protocols{}, fmt.Errorf("parse protocol %q: neither a name, -1 nor a number from 0 to 255", s)
	}
	return Protocols{Protocol(n), Protocol(n)}, nil
}

// String returns "all", one protocol, or lo-hi in numbers.
func (ps Protocols) String() string {
	switch {
	case ps == EveryProtocol():
		return "all"
	case ps.Lo == ps.Hi:
		return ps.Lo.String()
	default:
		return fmt.Sprintf("%d-%d", uint8(ps.Lo), uint8(ps.Hi))
	}
}
