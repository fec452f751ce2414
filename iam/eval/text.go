package eval

import "strings"

// manyValues is the length of a list from which on a hash table finds an exact
// value faster than a look at each.
const manyValues = 8

// stringTest compares strings for StringEquals, StringLike and their relatives.
type stringTest struct {
	fold     bool // disregard case
	exact    []string
	table    map[string]struct{} // instead of exact, where that is long
	patterns []stringPattern
}

// stringPattern is a value with wildcards or variables.
type stringPattern struct {
	glob      glob
	variables []variable
}

func newStringTest(base string, list []string, variables bool) (test, []variable) {
	t := &stringTest{fold: base == "StringEqualsIgnoreCase"}
	var all []variable
	for _, v := range list {
		tmpl := parseTemplate(v, syntax{wildcards: base == "StringLike", variables: variables})
		g := newGlob(tmpl.pieces)
		if g.kind == globExact {
			t.exact = append(t.exact, g.text)
		} else {
			t.patterns = append(t.patterns, stringPattern{g, tmpl.variables})
			all = append(all, tmpl.variables...)
		}
	}
	if len(t.exact) > manyValues && !t.fold {
		t.table = make(map[string]struct{}, len(t.exact))
		for _, v := range t.exact {
			t.table[v] = struct{}{}
		}
		t.exact = nil
	}
	return t, all
}

func (t *stringTest) match(value string, context Context) verdict {
	if _, found := t.table[value]; found {
		return matches
	}
	for _, v := range t.exact {
		if v == value {
			return matches
		}
	}
	for i := range t.patterns {
		if t.patterns[i].match(value, context) {
			return matches
		}
	}
	return differs
}

// matchFold is match regardless of case: of the letters of ASCII, or of all.
func (t *stringTest) matchFold(value string, context Context, ascii bool) verdict {
	equal := strings.EqualFold
	if ascii {
		equal = equalASCII
	}
	for _, v := range t.exact {
		if equal(v, value) {
			return matches
		}
	}
	for i := range t.patterns { // no wildcards here: write the value out
		var spare values
		values, ok := resolveAll(t.patterns[i].variables, context, &spare)
		if ok && equal(value, fill(t.patterns[i].glob.pieces, values)) {
			return matches
		}
	}
	return differs
}

// equalASCII compares regardless of the case of the letters a to z.
func equalASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if toLower(a[i]) != toLower(b[i]) {
			return false
		}
	}
	return true
}

// match compares with the variables filled in. One without a value makes the
// pattern match nothing.
func (p *stringPattern) match(value string, context Context) bool {
	var spare values
	values, ok := resolveAll(p.variables, context, &spare)
	return ok && p.glob.match(value, values)
}

// fill writes out pieces without wildcards.
func fill(pieces []piece, values []string) string {
	var b strings.Builder
	for _, c := range pieces {
		if c.kind == pieceVariable {
			b.WriteString(values[c.at])
		} else {
			b.WriteString(c.text)
		}
	}
	return b.String()
}
