package reason

import (
	"encoding/base64"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"dera.example/dera/iam/lang"
	"dera.example/dera/iam/policy"
)

// accepts writes that one value of a key fulfils an operator, its negation
// included.
func (e *encoder) accepts(d, i int, op policy.Operator, cond *policy.Condition) (string, error) {
	if op.Test == "Null" {
		return fmt.Sprint(slices.ContainsFunc(cond.Values, func(s string) bool { return strings.EqualFold(s, "false") })), nil
	}
	var any []string
	for _, want := range cond.Values {
		f, err := e.testOne(d, i, op.Test, want)
		if err != nil {
			return "", err
		}
		any = append(any, f)
	}
	matches, typed := disj(any...), ""
	if f, ok := familyOf(op.Test); ok {
		typed = isOf(d, i, f)
	} else if strings.HasPrefix(op.Test, "Arn") {
		typed = isARN(value(d, i))
	}
	switch {
	case typed == "" && op.Negated():
		return not(matches), nil
	case typed == "":
		return matches, nil
	case op.Negated() && e.reading.UntypedDiffers:
		return not(conj(typed, matches)), nil
	case op.Negated():
		return conj(typed, not(matches)), nil
	}
	return conj(typed, matches), nil
}

// testOne writes that a value, which is of the type of the operator, matches
// one that the policy wants.
func (e *encoder) testOne(d, i int, test, want string) (string, error) {
	v := value(d, i)
	base := strings.Replace(test, "Not", "", 1)
	switch base {
	case "Bool":
		if !isTrue(want) && !strings.EqualFold(want, "false") {
			return "false", nil
		}
		return fmt.Sprintf("(str.in_re %s %s)", v, anyCase(strings.ToLower(want))), nil
	case "StringEquals":
		return e.matches(v, split(want, false, e.variables), false, plain, 0)
	case "StringEqualsIgnoreCase":
		return e.matches(v, split(want, false, e.variables), true, plain, 0)
	case "StringLike":
		return e.matches(v, split(want, true, e.variables), false, plain, 0)
	case "BinaryEquals":
		if _, err := base64.StdEncoding.Strict().DecodeString(want); err != nil {
			return "false", nil
		}
		return fmt.Sprintf("(= %s %s)", v, quoted(want)), nil
	case "ArnEquals", "ArnLike":
		parts := split(want, true, e.variables)
		mode, last := plain, 0
		if strings.HasPrefix(want, "arn:") {
			mode, last = bySegment, min(5, strings.Count(spellParts(parts), ":"))
		}
		return e.matches(v, parts, false, mode, last)
	case "IpAddress":
		spans, ok := addressSpan(want)
		if !ok {
			return "false", nil
		}
		return inRanges(placeOf(d, i, addresses), spans), nil
	}
	at, ok := pointOf(test, want)
	if !ok {
		return "", fmt.Errorf("value %q of %s cannot be read", want, test)
	}
	family, _ := familyOf(test)
	n := placeOf(d, i, family)
	switch strings.TrimPrefix(strings.TrimPrefix(base, "Date"), "Numeric") {
	case "Equals":
		return fmt.Sprintf("(= %s %s)", n, place(at)), nil
	case "LessThan":
		return fmt.Sprintf("(< %s %s)", n, place(at)), nil
	case "LessThanEquals":
		return fmt.Sprintf("(<= %s %s)", n, place(at)), nil
	case "GreaterThan":
		return fmt.Sprintf("(> %s %s)", n, place(at)), nil
	case "GreaterThanEquals":
		return fmt.Sprintf("(>= %s %s)", n, place(at)), nil
	}
	return "", fmt.Errorf("operator %s cannot be expressed", test)
}

// pointOf reads the value of a Date or Numeric operator.
func pointOf(test, v string) (lang.Point, bool) {
	if strings.HasPrefix(test, "Date") {
		at, ok := policy.ParseDate(v)
		return lang.DatePoint(at.Sec, at.Nano), ok
	}
	p, err := lang.NumberPoint(v)
	return p, err == nil
}

// matches writes that a term is in the language of a value.
func (e *encoder) matches(term string, parts []part, fold bool, mode segments, last int) (string, error) {
	if !slices.ContainsFunc(parts, func(p part) bool { return p.kind == reference }) {
		return fmt.Sprintf("(str.in_re %s %s)", term, e.glob(parts, fold, mode, last).Regex()), nil
	}
	prefix := false
	if n := len(parts) - 1; parts[n].kind == manyAny {
		parts, prefix = parts[:n], true
	}
	if fold || slices.ContainsFunc(parts, func(p part) bool { return p.kind == oneAny || p.kind == manyAny }) {
		return "", fmt.Errorf("a policy variable between wildcards cannot be expressed")
	}
	var terms, needs []string
	colons := 0
	for _, p := range parts {
		if p.kind == literal {
			terms = append(terms, quoted(p.text))
			colons += p.colons()
			continue
		}
		v, has := e.variableTerm(p)
		terms, needs = append(terms, v), append(needs, has)
		if mode == bySegment && colons < last {
			needs = append(needs, fmt.Sprintf(`(not (str.contains %s ":"))`, v))
		}
	}
	text := terms[0]
	if len(terms) > 1 {
		text = "(str.++ " + strings.Join(terms, " ") + ")"
	}
	if !prefix {
		return conj(append(needs, fmt.Sprintf("(= %s %s)", term, text))...), nil
	}
	match := fmt.Sprintf("(str.prefixof %s %s)", text, term)
	if mode == bySegment && colons < last {
		return "", fmt.Errorf("a policy variable before a wildcard in the middle cannot be expressed")
	}
	return conj(append(needs, match)...), nil
}

// variableTerm returns the value of a policy variable and the condition that
// it has one.
func (e *encoder) variableTerm(p part) (term, has string) {
	d := e.t.dim(p.text)
	has = present(d, 0)
	for i := 1; i < e.key(d).copies; i++ {
		has = conj(has, not(present(d, i)))
	}
	if p.fallback == nil {
		return value(d, 0), has
	}
	return fmt.Sprintf("(ite %s %s %s)", has, value(d, 0), quoted(*p.fallback)), "true"
}

// inSet writes that a term is in a set of globs without variables.
func (e *encoder) inSet(term string, s *lang.Set) string {
	f := e.inGlobs(term, s.Globs(), s.Texts())
	if s.Outside() {
		return not(f)
	}
	return f
}

func (e *encoder) inGlobs(term string, globs []*lang.Glob, texts []string) string {
	var any []string
	for _, t := range texts {
		any = append(any, "(= "+term+" "+quoted(t)+")")
	}
	for _, g := range globs {
		any = append(any, fmt.Sprintf("(str.in_re %s %s)", term, g.Regex()))
	}
	return disj(any...)
}

// inRanges writes that an integer lies in one of the spans.
func inRanges(term string, spans []lang.Span) string {
	var any []string
	for _, s := range spans {
		any = append(any, fmt.Sprintf("(and (<= %s %s) (<= %s %s))", place(s.From), term, term, place(s.To)))
	}
	return disj(any...)
}

// place numbers the points of the line.
func place(p lang.Point) string {
	n := new(big.Int).SetUint64(uint64(p.Family))
	n.Lsh(n, 64).Add(n, new(big.Int).SetUint64(p.Hi))
	n.Lsh(n, 64).Add(n, new(big.Int).SetUint64(p.Lo))
	return n.String()
}

// quoted writes a string constant.
func quoted(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' || r == '\\' || r == '"' }) {
		return `"` + text + `"`
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"':
			b.WriteString(`""`)
		case r < ' ' || r > '~' || r == '\\':
			fmt.Fprintf(&b, `\u{%x}`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func conj(parts ...string) string { return join("and", "true", parts) }
func disj(parts ...string) string { return join("or", "false", parts) }

func join(op, unit string, parts []string) string {
	switch len(parts) {
	case 0:
		return unit
	case 1:
		return parts[0]
	}
	return "(" + op + " " + strings.Join(parts, " ") + ")"
}

func not(f string) string { return "(not " + f + ")" }
