package check

import (
	"encoding/base64"
	"math/big"
	"net/netip"
	"slices"
	"strings"

	"dera.example/dera/iam/policy"
)

// allows evaluates a request, as AWS documents it under the first reading:
// wildcards stay within a part, short ARNs are completed, a variable without
// value matches nothing. A policy that names principals allows nothing here,
// because the request has none.
func allows(p *policies, r *Request) bool {
	here := func(s *statement) bool { return s.appliesTo(r) }
	return slices.ContainsFunc(p.allow, here) && !slices.ContainsFunc(p.deny, here)
}

func (s *statement) appliesTo(r *Request) bool {
	a := newAction(strings.ToLower(r.Action))
	if a.nothing() || a.all || a.wild() || !s.actions.contains(a) || s.Principals != nil || s.NotPrincipals != nil {
		return false
	}
	for i := range s.Conditions {
		if !s.holds(&s.Conditions[i], r) {
			return false
		}
	}
	list, not := s.Resources, false
	if s.NotResources != nil {
		list, not = s.NotResources, true
	}
	return list == nil || not != slices.ContainsFunc(list, func(pattern string) bool {
		if strings.HasPrefix(pattern, "arn:") {
			if n := s.colons(pattern); n < arnColons {
				pattern += strings.Repeat(":*", arnColons-n)
			}
		}
		g, ok := s.fill(pattern, r, true, strings.HasPrefix(pattern, "arn:"))
		return ok && g.matches(r.Resource)
	})
}

// colons counts the colons of a pattern outside of its variables.
func (s *statement) colons(pattern string) int {
	n := strings.Count(pattern, ":")
	for s.variables {
		_, after, ok := strings.Cut(pattern, "${")
		if !ok {
			break
		}
		var inside string
		inside, pattern, _ = strings.Cut(after, "}")
		n -= strings.Count(inside, ":")
	}
	return n
}

// fill reads a value with its variables filled in, or reports false when one of
// them has no value. What a variable stands for is taken to the letter.
func (s *statement) fill(v string, r *Request, wildcards, parts bool) (glob, bool) {
	var out glob
	inPart := 0
	if parts {
		inPart = arnColons
	}
	read := func(text string) {
		if !wildcards {
			out = append(out, exactGlob(text)...)
			return
		}
		out = append(out, newGlob(text, inPart)...)
		inPart -= strings.Count(text, ":")
	}
	for s.variables {
		before, after, ok := strings.Cut(v, "${")
		name, rest, closed := strings.Cut(after, "}")
		if !ok || !closed {
			break
		}
		read(before)
		v = rest
		if name == "*" || name == "?" || name == "$" {
			out = append(out, exactGlob(name)...)
			continue
		}
		name, fallback, has := strings.Cut(name, ",")
		values := r.values(strings.TrimSpace(name))
		fallback = strings.TrimSpace(fallback)
		switch {
		case len(values) == 1:
			fallback = values[0]
		case has && len(fallback) >= 2 && fallback[0] == '\'' && fallback[len(fallback)-1] == '\'':
			fallback = fallback[1 : len(fallback)-1]
		default:
			return nil, false
		}
		if inPart > 0 && strings.Contains(fallback, ":") {
			return nil, false // a part cannot have a colon
		}
		out = append(out, exactGlob(fallback)...)
	}
	read(v)
	return out, true
}

func (r *Request) values(key string) []string {
	for k, v := range r.Context {
		if strings.EqualFold(k, key) {
			return v
		}
	}
	return nil
}

// holds evaluates a condition.
func (s *statement) holds(c *policy.Condition, r *Request) bool {
	op, ok := policy.ParseOperator(c.Operator)
	values := r.values(c.Key)
	has := func(text string) bool {
		return slices.ContainsFunc(c.Values, func(v string) bool { return strings.EqualFold(v, text) })
	}
	accepts := func(v string) bool { return s.test(op, c.Values, v, r) }
	switch {
	case !ok:
		return false
	case len(values) == 0 && (op.IfExists || op.Set == policy.ForAllValues):
		return true
	case len(values) == 0 && op.Set == policy.ForAnyValue:
		return false
	case len(values) == 0 && op.Test == "Null":
		return has("true")
	case len(values) == 0:
		return op.Negated()
	case op.Test == "Null":
		return has("false")
	case op.Set == policy.ForAllValues || op.Set == policy.NoSet && op.Negated():
		return !slices.ContainsFunc(values, func(v string) bool { return !accepts(v) })
	}
	return slices.ContainsFunc(values, accepts)
}

// test compares one value of the request. What cannot be compared holds neither
// for an operator nor for its negation.
func (s *statement) test(op policy.Operator, list []string, v string, r *Request) bool {
	base := strings.Replace(op.Test, "Not", "", 1)
	var compare func(want string) bool
	ok := true
	switch {
	case base == "Bool":
		compare = func(want string) bool {
			return ascii(v) && (strings.EqualFold(want, "true") || strings.EqualFold(want, "false")) && strings.EqualFold(want, v)
		}
	case base == "StringEqualsIgnoreCase":
		compare = func(want string) bool {
			g, filled := s.fill(want, r, false, false)
			return filled && strings.EqualFold(g.text(), v)
		}
	case base == "StringEquals":
		compare = func(want string) bool { g, filled := s.fill(want, r, false, false); return filled && g.matches(v) }
	case base == "StringLike":
		compare = func(want string) bool { g, filled := s.fill(want, r, true, false); return filled && g.matches(v) }
	case base == "BinaryEquals":
		compare = func(want string) bool {
			_, err := base64.StdEncoding.Strict().DecodeString(want)
			return err == nil && want == v
		}
	case isARN(base):
		ok = strings.HasPrefix(v, "arn:") && strings.Count(v, ":") >= arnColons
		compare = func(want string) bool {
			g, filled := s.fill(want, r, true, strings.HasPrefix(want, "arn:"))
			return filled && g.matches(v)
		}
	case base == "IpAddress":
		a, err := netip.ParseAddr(v)
		ok = err == nil && a.Zone() == ""
		compare = func(want string) bool { p, good := network(want); return good && p.Contains(a) }
	default:
		compare, ok = ordered(base, v)
	}
	return ok && slices.ContainsFunc(list, compare) != op.Negated()
}

// text gives a glob of letters back as text.
func (g glob) text() string {
	var b strings.Builder
	for _, t := range g {
		b.WriteRune(t.char)
	}
	return b.String()
}

// ordered compares numbers and dates.
func ordered(base, v string) (func(want string) bool, bool) {
	read := func(text string) (*big.Rat, bool) {
		if strings.ContainsAny(text, "/_xXpPeE") || len(text) > 40 {
			return nil, false
		}
		return new(big.Rat).SetString(text)
	}
	relation, isDate := strings.CutPrefix(base, "Date")
	if isDate {
		read = func(text string) (*big.Rat, bool) {
			d, ok := policy.ParseDate(text)
			nano := new(big.Rat).SetFrac64(int64(d.Nano), 1_000_000_000)
			return nano.Add(nano, new(big.Rat).SetInt64(int64(d.Sec))), ok
		}
	}
	have, ok := read(v)
	return func(want string) bool {
		w, good := read(want)
		if !good {
			return false
		}
		switch c := have.Cmp(w); strings.TrimPrefix(relation, "Numeric") {
		case "Equals":
			return c == 0
		case "LessThan":
			return c < 0
		case "LessThanEquals":
			return c <= 0
		case "GreaterThan":
			return c > 0
		case "GreaterThanEquals":
			return c >= 0
		}
		return false
	}, ok
}
