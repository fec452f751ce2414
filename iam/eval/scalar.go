package eval

import (
	"encoding/base64"
	"net/netip"
	"slices"
)

// boolTest compares booleans, regardless of case.
type boolTest struct{ yes, no bool }

func newBoolTest(list []string) test {
	n := newNullTest(list)
	return boolTest{yes: n.absent, no: n.present}
}

func (t boolTest) match(value string, _ Context) verdict {
	return asVerdict(t.yes && equalASCII(value, "true") || t.no && equalASCII(value, "false"))
}

// binaryTest compares base64 texts. Two of them stand for the same bytes only
// if they are the same; what is not base64 matches nothing.
type binaryTest struct{ values []string }

func newBinaryTest(list []string) test {
	var t binaryTest
	for _, v := range list {
		if _, err := base64.StdEncoding.Strict().DecodeString(v); err == nil {
			t.values = append(t.values, v)
		}
	}
	return t
}

func (t binaryTest) match(value string, _ Context) verdict {
	return asVerdict(slices.Contains(t.values, value))
}

// addressTest looks for an address in ranges. An IPv4 address lies in no IPv6
// range; what is no address cannot be compared.
type addressTest struct{ ranges []netip.Prefix }

func newAddressTest(list []string) test {
	var t addressTest
	for _, v := range list {
		if prefix, err := netip.ParsePrefix(v); err == nil {
			t.ranges = append(t.ranges, prefix)
		} else if addr, err := netip.ParseAddr(v); err == nil {
			t.ranges = append(t.ranges, netip.PrefixFrom(addr, addr.BitLen()))
		}
	}
	return t
}

func (t addressTest) match(value string, _ Context) verdict {
	addr, err := netip.ParseAddr(value)
	if err != nil || addr.Zone() != "" {
		return untyped
	}
	for _, r := range t.ranges {
		if r.Contains(addr) {
			return matches
		}
	}
	return differs
}
