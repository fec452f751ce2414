package netset

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math/big"
	"math/bits"
	"net/netip"
)

// Count is an unsigned 128-bit number: how many IPv6 addresses there are of a
// kind. Its text form is decimal. The zero value is 0.
type Count struct{ Hi, Lo uint64 }

// Compare returns -1, 0 or +1 as c is less than, equal to or greater than d.
func (c Count) Compare(d Count) int {
	if c.Hi != d.Hi {
		return cmp.Compare(c.Hi, d.Hi)
	}
	return cmp.Compare(c.Lo, d.Lo)
}

// IsZero reports whether c is 0.
func (c Count) IsZero() bool { return c == Count{} }

// Big returns c as a new big.Int.
func (c Count) Big() *big.Int {
	n := new(big.Int).SetUint64(c.Hi)
	return n.Or(n.Lsh(n, 64), new(big.Int).SetUint64(c.Lo))
}

// String returns c in decimal.
func (c Count) String() string { return c.Big().String() }

// MarshalText returns c in decimal: JSON numbers of this size lose digits in
// most readers, so a Count in JSON is a string.
func (c Count) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (c *Count) UnmarshalText(text []byte) error {
	n, ok := new(big.Int).SetString(string(text), 10)
	if !ok || n.Sign() < 0 || n.BitLen() > 128 {
		return fmt.Errorf("parse count %q: not a decimal number below 2^128", text)
	}
	var b [16]byte
	*c = countOf(n.FillBytes(b[:]))
	return nil
}

func countOf(b []byte) Count {
	return Count{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

func (c Count) less(d Count) bool {
	return c.Hi < d.Hi || c.Hi == d.Hi && c.Lo < d.Lo
}

// next is c+1; the largest number wraps to 0.
func (c Count) next() Count {
	lo, carry := bits.Add64(c.Lo, 1, 0)
	return Count{c.Hi + carry, lo}
}

// prev is c-1; 0 wraps to the largest number.
func (c Count) prev() Count {
	lo, borrow := bits.Sub64(c.Lo, 1, 0)
	return Count{c.Hi - borrow, lo}
}

func (c Count) add(d Count) Count {
	lo, carry := bits.Add64(c.Lo, d.Lo, 0)
	return Count{c.Hi + d.Hi + carry, lo}
}

func (c Count) sub(d Count) Count {
	lo, borrow := bits.Sub64(c.Lo, d.Lo, 0)
	return Count{c.Hi - d.Hi - borrow, lo}
}

func minCount(a, b Count) Count {
	if a.less(b) {
		return a
	}
	return b
}

func maxCount(a, b Count) Count {
	if a.less(b) {
		return b
	}
	return a
}

// number is the place of a in the order of its family.
func number(a netip.Addr) Count {
	if a.Is4() {
		b := a.As4()
		return Count{0, uint64(binary.BigEndian.Uint32(b[:]))}
	}
	b := a.As16()
	return countOf(b[:])
}

// address is the inverse of number.
func address(f family, n Count) netip.Addr {
	if f == ipv4 {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(n.Lo))
		return netip.AddrFrom4(b)
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], n.Hi)
	binary.BigEndian.PutUint64(b[8:], n.Lo)
	return netip.AddrFrom16(b)
}
