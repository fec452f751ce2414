package netset

import (
	"math/rand/v2"
	"net/netip"
	"testing"
)

// sixtyRules is a group at its quota: single ports and ranges of TCP and UDP,
// from networks of all sizes in both families, and one rule for everything.
func sixtyRules() []Box {
	r := rand.New(rand.NewPCG(1, 2))
	boxes := make([]Box, 0, 60)
	for i := range 60 {
		p := TCP
		if i%4 == 0 {
			p = UDP
		}
		lo := uint16(r.UintN(60000))
		t := Over(p, lo, lo+uint16(r.UintN(200)*uint(i%3)))
		addr := netip.AddrFrom4([4]byte{byte(r.UintN(224)), byte(r.UintN(256)), byte(r.UintN(256)), 0})
		prefix := netip.PrefixFrom(addr, 4+int(r.UintN(29)))
		if i%5 == 0 {
			prefix = netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, byte(r.UintN(256)), byte(r.UintN(256))}), 8+int(r.UintN(100)))
		}
		boxes = append(boxes, t.From(prefix))
	}
	boxes[59] = EveryTraffic().From(netip.MustParsePrefix("0.0.0.0/0"))
	return boxes
}

// BenchmarkProof is what one plan costs: the set of a group of 60 rules, the
// group without its offending traffic, and the three proofs about the two.
func BenchmarkProof(b *testing.B) {
	boxes := sixtyRules()
	forbidden := Product(Over(TCP, 22, 22), Everywhere())
	b.ReportAllocs()
	for b.Loop() {
		before := Of(boxes...)
		after := before.Subtract(forbidden)
		grantsNothing, _ := Subset(after, before)
		losesNothing, _ := Subset(before.Subtract(forbidden), after)
		gone := after.Intersect(forbidden).IsEmpty()
		whole := after.Union(before).Equal(before)
		if !grantsNothing || !losesNothing || !gone || !whole {
			b.Fatal("the proofs fail")
		}
	}
}

func BenchmarkOf(b *testing.B) {
	boxes := sixtyRules()
	b.ReportAllocs()
	for b.Loop() {
		Of(boxes...)
	}
}

func BenchmarkExposure(b *testing.B) {
	s := Of(sixtyRules()...)
	b.ReportAllocs()
	for b.Loop() {
		Exposure(s, TCP, 22, Addrs{})
	}
}

func BenchmarkExposures(b *testing.B) {
	s := Of(sixtyRules()...)
	b.ReportAllocs()
	for b.Loop() {
		Exposures(s, TCP, Addrs{})
	}
}

// BenchmarkOfPrefixLists is 60 rules that name a prefix list of 1,000 entries.
func BenchmarkOfPrefixLists(b *testing.B) {
	var boxes []Box
	for i := range uint16(60) {
		for j := range 1000 {
			addr := netip.AddrFrom4([4]byte{byte(j >> 2), byte(j << 6), byte(i), 0})
			boxes = append(boxes, Over(TCP, i*100, i*100+150).From(netip.PrefixFrom(addr, 24)))
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		Of(boxes...)
	}
}
