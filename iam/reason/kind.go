package reason

import (
	"net/netip"
	"strings"

	"dera.example/dera/iam/lang"
	"dera.example/dera/iam/policy"
)

// Type says what values AWS gives a condition key.
type Type uint8

const (
	// Text is any text: tags, names, what the caller sends, and every key of
	// which nothing else is known.
	Text Type = iota
	// Boolean is true or false.
	Boolean
	// Number is a number.
	Number
	// Date is a moment, in whole seconds.
	Date
	// Epoch is a moment as seconds since 1970, which is a number too.
	Epoch
	// Address is an address of IPv4 or IPv6.
	Address
	// ARN is an ARN.
	ARN
)

// GlobalType knows the types of the keys that AWS sets itself and documents for
// every service. All others are text: what a caller or an administrator writes
// may look like a number or not.
//
// Source: IAM User Guide, "AWS global condition context keys"; that moments have
// whole seconds is how CloudTrail and the request's own date show them.
func GlobalType(key string) Type {
	switch strings.ToLower(key) {
	case "aws:securetransport", "aws:multifactorauthpresent", "aws:viaawsservice", "aws:principalisawsservice":
		return Boolean
	case "aws:multifactorauthage":
		return Number
	case "aws:currenttime", "aws:tokenissuetime":
		return Date
	case "aws:epochtime":
		return Epoch
	case "aws:sourceip", "aws:vpcsourceip", "aws:ec2instancesourceprivateipv4":
		return Address
	case "aws:principalarn", "aws:sourcearn", "aws:sourcevpcarn", "aws:chatbotsourcearn":
		return ARN
	}
	return Text
}

// family is a kind of values that a text may be read as. A text has a place in
// each family or none: "2026" is a number and a date, and no address.
type family uint8

const (
	numbers family = iota
	dates
	addresses
	families
)

// familyOf returns the family that an operator compares in.
func familyOf(test string) (family, bool) {
	switch {
	case strings.HasPrefix(test, "Numeric"):
		return numbers, true
	case strings.HasPrefix(test, "Date"):
		return dates, true
	case strings.HasSuffix(test, "IpAddress"):
		return addresses, true
	}
	return 0, false
}

// has reports whether every value of the type has a place in the family.
func (t Type) has(f family) bool {
	switch t {
	case Number:
		return f == numbers
	case Date:
		return f == dates
	case Epoch:
		return f == numbers || f == dates
	case Address:
		return f == addresses
	case Text, Boolean, ARN:
	}
	return false
}

// places returns all places of a family.
func (f family) places() lang.Ranges {
	switch f {
	case numbers:
		return lang.FamilyRange(lang.Number)
	case dates:
		return lang.FamilyRange(lang.Date)
	case addresses, families:
	}
	return lang.NewRanges(
		lang.PrefixSpan(netip.PrefixFrom(netip.IPv4Unspecified(), 0)),
		lang.PrefixSpan(netip.PrefixFrom(netip.IPv6Unspecified(), 0)))
}

// none is the place of the texts that are not of a family.
func none() lang.Point { return lang.Point{Family: lang.Other} }

// nowhere is the set of it.
func nowhere() lang.Ranges { return lang.NewRanges(lang.Span{From: none(), To: none()}) }

// place returns where a text lies in the family, and false where that is not
// certain: a number with an exponent or too many digits.
func (f family) place(text string) (p lang.Point, certain bool) {
	switch f {
	case numbers:
		p, err := lang.NumberPoint(text)
		if err == nil {
			return p, true
		}
		return none(), strings.Trim(text, "0123456789.eE+-") != "" || strings.Trim(text, ".eE+-") == ""
	case dates:
		if at, ok := policy.ParseDate(text); ok {
			return lang.DatePoint(at.Sec, at.Nano), true
		}
	case addresses:
		if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
			return lang.AddrPoint(a), true
		}
	case families:
	}
	return none(), true
}

// arns is the set of texts that ARN operators can compare.
func arns() *lang.Set { return lang.Union(arnGlob()) }

func arnGlob() *lang.Glob {
	var b lang.Builder
	b.Lit("arn:")
	for range 4 {
		b.Many()
		b.Lit(":")
	}
	b.Many()
	return b.Glob()
}
