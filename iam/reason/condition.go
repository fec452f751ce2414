package reason

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"dera.example/dera/iam/lang"
	"dera.example/dera/iam/policy"
)

// alternatives is a disjunction of conjunctions of literals. Almost every
// element of a statement has one alternative.
type alternatives [][]lit

// condition translates one condition line.
//
// With L the values that match and "some" and "all" over the values that the
// request carries for the key:
//
//	StringEquals ...         some in L        Null: true     all in nothing
//	StringNotEquals ...      all outside L    Null: false    some in everything
//	...IfExists              absent or as without
//	ForAllValues:...         all in L (or outside L)
//	ForAnyValue:...          some in L (or outside L)
//
// Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and
// "Set operators for multi-valued context keys".
func (c *compiler) condition(cond *policy.Condition) alternatives {
	dim := c.t.dim(cond.Key)
	c.made.ManyValues = c.made.ManyValues || c.t.dims[dim].loose
	op, ok := policy.ParseOperator(cond.Operator)
	if !ok {
		return nil // an operator that does not exist never holds
	}
	if op.Test == "Null" {
		c.made.PlainNull = c.made.PlainNull || op.Set != policy.NoSet
		if c.reading.PlainNull {
			op.Set = policy.NoSet
		}
		return c.null(dim, op.Set, cond)
	}
	negated := op.Negated()
	found := c.languages(dim, op, cond, negated)
	var out alternatives
	for _, l := range found {
		out = append(out, c.quantify(dim, op.Set, negated, l)...)
	}
	if !op.IfExists || op.Set == policy.ForAllValues || len(found) == 0 {
		return out
	}
	if op.Set == policy.NoSet && !c.t.dims[dim].many && len(out) == 1 && len(out[0]) == 1 {
		out[0][0] |= allBit // over at most one value, "absent or some" is "all"
		return out
	}
	absent := []lit{c.absent(dim, op.Set)}
	if c.reading.VoidNull {
		absent = append(absent, found[0].needs...)
	}
	return append(out, absent)
}

// quantify turns "some value in L" into the form of the operator.
func (c *compiler) quantify(dim int, set policy.SetOperator, negated bool, l language) alternatives {
	v := l.lit
	if negated {
		v ^= outsideBit
	}
	with := func(lits ...lit) []lit {
		if l.arns { // ... that are ARNs
			also := c.t.some(dim, arns())
			if lits[0].all() {
				also |= allBit
			}
			lits = append(lits, also)
		}
		return append(slices.Clip(l.needs), lits...)
	}
	switch {
	case set == policy.NoSet && !negated:
		return alternatives{with(v)}
	case set == policy.NoSet:
		return alternatives{with(v | allBit)}
	case set == policy.ForAllValues && c.emptyIsNull():
		return alternatives{with(v | allBit), with(c.absent(dim, set))}
	case set == policy.ForAllValues:
		return alternatives{with(v | allBit)}
	case c.emptyIsNull():
		return alternatives{with(v, c.absent(dim, set).not())}
	}
	return alternatives{with(v)}
}

// absent returns the literal "the key has no value". Under a set operator and
// Null one reading counts a key with nothing but an empty text so.
func (c *compiler) absent(dim int, set policy.SetOperator) lit {
	if set != policy.NoSet && c.t.dims[dim].kind == Text && c.emptyIsNull() {
		return c.t.some(dim, lang.Union(lang.Exact(""))) | allBit
	}
	return c.t.present(dim).not()
}

// emptyIsNull asks the reading, and notes that it was asked.
func (c *compiler) emptyIsNull() bool {
	c.made.EmptyIsNull = true
	return c.reading.EmptyIsNull
}

// language is a literal "some value in L" together with what must be present
// for it to count.
type language struct {
	lit   lit
	needs []lit
	arns  bool // negated: only ARNs are outside L
}

// languages translates the values of a condition: one language, or several
// that depend on which policy variables have a value.
func (c *compiler) languages(dim int, op policy.Operator, cond *policy.Condition, negated bool) []language {
	if op.Test == "Bool" {
		return c.boolean(dim, cond.Values)
	}
	var globs valueList
	var spans []lang.Span
	for _, v := range cond.Values {
		switch op.Test {
		case "StringEquals", "StringNotEquals":
			globs.add(c, split(v, false, c.variables), false, plain, 0)
		case "BinaryEquals":
			if _, err := base64.StdEncoding.Strict().DecodeString(v); err == nil {
				globs.add(c, split(v, false, false), false, plain, 0)
			}
		case "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase":
			c.made.ASCIIFold = true
			globs.add(c, split(v, false, c.variables), true, plain, 0)
		case "StringLike", "StringNotLike":
			globs.add(c, split(v, true, c.variables), false, plain, 0)
		case "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike":
			if !c.arnValue(&globs, v) {
				return []language{{lit: c.opaque(dim, cond)}}
			}
		default:
			s, ok := c.rangeOf(op.Test, v)
			if !ok {
				return []language{{lit: c.opaque(dim, cond)}}
			}
			spans = append(spans, s...)
		}
	}
	if f, ok := familyOf(op.Test); ok {
		r := lang.NewRanges(spans...)
		if negated && c.untypedNeither(dim, c.t.dims[dim].kind.has(f)) {
			return []language{{lit: c.t.someRange(dim, f, f.places().Meet(r.Complement())) ^ outsideBit}}
		}
		return []language{{lit: c.t.someRange(dim, f, r)}}
	}
	out := globs.languages(c, dim, negated)
	if negated && strings.HasPrefix(op.Test, "Arn") && c.untypedNeither(dim, c.t.dims[dim].kind == ARN) {
		if c.t.dims[dim].many && op.Set == policy.ForAnyValue {
			return []language{{lit: c.opaque(dim, cond)}} // one value with both properties
		}
		for i := range out {
			out[i].arns = true
		}
	}
	return out
}

// untypedNeither asks the reading whether a value that is not of the type of a
// negated operator does not match it either, and notes that it was asked. Where
// every value is of the type, there is nothing to ask.
func (c *compiler) untypedNeither(dim int, typed bool) bool {
	if typed {
		return false
	}
	c.made.UntypedDiffers = true
	return !c.reading.UntypedDiffers
}

// rangeOf returns the values that match v under a comparing operator. The
// negated forms match what their positive forms match; the caller negates.
func (c *compiler) rangeOf(test, v string) ([]lang.Span, bool) {
	if strings.HasSuffix(test, "IpAddress") {
		return addressSpan(v)
	}
	var at lang.Point
	if strings.HasPrefix(test, "Date") {
		moment, ok := policy.ParseDate(v)
		if !ok || len(v) == 4 && strings.Trim(v, "0123456789") == "" { // "2030": a year of ISO 8601, or a second of 1970
			return nil, false
		}
		at = lang.DatePoint(moment.Sec, moment.Nano)
	} else {
		p, err := lang.NumberPoint(v)
		if err != nil {
			return nil, false
		}
		at = p
	}
	exactly := lang.NewRanges(lang.Span{From: at, To: at})
	family := lang.FamilyRange(at.Family).Spans()[0]
	upTo := lang.NewRanges(lang.Span{From: family.From, To: at})
	from := lang.NewRanges(lang.Span{From: at, To: family.To})
	var r lang.Ranges
	switch comparison := strings.TrimPrefix(strings.TrimPrefix(test, "Date"), "Numeric"); comparison {
	case "Equals", "NotEquals":
		r = exactly
	case "LessThanEquals":
		r = upTo
	case "LessThan":
		r = upTo.Meet(exactly.Complement())
	case "GreaterThanEquals":
		r = from
	case "GreaterThan":
		r = from.Meet(exactly.Complement())
	default:
		return nil, false
	}
	return r.Spans(), true
}

// addressSpan reads an address or a network; host bits are ignored.
func addressSpan(v string) ([]lang.Span, bool) {
	p, err := netip.ParsePrefix(v)
	if err != nil {
		a, err := netip.ParseAddr(v)
		if err != nil || a.Zone() != "" {
			return nil, false
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	return []lang.Span{lang.PrefixSpan(p)}, true
}

// null translates the Null operator. Its values are an "or".
func (c *compiler) null(dim int, set policy.SetOperator, cond *policy.Condition) alternatives {
	absent := c.absent(dim, policy.ForAnyValue)
	var out alternatives
	if set == policy.ForAllValues || set == policy.NoSet && slices.ContainsFunc(cond.Values, isTrue) {
		out = append(out, []lit{absent})
	}
	if slices.ContainsFunc(cond.Values, func(v string) bool { return strings.EqualFold(v, "false") }) {
		out = append(out, []lit{absent.not()})
	}
	return out
}

func isTrue(v string) bool { return strings.EqualFold(v, "true") }

// boolean returns the language of Bool: true and false in any case.
func (c *compiler) boolean(dim int, values []string) []language {
	var globs []*lang.Glob
	for _, v := range values {
		switch {
		case isTrue(v):
			globs = append(globs, folded("true"))
		case strings.EqualFold(v, "false"):
			globs = append(globs, folded("false"))
		}
	}
	return []language{{lit: c.t.some(dim, lang.Union(globs...))}}
}

// folded returns the texts that are equal but for the case of ASCII letters.
func folded(text string) *lang.Glob {
	var b lang.Builder
	b.FoldASCII(text)
	return b.Glob()
}

// opaque stands for a condition that cannot be read.
func (c *compiler) opaque(dim int, cond *policy.Condition) lit {
	return c.t.opaque(dim, fmt.Sprintf("%q %q %v", cond.Operator, cond.Values, c.variables))
}

// arnValue adds the value of an ARN operator. All of them know wildcards and
// compare the six parts one by one; the last part of a short value takes the
// rest, and what is no ARN matches nothing. It reports false for a short value
// of which the language is no glob.
func (c *compiler) arnValue(to *valueList, v string) bool {
	parts := split(v, true, c.variables)
	if v == "*" {
		parts = split("arn:*", true, false)
	} else if !strings.HasPrefix(v, "arn:") {
		return false
	}
	colons, wild := 0, 0
	for _, p := range parts {
		colons += p.colons()
		if p.kind != literal && colons < 5 {
			wild++
		}
	}
	if colons >= 5 {
		to.add(c, parts, false, bySegment, 5)
		return true
	}
	if wild == 0 {
		return true // a text without enough colons: no ARN
	}
	if wild > 1 || parts[len(parts)-1].kind != manyAny {
		return false
	}
	// One star at the end: it takes the missing colons too.
	parts = append(parts, split(strings.Repeat(":*", 5-colons), true, false)...)
	to.add(c, parts, false, plain, 0)
	return true
}
