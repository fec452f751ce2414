package netset

import (
	"cmp"
	"iter"
	"slices"
)

// lastKey is the key of protocol 255, port 65535.
const lastKey = 1<<24 - 1

// key puts protocol and port on one line.
func key(p Protocol, port uint16) uint32 { return uint32(p)<<16 | uint32(port) }

// slab is a maximal closed interval of keys that the same addresses reach.
//
// A slab list is canonical when it is sorted, disjoint, holds no empty address
// list, and no two slabs that touch have equal addresses.
type slab struct {
	lo, hi uint32
	addrs  []span
}

// piece is an interval of keys on which two slab lists are both constant.
type piece struct {
	lo, hi uint32
	x, y   []span
}

// pieces walks a and b together over the keys lo to hi and yields, in order,
// the pieces on which at least one of them is not empty.
func pieces(a, b []slab, lo, hi uint32) iter.Seq[piece] {
	return func(yield func(piece) bool) {
		for lo <= hi {
			a, b = dropBefore(a, lo), dropBefore(b, lo)
			if len(a) == 0 && len(b) == 0 {
				return
			}
			x, end := head(a, lo, hi)
			y, end := head(b, lo, end)
			if (x != nil || y != nil) && !yield(piece{lo, end, x, y}) {
				return
			}
			lo = end + 1
		}
	}
}

func dropBefore(list []slab, k uint32) []slab {
	for len(list) > 0 && list[0].hi < k {
		list = list[1:]
	}
	return list
}

// head is the value of the list at lo and the last key, at most hi, up to which
// that value holds.
func head(list []slab, lo, hi uint32) ([]span, uint32) {
	switch {
	case len(list) == 0:
		return nil, hi
	case list[0].lo > lo:
		return nil, min(hi, list[0].lo-1)
	default:
		return list[0].addrs, min(hi, list[0].hi)
	}
}

// builder makes a canonical slab list from pieces that come in key order. The
// spans of all slabs share one array: earlier slabs keep the old one when it
// grows, and nothing writes to it once a slab holds it.
type builder struct {
	slabs []slab
	spans []span
}

func newBuilder(a, b []slab) *builder {
	spans := 0
	for _, s := range a {
		spans += len(s.addrs)
	}
	for _, s := range b {
		spans += len(s.addrs)
	}
	return &builder{
		slabs: make([]slab, 0, len(a)+len(b)+1),
		spans: make([]span, 0, spans+len(b)+1),
	}
}

// add appends [lo, hi] × addrs, where addrs is a finished list.
func (b *builder) add(lo, hi uint32, addrs []span) {
	if len(addrs) == 0 {
		return
	}
	if n := len(b.slabs); n > 0 {
		last := &b.slabs[n-1]
		if last.hi+1 == lo && equalSpans(last.addrs, addrs) {
			last.hi = hi
			return
		}
	}
	b.slabs = append(b.slabs, slab{lo, hi, addrs})
}

// addTail is add for the spans that the caller has just appended to b.spans
// after the first n.
func (b *builder) addTail(lo, hi uint32, n int) {
	before := len(b.slabs)
	b.add(lo, hi, b.spans[n:len(b.spans):len(b.spans)])
	if len(b.slabs) == before { // empty, or equal to its neighbour
		b.spans = b.spans[:n]
	}
}

func unionSlabs(a, b []slab) []slab {
	if len(a) == 0 {
		return b
	}
	if len(b) == 0 {
		return a
	}
	out := newBuilder(a, b)
	for p := range pieces(a, b, 0, lastKey) {
		switch {
		case p.y == nil || sameSpans(p.x, p.y):
			out.add(p.lo, p.hi, p.x)
		case p.x == nil:
			out.add(p.lo, p.hi, p.y)
		default:
			n := len(out.spans)
			out.spans = appendUnion(out.spans, p.x, p.y)
			out.addTail(p.lo, p.hi, n)
		}
	}
	return out.slabs
}

func intersectSlabs(a, b []slab) []slab {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	out := newBuilder(a, b)
	for p := range pieces(a, b, 0, lastKey) {
		switch {
		case p.x == nil || p.y == nil:
		case sameSpans(p.x, p.y):
			out.add(p.lo, p.hi, p.x)
		default:
			n := len(out.spans)
			out.spans = appendIntersection(out.spans, p.x, p.y)
			out.addTail(p.lo, p.hi, n)
		}
	}
	return out.slabs
}

func subtractSlabs(a, b []slab) []slab {
	if len(a) == 0 || len(b) == 0 {
		return a
	}
	out := newBuilder(a, b)
	for p := range pieces(a, b, 0, lastKey) {
		switch {
		case p.x == nil || sameSpans(p.x, p.y):
		case p.y == nil:
			out.add(p.lo, p.hi, p.x)
		default:
			n := len(out.spans)
			out.spans = appendDifference(out.spans, p.x, p.y)
			out.addTail(p.lo, p.hi, n)
		}
	}
	return out.slabs
}

func equalSlabs(a, b []slab) bool {
	return slices.EqualFunc(a, b, func(s, t slab) bool {
		return s.lo == t.lo && s.hi == t.hi && equalSpans(s.addrs, t.addrs)
	})
}

// item is one interval of keys times one span, as boxes bring them.
type item struct {
	lo, hi uint32
	span   span
}

// sweepLimit is the largest number of items that are swept at once: a sweep
// takes time items × cuts, more items are halved and united.
const sweepLimit = 128

// slabsOf makes the canonical list of any items; it sorts them in place.
func slabsOf(items []item) []slab {
	if len(items) <= sweepLimit {
		return sweep(items)
	}
	// Sorted by key the halves hardly overlap, and their union is cheap.
	slices.SortFunc(items, func(a, b item) int {
		return cmp.Or(cmp.Compare(a.lo, b.lo), cmp.Compare(a.hi, b.hi), a.span.lo.Compare(b.span.lo))
	})
	return halve(items)
}

func halve(items []item) []slab {
	if len(items) <= sweepLimit {
		return sweep(items)
	}
	mid := len(items) / 2
	return unionSlabs(halve(items[:mid]), halve(items[mid:]))
}

// sweep cuts the keys at every bound of an item and collects, between two cuts,
// the spans of the items that are there.
func sweep(items []item) []slab {
	if len(items) == 0 {
		return nil
	}
	slices.SortFunc(items, func(a, b item) int { return a.span.lo.Compare(b.span.lo) })
	cuts := make([]uint32, 0, 2*len(items))
	for _, it := range items {
		cuts = append(cuts, it.lo, it.hi+1)
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)

	out := &builder{
		slabs: make([]slab, 0, len(cuts)-1),
		spans: make([]span, 0, 2*len(items)),
	}
	for i, lo := range cuts[:len(cuts)-1] {
		n := len(out.spans)
		for _, it := range items {
			if it.lo <= lo && lo <= it.hi {
				out.spans = appendSpan(out.spans, n, it.span)
			}
		}
		out.addTail(lo, cuts[i+1]-1, n)
	}
	return out.slabs
}
