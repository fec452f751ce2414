package control

import (
	"fmt"
	"strconv"
	"strings"

	"dera.example/dera/netset"
)

// Audience says in words who a measure of public addresses is.
func Audience(m netset.Measure) string {
	var parts []string
	switch {
	case m.IPv4 >= 1<<31:
		parts = append(parts, "the entire IPv4 internet")
	case m.IPv4 > 0:
		parts = append(parts, grouped(m.IPv4)+" public IPv4 "+plural("address", m.IPv4))
	}
	switch {
	case m.IPv6.IsZero():
	case m.Internet() && m.IPv4 < 1<<24, m.IPv6.Hi >= 1<<60:
		parts = append(parts, "the IPv6 internet")
	default:
		parts = append(parts, "public IPv6 networks")
	}
	if len(parts) == 0 {
		return "no public address"
	}
	return strings.Join(parts, " and ")
}

func plural(word string, n uint64) string {
	if n == 1 {
		return word
	}
	return word + "es"
}

// grouped writes n with commas, 16777216 as 16,777,216.
func grouped(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// PortText is an interval of ports as people write it: 22 or 0-65535.
func PortText(p netset.Ports) string {
	if p.Lo == p.Hi {
		return strconv.Itoa(int(p.Lo))
	}
	return fmt.Sprintf("%d-%d", p.Lo, p.Hi)
}
