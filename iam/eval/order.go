package eval

import (
	"strconv"
	"strings"

	"dera.example/dera/iam/policy"
)

// relation is how two ordered values may stand to each other.
type relation struct{ less, equal, greater bool }

// newRelation reads the end of a Numeric or Date operator.
func newRelation(name string) relation {
	return relation{
		less:    strings.HasPrefix(name, "LessThan"),
		equal:   strings.HasSuffix(name, "Equals"),
		greater: strings.HasPrefix(name, "GreaterThan"),
	}
}

// holds reports whether a comparison result fits.
func (r relation) holds(c int) bool {
	return r.less && c < 0 || r.equal && c == 0 || r.greater && c > 0
}

// orderedTest compares values that have an order. Where one of the two is not
// of the type, there is no answer.
type orderedTest[T any] struct {
	relation relation
	values   []T
	broken   bool // a value of the policy could not be read
	parse    func(string) (T, bool)
	compare  func(a, b T) int
}

func newOrderedTest[T any](t orderedTest[T], list []string) *orderedTest[T] {
	for _, v := range list {
		value, ok := t.parse(v)
		if !ok {
			t.broken = true
			continue
		}
		t.values = append(t.values, value)
	}
	return &t
}

func (t *orderedTest[T]) match(value string, _ Context) verdict {
	got, ok := t.parse(value)
	if !ok {
		return untyped
	}
	for _, want := range t.values {
		if t.relation.holds(t.compare(got, want)) {
			return matches
		}
	}
	if t.broken {
		return incomparable
	}
	return differs
}

func newDateTest(r relation, list []string) test {
	return newOrderedTest(orderedTest[policy.Instant]{
		relation: r, parse: policy.ParseDate, compare: policy.Instant.Compare,
	}, list)
}

func newNumberTest(r relation, list []string) test {
	return newOrderedTest(orderedTest[number]{
		relation: r, parse: parseNumber, compare: number.compare,
	}, list)
}

// number is a decimal number. Whole numbers of 64 bits are compared exactly,
// others as floating point.
type number struct {
	whole   int64
	isWhole bool
	float   float64
}

func parseNumber(text string) (number, bool) {
	if whole, err := strconv.ParseInt(text, 10, 64); err == nil {
		return number{whole: whole, isWhole: true, float: float64(whole)}, true
	}
	// ParseFloat knows more than decimal numbers: "inf", "0x1p-2", "1_000".
	if strings.Trim(text, "0123456789.eE+-") != "" {
		return number{}, false
	}
	float, err := strconv.ParseFloat(text, 64)
	return number{float: float}, err == nil
}

func (n number) compare(m number) int {
	a, b := n.float, m.float
	switch {
	case n.isWhole && m.isWhole && n.whole < m.whole, a < b:
		return -1
	case n.isWhole && m.isWhole && n.whole > m.whole, a > b:
		return 1
	default:
		return 0
	}
}
