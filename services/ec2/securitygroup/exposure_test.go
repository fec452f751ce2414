package securitygroup

import (
	"math/big"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"dera.example/dera/netset"
)

func prefixes(texts ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range texts {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

func cidr(protocol string, from, to int32, source string) Rule {
	return Rule{Protocol: protocol, From: from, To: to, CIDR: netip.MustParsePrefix(source)}
}

// drawRule draws rules at the places where judgements change.
func drawRule(t *rapid.T) Rule {
	r := Rule{Protocol: rapid.SampledFrom([]string{"tcp", "tcp", "tcp", "udp", "icmp", "-1", "47"}).Draw(t, "protocol"), From: -1, To: -1}
	switch r.Protocol {
	case "tcp", "udp":
		ports := []int32{0, 20, 21, 22, 23, 25, 80, 443, 3388, 3389, 3390, 8080, 65535}
		r.From = rapid.SampledFrom(ports).Draw(t, "from")
		r.To = max(r.From, rapid.SampledFrom(ports).Draw(t, "to"))
	case "icmp":
		r.From = rapid.SampledFrom([]int32{-1, 0, 8, 22}).Draw(t, "type")
		if r.From >= 0 {
			r.To = rapid.SampledFrom([]int32{-1, 0, 4}).Draw(t, "code")
		}
	}
	source := rapid.SampledFrom([]string{
		"0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "8.0.0.0/6", "8.0.0.0/8", "8.0.0.0/9", "8.128.0.0/9", "203.0.113.0/24", "203.0.113.7/32",
		"10.0.0.0/8", "10.0.0.0/7", "172.16.0.0/12", "::/0", "8000::/1", "2000::/3", "2001:db8::/31", "2001:db8::/32", "2001:db9::1/128", "fc00::/7",
	})
	switch rapid.IntRange(0, 12).Draw(t, "source kind") {
	case 0:
		r.PrefixList = &PrefixList{ID: "pl-1", Known: true}
		for range rapid.IntRange(0, 3).Draw(t, "entries") {
			r.PrefixList.Entries = append(r.PrefixList.Entries, netip.MustParsePrefix(source.Draw(t, "entry")))
		}
	case 1:
		r.Group = &GroupRef{ID: "sg-2"}
	default:
		r.CIDR = netip.MustParsePrefix(source.Draw(t, "source"))
	}
	return r
}

// oracle counts the public addresses outside the allowlist that some rule lets
// reach the packet: it cuts each family at every bound there is and asks every
// rule about every piece.
func oracle(rules []Rule, protocol netset.Protocol, port uint16, allow []netip.Prefix) netset.Measure {
	special := prefixes("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
		"192.168.0.0/16", "224.0.0.0/3", "::/127", "fc00::/7", "fe80::/10", "ff00::/8")
	var sources []netip.Prefix
	for _, r := range rules {
		t, err := r.Packets()
		if err != nil || protocol < t.Protocols.Lo || protocol > t.Protocols.Hi || port < t.Ports.Lo || port > t.Ports.Hi {
			continue
		}
		from, _ := r.Addresses()
		sources = append(sources, from...)
	}
	count := func(bits int, family func(netip.Prefix) bool) *big.Int {
		var cuts []*big.Int
		for _, p := range slices.Concat(special, allow, sources) {
			if family(p) {
				lo := new(big.Int).SetBytes(p.Addr().AsSlice())
				hi := new(big.Int).Add(lo, new(big.Int).Lsh(big.NewInt(1), uint(bits-p.Bits())))
				cuts = append(cuts, lo, hi)
			}
		}
		slices.SortFunc(cuts, func(a, b *big.Int) int { return a.Cmp(b) })
		sum := new(big.Int)
		for i := 0; i+1 < len(cuts); i++ {
			if cuts[i].BitLen() > bits {
				break // past the last address
			}
			addr, _ := netip.AddrFromSlice(cuts[i].FillBytes(make([]byte, bits/8)))
			holds := func(list []netip.Prefix) bool {
				return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(addr) })
			}
			if holds(sources) && !holds(special) && !holds(allow) {
				sum.Add(sum, new(big.Int).Sub(cuts[i+1], cuts[i]))
			}
		}
		return sum
	}
	m := netset.Measure{IPv4: count(32, func(p netip.Prefix) bool { return p.Addr().Is4() }).Uint64()}
	v6 := count(128, func(p netip.Prefix) bool { return p.Addr().Is6() })
	m.IPv6 = netset.Count{Hi: new(big.Int).Rsh(v6, 64).Uint64(), Lo: v6.Uint64()}
	return m
}

// TestExposeAgainstOracle: the measure is exact, blame is complete, and nobody
// is blamed who allows nothing public.
func TestExposeAgainstOracle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rules := rapid.SliceOfN(rapid.Custom(drawRule), 0, 12).Draw(t, "rules")
		for i := range rules {
			rules[i].ID = string(rune('a' + i))
		}
		allow := rapid.SliceOfN(rapid.SampledFrom(prefixes("8.0.0.0/8", "203.0.113.0/25", "2001:db8::/32", "128.0.0.0/1")), 0, 2).Draw(t, "allow")
		packet := rapid.SampledFrom([]struct {
			p    netset.Protocol
			port uint16
		}{{netset.TCP, 22}, {netset.TCP, 3389}, {netset.TCP, 8080}, {netset.UDP, 22}, {netset.ICMP, 8 << 8}, {47, 0}, {253, 0}}).Draw(t, "packet")

		e, err := Expose(rules, packet.p, packet.port, netset.AddrsOf(allow...))
		if err != nil {
			t.Fatal(err)
		}
		if want := oracle(rules, packet.p, packet.port, allow); e.Measure != want {
			t.Errorf("measure: got %+v, want %+v", e.Measure, want)
		}
		if got := len(e.Internet) > 0; got != e.Measure.Internet() {
			t.Errorf("blamed for the internet: got %d rules for %+v", len(e.Internet), e.Measure)
		}
		var rest []Rule
		for _, r := range rules {
			blamed := slices.ContainsFunc(e.Internet, func(b Rule) bool { return b.ID == r.ID })
			bounded := slices.ContainsFunc(e.Bounded, func(b Rule) bool { return b.ID == r.ID })
			m := oracle([]Rule{r}, packet.p, packet.port, allow)
			if blamed && bounded || (blamed || bounded) != m.External() {
				t.Errorf("rule %s: got internet %t, bounded %t, although it allows %+v", r.Line(), blamed, bounded, m)
			}
			if m.Internet() && !blamed {
				t.Errorf("rule %s is the internet and is not blamed", r.Line())
			}
			if !blamed {
				rest = append(rest, r)
			}
		}
		if m := oracle(rest, packet.p, packet.port, allow); m.Internet() || m != e.BoundedMeasure {
			t.Errorf("without the blamed rules: got %+v, want the bounded measure %+v", m, e.BoundedMeasure)
		}
	})
}

// TestCutIsExact: what is left of a rule allows just what the rule did, but for
// the removed ports from everywhere but the kept networks.
func TestCutIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := rapid.Custom(drawRule).Filter(func(r Rule) bool { return r.Ported() && r.CIDR.IsValid() }).Draw(t, "rule")
		r.ID, r.Description, r.Tags = "sgr-1", "d", map[string]string{"a": "b"}
		var remove []netset.Ports
		next := 0
		for range rapid.IntRange(0, 3).Draw(t, "removals") {
			lo := rapid.IntRange(next, min(next+4000, 65535)).Draw(t, "lo")
			hi := rapid.IntRange(lo, min(lo+4000, 65535)).Draw(t, "hi")
			remove = append(remove, netset.Ports{Lo: uint16(lo), Hi: uint16(hi)})
			if next = hi + 1; next > 65535 {
				break
			}
		}
		keep := rapid.SliceOfN(rapid.SampledFrom(prefixes("10.0.0.0/8", "10.0.0.0/9", "203.0.113.0/25", "fd00::/8", "8.0.0.0/9")), 0, 2).Draw(t, "keep")
		rest, err := Cut(r, remove, keep)
		if err != nil {
			t.Fatal(err)
		}
		want := mustReach(t, r)
		packets, err := r.Packets()
		if err != nil {
			t.Fatal(err)
		}
		for _, ports := range remove {
			gone := netset.Product(netset.Over(packets.Protocols.Lo, ports.Lo, ports.Hi), netset.Everywhere().Subtract(netset.AddrsOf(keep...)))
			want = want.Subtract(gone)
		}
		if got := mustReach(t, rest...); !got.Equal(want) {
			t.Errorf("what is left: got %v, want %v", got, want)
		}
		for i, p := range rest {
			if p.ID != "" || p.Description != r.Description || p.Tags["a"] != "b" || p.Protocol != r.Protocol {
				t.Errorf("part %d: got %+v, want no ID, and the rule's description and tags", i, p)
			}
		}
	})
}

type fataler interface{ Fatal(...any) }

func mustReach(t fataler, rules ...Rule) netset.Set {
	set, err := Reach(rules)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestCutRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		rule Rule
	}{
		{"icmp", cidr("icmp", 8, -1, "0.0.0.0/0")},
		{"all_traffic", cidr("-1", -1, -1, "0.0.0.0/0")},
		{"protocol_47", cidr("47", -1, -1, "0.0.0.0/0")},
		{"prefix_list", Rule{Protocol: "tcp", From: 22, To: 22, PrefixList: &PrefixList{ID: "pl-1", Known: true}}},
		{"group", Rule{Protocol: "tcp", From: 22, To: 22, Group: &GroupRef{ID: "sg-2"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got, err := Cut(tt.rule, nil, nil); err == nil {
				t.Errorf("cut %s: got %v, want an error", tt.rule.Line(), got)
			}
		})
	}
}

func TestExposeNotUnderstood(t *testing.T) {
	t.Parallel()
	bad := cidr("tcp", -1, -1, "0.0.0.0/0")
	if _, err := Expose([]Rule{bad}, netset.TCP, 22, netset.Addrs{}); err == nil {
		t.Errorf("expose a rule without ports: got no error")
	}
	if _, err := Measure(bad, netset.Addrs{}); err == nil {
		t.Errorf("measure a rule without ports: got no error")
	}
	if _, err := Reach([]Rule{bad}); err == nil {
		t.Errorf("reach of a rule without ports: got no error")
	}
}

func TestRuleCounts(t *testing.T) {
	t.Parallel()
	list := func(most int, entries ...string) Rule {
		return Rule{Protocol: "tcp", From: 22, To: 22, PrefixList: &PrefixList{ID: "pl-1", Known: true, MaxEntries: most, Entries: prefixes(entries...)}}
	}
	tests := []struct {
		name   string
		rules  []Rule
		v4, v6 int
	}{
		{"none", nil, 0, 0},
		{"addresses", []Rule{cidr("tcp", 1, 1, "10.0.0.0/8"), cidr("tcp", 1, 1, "10.0.0.0/9"), cidr("tcp", 1, 1, "::/0")}, 2, 1},
		{"group_counts_in_both", []Rule{{Protocol: "-1", Group: &GroupRef{ID: "sg-2"}}}, 1, 1},
		{"list_by_its_maximum", []Rule{list(20, "10.0.0.0/8")}, 20, 0},
		{"list_by_its_entries", []Rule{list(0, "10.0.0.0/8", "10.1.0.0/16")}, 2, 0},
		{"list_of_ipv6", []Rule{list(5, "2001:db8::/32")}, 0, 5},
		{"list_without_entries", []Rule{list(0)}, 1, 0},
		{"list_that_was_not_read", []Rule{{Protocol: "tcp", PrefixList: &PrefixList{ID: "pl-1"}}}, 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if v4, v6 := RuleCounts(tt.rules); v4 != tt.v4 || v6 != tt.v6 {
				t.Errorf("rules against the quota: got %d and %d, want %d and %d", v4, v6, tt.v4, tt.v6)
			}
		})
	}
}
