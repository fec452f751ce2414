package netset

import (
	"fmt"
	"net/netip"
	"strings"
)

// Prefix reads a CIDR block as AWS means it, or a single address.
//
// Host bits are masked off: 10.1.2.3/8 is 10.0.0.0/8 and 208.236.235.254/0 is
// all of IPv4. IPv4-mapped text is unmapped: ::ffff:10.0.0.0/104 is 10.0.0.0/8.
// Zones and IPv4 octets with leading zeros are errors.
func Prefix(s string) (netip.Prefix, error) {
	text, length, slash := strings.Cut(s, "/")
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		return netip.Prefix{}, fmt.Errorf("parse CIDR %q: %q is no IP address", s, text)
	}
	bits := addr.BitLen()
	if slash {
		if bits, err = prefixLength(length, addr.BitLen()); err != nil {
			return netip.Prefix{}, fmt.Errorf("parse CIDR %q: %w", s, err)
		}
	}
	if addr.Is4In6() && bits >= 96 {
		addr, bits = addr.Unmap(), bits-96
	}
	return netip.PrefixFrom(addr, bits).Masked(), nil
}

// prefixLength reads one to three digits without sign or leading zero.
func prefixLength(s string, most int) (int, error) {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' || i > 2 || i > 0 && s[0] == '0' {
			return 0, fmt.Errorf("%q is no prefix length", s)
		}
		n = n*10 + int(s[i]-'0')
	}
	if s == "" || n > most {
		return 0, fmt.Errorf("%q is no prefix length of 0 to %d", s, most)
	}
	return n, nil
}

// Prefixes reads several; the error names the first that is wrong.
func Prefixes(texts ...string) ([]netip.Prefix, error) {
	out := make([]netip.Prefix, len(texts))
	for i, s := range texts {
		p, err := Prefix(s)
		if err != nil {
			return nil, err
		}
		out[i] = p
	}
	return out, nil
}
