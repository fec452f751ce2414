package lang

import (
	"cmp"
	"slices"
)

// Point is a place on the line on which addresses, numbers and dates lie. The
// families follow each other; within a family, Hi and Lo are one 128-bit
// number.
type Point struct {
	Family Family
	Hi, Lo uint64
}

// Family separates kinds of values that are never equal to each other.
type Family uint8

const (
	// Other holds the values that the operator cannot read, for example a text
	// where a number is expected. No interval that an operator names contains it.
	Other Family = iota
	// IPv4 holds 32-bit addresses.
	IPv4
	// IPv6 holds 128-bit addresses.
	IPv6
	// Number holds decimal numbers, see [NumberPoint].
	Number
	// Date holds moments, see [DatePoint].
	Date
)

// Compare orders points along the line.
func (p Point) Compare(q Point) int {
	return cmp.Or(cmp.Compare(p.Family, q.Family), cmp.Compare(p.Hi, q.Hi), cmp.Compare(p.Lo, q.Lo))
}

func lowest() Point  { return Point{Other, 0, 0} }
func highest() Point { return Point{Date, ^uint64(0), ^uint64(0)} }

// next returns the point after p; the caller must not ask for one after highest.
func (p Point) next() Point {
	p.Lo++
	if p.Lo == 0 {
		p.Hi++
		if p.Hi == 0 {
			p.Family++
		}
	}
	return p
}

// prev returns the point before p; the caller must not ask for one before lowest.
func (p Point) prev() Point {
	if p.Lo == 0 {
		if p.Hi == 0 {
			p.Family--
		}
		p.Hi--
	}
	p.Lo--
	return p
}

// Span is a closed interval of points.
type Span struct{ From, To Point }

// Ranges is a set of points: disjoint spans in ascending order. The zero value
// is the empty set. Its operations never change it.
type Ranges struct{ spans []Span }

// NewRanges returns the union of the spans; a span that ends before it begins
// is empty.
func NewRanges(spans ...Span) Ranges {
	in := make([]Span, 0, len(spans))
	for _, s := range spans {
		if s.From.Compare(s.To) <= 0 {
			in = append(in, s)
		}
	}
	slices.SortFunc(in, func(a, b Span) int { return a.From.Compare(b.From) })
	var out []Span
	for _, s := range in {
		if n := len(out); n > 0 && (out[n-1].To == highest() || s.From.Compare(out[n-1].To.next()) <= 0) {
			if s.To.Compare(out[n-1].To) > 0 {
				out[n-1].To = s.To
			}
			continue
		}
		out = append(out, s)
	}
	return Ranges{out}
}

// FamilyRange returns all points of one family.
func FamilyRange(f Family) Ranges {
	return NewRanges(Span{Point{f, 0, 0}, Point{f, ^uint64(0), ^uint64(0)}})
}

// Spans returns the intervals of the set; the caller must not change them.
func (r Ranges) Spans() []Span { return r.spans }

// Empty reports whether the set has no member.
func (r Ranges) Empty() bool { return len(r.spans) == 0 }

// Complement returns all other points, those of the other families included.
func (r Ranges) Complement() Ranges {
	var out []Span
	from := lowest()
	for _, s := range r.spans {
		if from.Compare(s.From) < 0 {
			out = append(out, Span{from, s.From.prev()})
		}
		if s.To == highest() {
			return Ranges{out}
		}
		from = s.To.next()
	}
	return Ranges{append(out, Span{from, highest()})}
}

// Union returns the points in r or in o.
func (r Ranges) Union(o Ranges) Ranges {
	return NewRanges(append(slices.Clone(r.spans), o.spans...)...)
}

// Meet returns the points in both r and o.
func (r Ranges) Meet(o Ranges) Ranges {
	var out []Span
	for i, j := 0, 0; i < len(r.spans) && j < len(o.spans); {
		a, b := r.spans[i], o.spans[j]
		from, to := a.From, a.To
		if b.From.Compare(from) > 0 {
			from = b.From
		}
		if b.To.Compare(to) < 0 {
			to = b.To
		}
		if from.Compare(to) <= 0 {
			out = append(out, Span{from, to})
		}
		if a.To.Compare(b.To) < 0 {
			i++
		} else {
			j++
		}
	}
	return Ranges{out}
}

// Contains reports whether p is a member.
func (r Ranges) Contains(p Point) bool {
	for _, s := range r.spans {
		if s.From.Compare(p) <= 0 && p.Compare(s.To) <= 0 {
			return true
		}
	}
	return false
}
