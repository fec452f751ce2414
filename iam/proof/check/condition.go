package check

import (
	"net/netip"
	"slices"
	"strings"

	"dera.example/dera/iam/policy"
)

// implies reports whether one condition holds whenever another does, under
// every reading. Values with variables count as equal when they are written
// the same.
func implies(have *policy.Condition, haveVars bool, want *policy.Condition, wantVars bool) bool {
	if !strings.EqualFold(have.Key, want.Key) {
		return false
	}
	a, okA := policy.ParseOperator(have.Operator)
	b, okB := policy.ParseOperator(want.Operator)
	if !okA {
		return true // never holds
	}
	if !okB || a.Set != b.Set || a.IfExists && !b.IfExists || a.Negated() != b.Negated() {
		return false
	}
	narrow, wide := value{a, haveVars}, value{b, wantVars}
	from, to := have.Values, want.Values
	if a.Negated() {
		narrow, wide, from, to = wide, narrow, to, from
	}
	for _, v := range from {
		if !slices.ContainsFunc(to, func(w string) bool { return narrow.within(v, wide, w) }) {
			return false
		}
	}
	// Of an empty list nothing is known, so that nothing is said.
	return len(have.Values) > 0 && len(want.Values) > 0
}

// excludes reports whether two conditions cannot both hold: some value of the
// key is among those of one, and every value is outside those of the other.
func excludes(x *policy.Condition, xVars bool, y *policy.Condition, yVars bool) bool {
	if !strings.EqualFold(x.Key, y.Key) {
		return false
	}
	a, okA := policy.ParseOperator(x.Operator)
	b, okB := policy.ParseOperator(y.Operator)
	switch {
	case !okA || !okB:
		return true // never holds
	case a.Negated():
		if b.Negated() {
			return false
		}
		return excludes(y, yVars, x, xVars)
	case a.IfExists || !b.Negated() || a.Set != policy.NoSet || b.Set != policy.NoSet || a.Test == "Null":
		return false
	}
	for _, v := range x.Values {
		if !slices.ContainsFunc(y.Values, func(w string) bool { return value{a, xVars}.within(v, value{b, yVars}, w) }) {
			return false
		}
	}
	return len(x.Values) > 0
}

// value says how the values of a condition are to be read.
type value struct {
	op        policy.Operator
	variables bool
}

// within reports whether everything that matches v matches w.
func (x value) within(v string, y value, w string) bool {
	test, other := strings.Replace(x.op.Test, "Not", "", 1), strings.Replace(y.op.Test, "Not", "", 1)
	if x.variables && strings.Contains(v, "${") || y.variables && strings.Contains(w, "${") {
		return test == other && v == w && x.variables == y.variables
	}
	switch {
	case test == other && v == w:
		return true
	case isARN(test) && isARN(other):
		return arnGlob(v) != nil && arnGlob(w) != nil && arnGlob(v).within(arnGlob(w))
	case test == "IpAddress" && other == test:
		return networkWithin(v, w)
	case test == "Bool" && other == test, test == "StringEqualsIgnoreCase" && other == test:
		return strings.EqualFold(v, w) && ascii(v) && ascii(w)
	case test == "StringEquals" && other == "StringEqualsIgnoreCase":
		return strings.EqualFold(v, w) && ascii(v) && ascii(w)
	case test == "StringEquals" && other == "StringLike":
		return newGlob(w, 0).matches(v)
	case test == "StringLike" && other == "StringLike":
		return newGlob(v, 0).within(newGlob(w, 0))
	case test == "StringLike" && other == "StringEquals":
		return v == w && !strings.ContainsAny(v, "*?")
	}
	return orderedWithin(test, v, other, w)
}

// orderedWithin reports whether one comparison of numbers or dates leaves no more
// than another. Long numbers, which some compare as floating point, it leaves
// alone.
func orderedWithin(test, v, other, w string) bool {
	family := "Date"
	if !strings.HasPrefix(test, family) {
		family = "Numeric"
	}
	relation, ok := strings.CutPrefix(test, family)
	than, same := strings.CutPrefix(other, family)
	if !ok || !same || family == "Numeric" && max(len(v), len(w)) > 15 {
		return false
	}
	is := func(r string) bool { compare, good := ordered(family+r, v); return good && compare(w) }
	direction, _ := strings.CutSuffix(relation, "Equals")
	towards, closed := strings.CutSuffix(than, "Equals")
	switch {
	case relation == "Equals":
		return is(than)
	case direction != towards:
		return false
	}
	return is(direction) || is("Equals") && (closed || relation == direction)
}

func ascii(s string) bool { return strings.IndexFunc(s, func(r rune) bool { return r > 127 }) < 0 }

func isARN(test string) bool { return test == "ArnLike" || test == "ArnEquals" }

// arnGlob reads a value of an ARN operator with all its parts; nil for others.
func arnGlob(v string) glob {
	if !strings.HasPrefix(v, "arn:") || strings.Count(v, ":") < arnColons {
		return nil
	}
	return newGlob(v, arnColons)
}

// networkWithin compares two addresses or networks.
func networkWithin(v, w string) bool {
	a, okA := network(v)
	b, okB := network(w)
	return okA && okB && a.Bits() >= b.Bits() && b.Contains(a.Addr())
}

func network(v string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(v); err == nil {
		return p.Masked(), true
	}
	a, err := netip.ParseAddr(v)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}
