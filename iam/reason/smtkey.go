package reason

import (
	"fmt"
	"slices"
	"strings"

	"dera.example/dera/iam/policy"
)

// smtKey is how a condition key is represented: copies of a value, each of which
// may be there or not. The value is a string. For each family that the policies
// read it in, "t" says whether the string is of the family and "n" where it lies.
//
// That is all that is said of the three: a string of the family has its letters,
// equal strings are the same in all, and the strings that the policies write have
// the places that they have. Nothing says that there is a string for each place,
// so that a solver may find a request that nobody can write, and never misses one
// that someone can: unsat is a proof.
type smtKey struct {
	copies  int
	kind    Type
	reads   [families]bool
	strings []string // that the policies compare the key with
}

// survey counts how many values of each key can matter and how it is compared.
func (e *encoder) survey(st *policy.Statement, variables bool) {
	for i := range st.Conditions {
		cond := &st.Conditions[i]
		d := e.t.dim(cond.Key)
		k := e.key(d)
		if e.t.dims[d].many {
			k.copies++
		}
		op, _ := policy.ParseOperator(cond.Operator)
		if f, ok := familyOf(op.Test); ok {
			k.reads[f] = true
		}
		for _, v := range cond.Values {
			if !slices.Contains(k.strings, v) {
				k.strings = append(k.strings, v)
			}
		}
		e.surveyValues(cond.Values, variables)
	}
	e.surveyValues(st.Resources, variables)
	e.surveyValues(st.NotResources, variables)
}

func (e *encoder) surveyValues(values []string, variables bool) {
	for _, v := range values {
		for _, p := range split(v, true, variables) {
			if p.kind == reference {
				e.key(e.t.dim(p.text))
			}
		}
	}
}

func (e *encoder) key(d int) *smtKey {
	if e.keys[d] == nil {
		e.keys[d] = &smtKey{copies: 1, kind: e.t.dims[d].kind}
	}
	return e.keys[d]
}

func value(d, i int) string             { return fmt.Sprintf("v_%d_%d", d, i) }
func present(d, i int) string           { return fmt.Sprintf("p_%d_%d", d, i) }
func isOf(d, i int, f family) string    { return fmt.Sprintf("t_%d_%d_%d", d, i, f) }
func placeOf(d, i int, f family) string { return fmt.Sprintf("n_%d_%d_%d", d, i, f) }

func (e *encoder) declarations(out *strings.Builder) {
	for d := firstKeyDim; d < len(e.t.dims); d++ {
		k := e.keys[d]
		if k == nil {
			continue
		}
		fmt.Fprintf(out, "; key %d is %s\n", d, strings.ReplaceAll(e.t.dims[d].key, "\n", " "))
		for i := range k.copies {
			fmt.Fprintf(out, "(declare-const p_%d_%d Bool)\n(declare-const v_%d_%d String)\n", d, i, d, i)
			for f := range families {
				if k.reads[f] {
					e.declareFamily(out, d, i, f)
				}
			}
			switch k.kind {
			case Boolean:
				fmt.Fprintf(out, "(assert (str.in_re %s (re.union %s %s)))\n", value(d, i), anyCase("true"), anyCase("false"))
			case ARN:
				fmt.Fprintf(out, "(assert %s)\n", isARN(value(d, i)))
			case Text, Number, Date, Epoch, Address:
			}
			if k.reads[addresses] {
				for _, f := range []family{numbers, dates} {
					if k.reads[f] { // no text is both
						fmt.Fprintf(out, "(assert (not (and %s %s)))\n", isOf(d, i, addresses), isOf(d, i, f))
					}
				}
			}
		}
	}
}

// declareFamily says what the value of a key is in a family.
func (e *encoder) declareFamily(out *strings.Builder, d, i int, f family) {
	k, v, is, at := e.keys[d], value(d, i), isOf(d, i, f), placeOf(d, i, f)
	fmt.Fprintf(out, "(declare-const %s Bool)\n(declare-const %s Int)\n", is, at)
	fmt.Fprintf(out, "(assert (=> %s (and (str.in_re %s %s) %s)))\n", is, v, f.spelling(), inRanges(at, f.places().Spans()))
	for _, text := range k.strings {
		p, certain := f.place(text)
		switch {
		case !certain:
		case p == none():
			fmt.Fprintf(out, "(assert (=> (= %s %s) (not %s)))\n", v, quoted(text), is)
		default:
			fmt.Fprintf(out, "(assert (=> (= %s %s) (and %s (= %s %s))))\n", v, quoted(text), is, at, place(p))
		}
	}
	for j := range i {
		fmt.Fprintf(out, "(assert (=> (= %s %s) (and (= %s %s) (= %s %s))))\n", v, value(d, j), is, isOf(d, j, f), at, placeOf(d, j, f))
	}
	if k.kind.has(f) {
		fmt.Fprintf(out, "(assert %s)\n", is)
	}
	if f == dates && (k.kind == Date || k.kind == Epoch) {
		first := place(f.places().Spans()[0].From)
		fmt.Fprintf(out, "(assert (= (mod (- %s %s) 1000000000) 0))\n", at, first)
	}
}

// spelling is the language of the letters with which values of the family are
// written.
func (f family) spelling() string {
	letters := `(re.range "0" "9") (str.to_re ".")`
	switch f {
	case numbers:
		letters += ` (str.to_re "+") (str.to_re "-") (str.to_re "e") (str.to_re "E")`
	case dates:
		letters += ` (str.to_re "+") (str.to_re "-") (str.to_re ":") (str.to_re "T") (str.to_re "t") (str.to_re "Z") (str.to_re "z")`
	case addresses, families:
		letters += ` (re.range "a" "f") (re.range "A" "F") (str.to_re ":")`
	}
	return "(re.+ (re.union " + letters + "))"
}

// anyCase is the language of a word of ASCII letters, large and small.
func anyCase(word string) string {
	var b strings.Builder
	for _, r := range word {
		fmt.Fprintf(&b, ` (re.union (str.to_re "%c") (str.to_re "%c"))`, r, r&^0x20)
	}
	return "(re.++" + b.String() + ")"
}

// isARN writes that a text is one that ARN operators can compare.
func isARN(v string) string {
	return fmt.Sprintf(`(str.in_re %s (re.++ (str.to_re "arn:") re.all (str.to_re ":") re.all (str.to_re ":") re.all (str.to_re ":") re.all (str.to_re ":") re.all))`, v)
}
