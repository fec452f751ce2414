package netset

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"go4.org/netipx"
	"pgregory.net/rapid"
)

// Every bound of a generated box is one of these, and the samples have a point
// in each interval that such bounds can cut: two sets differ somewhere iff they
// differ on a sample.
var (
	boundPorts     = []uint16{0, 1, 21, 22, 23, 65534, 65535}
	samplePorts    = append([]uint16{2, 24}, boundPorts...)
	boundProtocols = []Protocol{0, 1, 5, 6, 7, 17, 58, 254, 255}

	sampleProtocols = append([]Protocol{2, 8, 18, 59}, boundProtocols...)

	bound4 = addrs("0.0.0.0", "0.0.0.1", "0.0.0.2", "10.0.0.0", "10.0.0.1", "255.255.255.255")
	bound6 = addrs("::", "::1", "::ffff:ffff:ffff:ffff", "0:0:0:1::",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
	sampleAddrs = slices.Concat(bound4, bound6,
		addrs("0.0.0.3", "9.255.255.255", "10.0.0.2", "255.255.255.254", "::2", "1::"))
)

func addrs(texts ...string) (out []netip.Addr) {
	for _, s := range texts {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

func drawBox(t *rapid.T) Box {
	pair := func(n int, label string) (int, int) {
		i, j := rapid.IntRange(0, n-1).Draw(t, label), rapid.IntRange(0, n-1).Draw(t, label)
		return min(i, j), max(i, j)
	}
	b := Box{Traffic: EveryTraffic()}
	if i, j := pair(len(boundProtocols), "protocol"); rapid.IntRange(0, 3).Draw(t, "every protocol") > 0 {
		b.Protocols = Protocols{boundProtocols[i], boundProtocols[j]}
	}
	if i, j := pair(len(boundPorts), "port"); rapid.Bool().Draw(t, "some ports") {
		b.Ports = Ports{boundPorts[i], boundPorts[j]}
		// Ports of many protocols are rare in rules and slow here.
		if rapid.IntRange(0, 5).Draw(t, "one protocol") > 0 {
			b.Protocols.Hi = b.Protocols.Lo
		}
	}
	bounds := rapid.SampledFrom([][]netip.Addr{bound4, bound6}).Draw(t, "family")
	i, j := pair(len(bounds), "addr")
	b.Addrs = netipx.IPRangeFrom(bounds[i], bounds[j])
	return b
}

func drawBoxes(t *rapid.T, label string) []Box {
	return rapid.SliceOfN(rapid.Custom(drawBox), 0, 6).Draw(t, label)
}

func universe(visit func(Point)) {
	for _, a := range sampleAddrs {
		for _, p := range sampleProtocols {
			for _, port := range samplePorts {
				visit(Point{a, p, port})
			}
		}
	}
}

func boxHas(b Box, p Point) bool {
	return b.Protocols.Lo <= p.Protocol && p.Protocol <= b.Protocols.Hi &&
		b.Ports.Lo <= p.Port && p.Port <= b.Ports.Hi && b.Addrs.Contains(p.Addr)
}

func anyHas(boxes []Box, p Point) bool {
	for _, b := range boxes {
		if boxHas(b, p) {
			return true
		}
	}
	return false
}

// checkCanonical fails unless s keeps the invariants of its representation.
func checkCanonical(t interface{ Fatalf(string, ...any) }, s Set) {
	for _, slabs := range [][]slab{s.v4, s.v6} {
		for i, sl := range slabs {
			if sl.lo > sl.hi || sl.hi > lastKey || len(sl.addrs) == 0 {
				t.Fatalf("slab %+v is empty or out of range", sl)
			}
			if i > 0 && sl.lo <= slabs[i-1].hi {
				t.Fatalf("slabs %+v and %+v overlap", slabs[i-1], sl)
			}
			if i > 0 && sl.lo == slabs[i-1].hi+1 && equalSpans(sl.addrs, slabs[i-1].addrs) {
				t.Fatalf("slabs %+v and %+v should be one", slabs[i-1], sl)
			}
			checkSpans(t, sl.addrs)
		}
	}
}

func checkSpans(t interface{ Fatalf(string, ...any) }, list []span) {
	for i, s := range list {
		if s.hi.less(s.lo) || i > 0 && !list[i-1].hi.next().less(s.lo) {
			t.Fatalf("spans are not canonical: %+v", list)
		}
	}
}

func TestOperationsAgreeWithBruteForce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		xs, ys := drawBoxes(t, "x"), drawBoxes(t, "y")
		x, y := Of(xs...), Of(ys...)
		ops := []struct {
			name string
			set  Set
			want func(p Point) bool
		}{
			{"of", x, func(p Point) bool { return anyHas(xs, p) }},
			{"union", x.Union(y), func(p Point) bool { return anyHas(xs, p) || anyHas(ys, p) }},
			{"intersect", x.Intersect(y), func(p Point) bool { return anyHas(xs, p) && anyHas(ys, p) }},
			{"subtract", x.Subtract(y), func(p Point) bool { return anyHas(xs, p) && !anyHas(ys, p) }},
		}
		for _, op := range ops {
			checkCanonical(t, op.set)
			empty := true
			universe(func(p Point) {
				got, want := op.set.Contains(p), op.want(p)
				if got != want {
					t.Fatalf("%s contains %v: got %t, want %t", op.name, p, got, want)
				}
				if got != op.set.At(p.Protocol, p.Port).Contains(p.Addr) {
					t.Fatalf("%s at %v disagrees with contains", op.name, p)
				}
				empty = empty && !want
			})
			if got := op.set.IsEmpty(); got != empty {
				t.Fatalf("%s is empty: got %t, want %t", op.name, got, empty)
			}
		}
	})
}

func TestSubsetAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		xs, ys := drawBoxes(t, "x"), drawBoxes(t, "y")
		x, y := Of(xs...), Of(ys...)
		want := true
		universe(func(p Point) { want = want && (!anyHas(xs, p) || anyHas(ys, p)) })
		got, p := Subset(x, y)
		if got != want {
			t.Fatalf("subset: got %t, want %t", got, want)
		}
		if !got && (!x.Contains(p) || y.Contains(p)) {
			t.Fatalf("witness %v is not in x without y", p)
		}
		if got && p != (Point{}) {
			t.Fatalf("a subset has the witness %v", p)
		}
		if ok, p := Subset(x, x.Union(y)); !ok {
			t.Fatalf("x is not in its union with y: %v", p)
		}
		if w, ok := x.Witness(); ok == x.IsEmpty() || ok && !x.Contains(w) {
			t.Fatalf("witness of x: got %v, %t", w, ok)
		}
	})
}

func TestLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		xs := drawBoxes(t, "x")
		x, y, z := Of(xs...), Of(drawBoxes(t, "y")...), Of(drawBoxes(t, "z")...)
		all := Product(EveryTraffic(), Everywhere())
		laws := []struct {
			name string
			l, r Set
		}{
			{"union commutes", x.Union(y), y.Union(x)},
			{"intersection commutes", x.Intersect(y), y.Intersect(x)},
			{"union associates", x.Union(y).Union(z), x.Union(y.Union(z))},
			{"intersection distributes", x.Intersect(y.Union(z)), x.Intersect(y).Union(x.Intersect(z))},
			{"de morgan", all.Subtract(x.Union(y)), all.Subtract(x).Intersect(all.Subtract(y))},
			{"double complement", all.Subtract(all.Subtract(x)), x},
			{"difference", x.Subtract(y), x.Intersect(all.Subtract(y))},
			{"idempotent", x.Union(x), x},
			{"self difference", x.Subtract(x), Set{}},
			{"parts", x.Subtract(y).Union(x.Intersect(y)), x},
			{"boxes", Of(x.Boxes()...), x},
			{"order of boxes", Of(rapid.Permutation(xs).Draw(t, "order")...), x},
		}
		for _, law := range laws {
			if !law.l.Equal(law.r) {
				t.Fatalf("%s: got %v, want %v", law.name, law.l, law.r)
			}
			if law.l.String() != law.r.String() {
				t.Fatalf("%s: equal sets have texts %v and %v", law.name, law.l, law.r)
			}
		}
		if x.Equal(y) != (x.String() == y.String()) {
			t.Fatalf("equal is %t for %v and %v", x.Equal(y), x, y)
		}
		checkDisjoint(t, x.Boxes())
	})
}

func checkDisjoint(t *rapid.T, boxes []Box) {
	for i, b := range boxes {
		if b.Ports != EveryPort() && b.Protocols.Lo != b.Protocols.Hi {
			t.Fatalf("box %v has ports of several protocols", b)
		}
		for _, c := range boxes[:i] {
			if b.Protocols.Lo <= c.Protocols.Hi && c.Protocols.Lo <= b.Protocols.Hi &&
				b.Ports.Lo <= c.Ports.Hi && c.Ports.Lo <= b.Ports.Hi && b.Addrs.Overlaps(c.Addrs) {
				t.Fatalf("boxes %v and %v overlap", b, c)
			}
		}
	}
}

// Many boxes go another way than few: halves united instead of one sweep.
func TestManyBoxesAreTheUnionOfFew(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{sweepLimit, sweepLimit + 1, 2*sweepLimit + 3}).Draw(t, "boxes")
		var boxes []Box
		var want Set
		for i := range n {
			port := uint16(rapid.IntRange(0, 300).Draw(t, "port"))
			bits := rapid.IntRange(0, 32).Draw(t, "bits")
			p := netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(i), byte(port), 0, byte(i)}), bits)
			b := Over(TCP, port, port+uint16(bits)).From(p)
			boxes = append(boxes, b)
			want = want.Union(Of(b))
		}
		got := Of(boxes...)
		checkCanonical(t, got)
		if !got.Equal(want) {
			t.Fatalf("%d boxes: got %v, want %v", n, got, want)
		}
	})
}

func TestAddrsAgreeWithBruteForce(t *testing.T) {
	t.Parallel()
	draw := func(t *rapid.T, label string) (out Addrs) {
		for _, b := range drawBoxes(t, label) {
			out = out.Union(AddrsOf(b.Addrs.Prefixes()...))
		}
		return out
	}
	rapid.Check(t, func(t *rapid.T) {
		x, y := draw(t, "x"), draw(t, "y")
		subset := true
		for _, a := range sampleAddrs {
			in, also := x.Contains(a), y.Contains(a)
			for name, got := range map[string][2]bool{
				"union":     {x.Union(y).Contains(a), in || also},
				"intersect": {x.Intersect(y).Contains(a), in && also},
				"subtract":  {x.Subtract(y).Contains(a), in && !also},
				"ipv4":      {x.IPv4().Contains(a), in && a.Is4()},
				"ipv6":      {x.IPv6().Contains(a), in && a.Is6()},
			} {
				if got[0] != got[1] {
					t.Fatalf("%s contains %v: got %t, want %t", name, a, got[0], got[1])
				}
			}
			subset = subset && (!in || also)
		}
		if got := x.Subset(y); got != subset {
			t.Fatalf("subset: got %t, want %t", got, subset)
		}
		if got := AddrsOf(x.Prefixes()...); !got.Equal(x) {
			t.Fatalf("prefixes of %v make %v", x, got)
		}
		if x.Equal(y) != (x.String() == y.String()) || x.IsEmpty() != (x.String() == "") {
			t.Fatalf("equality or emptiness of %v and %v disagrees with their text", x, y)
		}
		for _, s := range []Addrs{x, x.Union(y), x.Subtract(y), x.Intersect(y)} {
			checkSpans(t, s.v4)
			checkSpans(t, s.v6)
		}
	})
}

func ExampleSubset() {
	old := Of(Over(TCP, 0, 65535).From(netip.MustParsePrefix("0.0.0.0/0")))
	ssh := Product(Over(TCP, 22, 22), Everywhere())
	fmt.Println(old.Subtract(ssh))
	fmt.Println(Subset(old, old.Subtract(ssh)))
	// Output:
	// tcp/0-21 from 0.0.0.0/0; tcp/23-65535 from 0.0.0.0/0
	// false tcp/22 from 1.0.0.0
}
