package reason

import (
	"strings"

	"dera.example/dera/iam/lang"
)

// A request has an action, a resource, a principal and, for each condition
// key, a finite set of values. These are its dimensions; all questions come
// down to whether values exist dimension by dimension.
const (
	actionDim = iota
	resourceDim
	principalDim
	firstKeyDim
)

// dimension is one coordinate of a request.
type dimension struct {
	key   string    // the condition key in lower case; "" for the first three
	name  string    // as first written
	many  bool      // the request may carry several values
	loose bool      // whether it may depends on the reading
	kind  Type      // the values that it can have, where a literal reads them so
	texts *lang.Set // the only values that the key can have; nil for all
}

// lit is a literal: a statement about one dimension in the form that is closed
// under negation. base<<2 is "some value is in L", and the two low bits turn
// it into the other forms.
type lit int32

const (
	outsideBit lit = 1 // ... is outside L
	allBit     lit = 2 // all values ...
)

// not returns the negation: "some value in L" against "all values outside L",
// "all values in L" against "some value outside L".
func (l lit) not() lit     { return l ^ (outsideBit | allBit) }
func (l lit) base() int    { return int(l >> 2) }
func (l lit) all() bool    { return l&allBit != 0 }
func (l lit) outside() int { return int(l & outsideBit) }

// base is a language L on one dimension, with its complement.
type base struct {
	dim    int
	text   [2]*lang.Set // L and its complement, unless ranged or opaque
	ranges [2]lang.Ranges
	family family // of ranges
	kind   baseKind
}

type baseKind uint8

const (
	textBase   baseKind = iota
	rangeBase           // L is a set of addresses, numbers or dates
	opaqueBase          // L cannot be read; equal texts mean equal languages
)

// table interns the dimensions, languages and variables of one question, so
// that equal conditions are equal numbers.
type table struct {
	dims  []dimension
	bases []base
	vars  []variable

	dimOf  map[string]int
	baseOf map[string]int
	varOf  map[variable]int
}

func newTable() *table {
	return &table{
		dims:   make([]dimension, firstKeyDim, firstKeyDim+8),
		dimOf:  map[string]int{},
		baseOf: map[string]int{},
		varOf:  map[variable]int{},
	}
}

// dim returns the dimension of a condition key.
func (t *table) dim(key string) int {
	if d, ok := t.dimOf[key]; ok {
		return d
	}
	folded := strings.ToLower(key)
	d, ok := t.dimOf[folded]
	if !ok {
		d = len(t.dims)
		t.dims = append(t.dims, dimension{key: folded, name: key})
		t.dimOf[folded] = d
	}
	t.dimOf[key] = d
	return d
}

// some returns the literal "some value of the dimension is in s".
func (t *table) some(dim int, s *lang.Set) lit {
	return t.intern(dim, 't', s.Key(), func() base {
		return base{kind: textBase, text: [2]*lang.Set{s, s.Complement()}}
	})
}

// own returns the literal "some value of the dimension is in s" without
// looking for an equal one: for sets whose key would be expensive.
func (t *table) own(dim int, s *lang.Set) lit {
	t.bases = append(t.bases, base{dim: dim, kind: textBase, text: [2]*lang.Set{s, s.Complement()}})
	return lit(len(t.bases)-1) << 2
}

// someRange returns the literal "some value of the dimension has its place in
// the family in r". Its negation has the texts that are not of the family too.
func (t *table) someRange(dim int, f family, r lang.Ranges) lit {
	return t.intern(dim, '0'+byte(f), rangeKey(r), func() base {
		return base{kind: rangeBase, family: f, ranges: [2]lang.Ranges{r, r.Complement()}}
	})
}

// opaque returns a literal about which nothing is known but its text.
func (t *table) opaque(dim int, text string) lit {
	return t.intern(dim, 'o', text, func() base { return base{kind: opaqueBase} })
}

// present returns the literal "the request has the dimension".
func (t *table) present(dim int) lit {
	return t.some(dim, lang.Union(lang.Universal()))
}

func (t *table) intern(dim int, kind byte, key string, build func() base) lit {
	full := string(rune(dim)) + string(kind) + key
	n, ok := t.baseOf[full]
	if !ok {
		n = len(t.bases)
		b := build()
		b.dim = dim
		t.bases = append(t.bases, b)
		t.baseOf[full] = n
	}
	return lit(n) << 2
}

func rangeKey(r lang.Ranges) string {
	var b strings.Builder
	for _, s := range r.Spans() {
		for _, p := range []lang.Point{s.From, s.To} {
			b.WriteByte(byte(p.Family))
			for i := range 8 {
				b.WriteByte(byte(p.Hi >> (8 * i)))
				b.WriteByte(byte(p.Lo >> (8 * i)))
			}
		}
	}
	return b.String()
}

// dimOfLit returns the dimension that a literal speaks about.
func (t *table) dimOfLit(l lit) int { return t.bases[l.base()].dim }

// hasVars reports whether the literal depends on a policy variable.
func (t *table) hasVars(l lit) bool {
	b := &t.bases[l.base()]
	return b.kind == opaqueBase || b.kind == textBase && b.text[0].HasVars()
}
