package netset

import "slices"

// span is the closed interval [lo, hi] of addresses of one family, lo <= hi.
//
// A span list is canonical when it is sorted and no two spans touch or overlap.
// Every function below takes canonical lists and makes a canonical list; none
// writes to its arguments.
type span struct{ lo, hi Count }

// appendSpan adds s to the canonical tail out[from:], whose spans all start at
// or before s.lo.
func appendSpan(out []span, from int, s span) []span {
	if len(out) > from {
		last := &out[len(out)-1]
		if !last.hi.less(s.lo) || last.hi.next() == s.lo {
			last.hi = maxCount(last.hi, s.hi)
			return out
		}
	}
	return append(out, s)
}

// appendUnion appends a ∪ b to out.
func appendUnion(out, a, b []span) []span {
	from := len(out)
	for len(a) > 0 && len(b) > 0 {
		if b[0].lo.less(a[0].lo) {
			a, b = b, a
		}
		out = appendSpan(out, from, a[0])
		a = a[1:]
	}
	for _, s := range a {
		out = appendSpan(out, from, s)
	}
	for _, s := range b {
		out = appendSpan(out, from, s)
	}
	return out
}

// appendIntersection appends a ∩ b to out.
func appendIntersection(out, a, b []span) []span {
	for len(a) > 0 && len(b) > 0 {
		lo, hi := maxCount(a[0].lo, b[0].lo), minCount(a[0].hi, b[0].hi)
		if !hi.less(lo) {
			out = append(out, span{lo, hi})
		}
		if a[0].hi.less(b[0].hi) {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return out
}

// appendDifference appends a ∖ b to out.
func appendDifference(out, a, b []span) []span {
	for _, s := range a {
		for len(b) > 0 && b[0].hi.less(s.lo) {
			b = b[1:]
		}
		whole := false // whether b covers s up to its end
		for k := 0; k < len(b) && !s.hi.less(b[k].lo); k++ {
			if s.lo.less(b[k].lo) {
				out = append(out, span{s.lo, b[k].lo.prev()})
			}
			if whole = !b[k].hi.less(s.hi); whole {
				break
			}
			s.lo = b[k].hi.next()
		}
		if !whole {
			out = append(out, s)
		}
	}
	return out
}

// covers reports whether every address of a is in b.
func covers(b, a []span) bool {
	if sameSpans(a, b) {
		return true
	}
	for _, s := range a {
		// A canonical b has no two touching spans: one span covers s, or none does.
		for len(b) > 0 && b[0].hi.less(s.hi) {
			b = b[1:]
		}
		if len(b) == 0 || s.lo.less(b[0].lo) {
			return false
		}
	}
	return true
}

// countCommon is the number of addresses in both a and b. It is right modulo
// 2^128: only the whole of IPv6 wraps to 0.
func countCommon(a, b []span) Count {
	var n Count
	for len(a) > 0 && len(b) > 0 {
		lo, hi := maxCount(a[0].lo, b[0].lo), minCount(a[0].hi, b[0].hi)
		if !hi.less(lo) {
			n = n.add(hi.sub(lo).next())
		}
		if a[0].hi.less(b[0].hi) {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return n
}

// holds reports whether n is in the list.
func holds(list []span, n Count) bool {
	i, _ := slices.BinarySearchFunc(list, n, func(s span, n Count) int { return s.hi.Compare(n) })
	return i < len(list) && !n.less(list[i].lo)
}

// sameSpans reports whether both lists are one list in memory.
func sameSpans(a, b []span) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

func equalSpans(a, b []span) bool {
	return sameSpans(a, b) || slices.Equal(a, b)
}
