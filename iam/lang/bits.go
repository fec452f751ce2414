package lang

import (
	"encoding/binary"
	"math/bits"
)

// bitset is a set of automaton positions.
type bitset []uint64

func newBits(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) set(i int)      { b[i>>6] |= 1 << (i & 63) }
func (b bitset) clear(i int)    { b[i>>6] &^= 1 << (i & 63) }
func (b bitset) has(i int) bool { return b[i>>6]&(1<<(i&63)) != 0 }

func (b bitset) reset() {
	for i := range b {
		b[i] = 0
	}
}

// any reports whether b has a member in the half-open interval [lo, hi).
func (b bitset) any(lo, hi int) bool {
	first, last := lo>>6, (hi-1)>>6
	for w := first; w <= last; w++ {
		word := b[w]
		if w == first {
			word &= ^uint64(0) << (lo & 63)
		}
		if w == last && hi&63 != 0 {
			word &= 1<<(hi&63) - 1
		}
		if word != 0 {
			return true
		}
	}
	return false
}

// appendKey appends the members in a form that is equal for equal sets.
func (b bitset) appendKey(key []byte) []byte {
	for _, w := range b {
		key = binary.LittleEndian.AppendUint64(key, w)
	}
	return key
}

// each calls f for each member in ascending order; f may clear members.
func (b bitset) each(f func(int)) {
	for w, word := range b {
		for word != 0 {
			f(w<<6 + bits.TrailingZeros64(word))
			word &= word - 1
		}
	}
}
