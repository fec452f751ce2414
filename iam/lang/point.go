package lang

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// PrefixSpan returns the addresses of p. Host bits of p are ignored, as AWS
// ignores them.
func PrefixSpan(p netip.Prefix) Span {
	p = p.Masked()
	from := AddrPoint(p.Addr())
	to := from
	size := p.Addr().BitLen() - p.Bits()
	if size >= 64 {
		to.Lo = ^uint64(0)
		to.Hi |= 1<<(size-64) - 1
	} else {
		to.Lo |= 1<<size - 1
	}
	return Span{from, to}
}

// AddrPoint returns the place of an address.
func AddrPoint(a netip.Addr) Point {
	if a.Is4() {
		b := a.As4()
		return Point{IPv4, 0, uint64(binary.BigEndian.Uint32(b[:]))}
	}
	b := a.As16()
	return Point{IPv6, binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// fractionDigits is how many decimal places a number may have.
const fractionDigits = 18

// NumberPoint returns the place of a decimal number such as -12.50. It fails
// for texts that are no number and for numbers that need more than 18 decimal
// places, more than 62 bits before the point, or an exponent.
//
// A number lies on an even Lo; the odd place behind it stands for all numbers
// between it and the next one with 18 decimal places, so that an open interval
// is never taken for empty.
func NumberPoint(text string) (Point, error) {
	if strings.Trim(text, "+-.0123456789") != "" || len(text) > 64 {
		return Point{}, fmt.Errorf("read number %q: not a plain decimal number", text)
	}
	x, ok := new(big.Rat).SetString(text)
	if !ok {
		return Point{}, fmt.Errorf("read number %q: not a plain decimal number", text)
	}
	x.Mul(x, new(big.Rat).SetInt(scale()))
	if !x.IsInt() {
		return Point{}, fmt.Errorf("read number %q: more than %d decimal places", text, fractionDigits)
	}
	whole, frac := new(big.Int).DivMod(x.Num(), scale(), new(big.Int))
	if !whole.IsInt64() || whole.BitLen() > 62 {
		return Point{}, fmt.Errorf("read number %q: too large", text)
	}
	return Point{Number, uint64(whole.Int64()) ^ signBit, frac.Uint64() << 1}, nil
}

const signBit = 1 << 63

// DatePoint returns the place of a moment, given as seconds since 1970 and
// nanoseconds. Every nanosecond has a place of its own.
func DatePoint(sec int64, nano int32) Point {
	hi, lo := bits.Mul64(uint64(sec)^signBit, 1e9)
	lo, carry := bits.Add64(lo, uint64(nano), 0)
	return Point{Date, hi + carry, lo}
}

// NextSecond returns the first moment in whole seconds at or after a date, and
// false for what is no date, or later than all of them.
func (p Point) NextSecond() (Point, bool) {
	if p.Family != Date || p.Hi >= 1e9 {
		return p, false
	}
	sec, nano := bits.Div64(p.Hi, p.Lo, 1e9)
	if nano == 0 {
		return p, true
	}
	if sec == ^uint64(0) {
		return p, false
	}
	hi, lo := bits.Mul64(sec+1, 1e9)
	return Point{Date, hi, lo}, true
}

// dateText writes the moments of the years 1 to 9999.
func (p Point) dateText() (string, bool) {
	if p.Hi >= 1e9 {
		return "", false
	}
	sec, nano := bits.Div64(p.Hi, p.Lo, 1e9)
	at := time.Unix(int64(sec^signBit), int64(nano)).UTC()
	if at.Year() < 1 || at.Year() > 9999 {
		return "", false
	}
	return at.Format(time.RFC3339Nano), true
}

func scale() *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(fractionDigits), nil)
}

// Text returns a value at the point in the form that policies use, and false
// when the point is only a gap or beyond what can be written.
func (p Point) Text() (string, bool) {
	switch p.Family {
	case Other:
		return "", false
	case IPv4:
		var b [4]byte
		if p.Hi != 0 || p.Lo > 1<<32-1 {
			return "", false
		}
		binary.BigEndian.PutUint32(b[:], uint32(p.Lo))
		return netip.AddrFrom4(b).String(), true
	case IPv6:
		var b [16]byte
		binary.BigEndian.PutUint64(b[:8], p.Hi)
		binary.BigEndian.PutUint64(b[8:], p.Lo)
		return netip.AddrFrom16(b).String(), true
	case Number:
		return p.numberText()
	case Date:
		return p.dateText()
	}
	return "", false
}

// numberText writes a number; a gap is written as its middle.
func (p Point) numberText() (string, bool) {
	frac := new(big.Int).SetUint64(p.Lo >> 1)
	if frac.Cmp(scale()) >= 0 {
		return "", false
	}
	digits := fmt.Sprintf("%018d", frac)
	if p.Lo&1 == 1 {
		digits += "5"
	}
	whole := int64(p.Hi ^ signBit)
	digits = strings.TrimRight(digits, "0")
	if digits == "" {
		return strconv.FormatInt(whole, 10), true
	}
	x, _ := new(big.Rat).SetString("0." + digits)
	x.Add(x, new(big.Rat).SetInt64(whole))
	return x.FloatString(len(digits)), true
}
