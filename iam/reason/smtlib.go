package reason

import (
	"fmt"
	"slices"
	"strings"

	"dera.example/dera/iam/policy"
)

// SMTLIB writes the question "does fresh grant something that known does not",
// under one reading, in SMT-LIB 2.6 for any solver of strings and integers:
// unsat means that Subset is proved, sat that it is refuted.
//
// The text is written from the documents themselves, operator by operator as
// AWS documents them, and not from the normal form that this package searches,
// so that a solver that agrees has checked both the search and the form. Each
// value is a string, and whether it is a number, a date or an address, and
// which, are predicates of that string (see smtkey.go). It fails for what it
// cannot express: a variable between wildcards, a value that cannot be read.
func SMTLIB(fresh, known Policies, r Reading, cfg Config) (string, error) {
	cfg = cfg.withDefaults()
	c := &compiler{t: newTable(), reading: r, arity: cfg.Arity, typeOf: cfg.Type}
	p := &prepared{cfg: cfg}
	p.sources(fresh, true)
	p.sources(known, false)
	c.declare(p)
	e := &encoder{compiler: c, keys: map[int]*smtKey{}}
	for _, set := range []Policies{fresh, known} {
		for _, doc := range set {
			for i := range doc.Statements {
				e.survey(&doc.Statements[i], doc.Variables())
			}
		}
	}
	a, err := e.allowed("fresh", fresh)
	if err != nil {
		return "", err
	}
	b, err := e.allowed("known", known)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	out.WriteString("(set-logic ALL)\n(declare-const action String)\n(declare-const resource String)\n(declare-const principal String)\n")
	fmt.Fprintf(&out, "(assert %s)\n", e.inGlobs("action", namedActions().Globs(), nil))
	if c.principal {
		fmt.Fprintf(&out, "(assert %s)\n", e.inGlobs("principal", callers().Globs(), callers().Texts()))
	}
	e.declarations(&out)
	out.WriteString(e.body.String())
	fmt.Fprintf(&out, "(assert %s)\n(assert (not %s))\n(check-sat)\n", a, b)
	return out.String(), nil
}

// encoder writes formulas.
type encoder struct {
	*compiler
	keys map[int]*smtKey
	body strings.Builder
}

// allowed defines the statements of a policy set and returns the formula that
// the request is allowed by it.
func (e *encoder) allowed(name string, set Policies) (string, error) {
	var allow, deny []string
	for i, doc := range set {
		e.variables = doc.Variables()
		for j := range doc.Statements {
			st := &doc.Statements[j]
			f, err := e.statementFormula(st)
			if err != nil {
				return "", fmt.Errorf("encode statement %d of document %d: %w", j, i, err)
			}
			id := fmt.Sprintf("%s_%d_%d", name, i, j)
			fmt.Fprintf(&e.body, "(define-fun %s () Bool %s)\n", id, f)
			if st.Effect == policy.Allow {
				allow = append(allow, id)
			} else {
				deny = append(deny, id)
			}
		}
	}
	return conj(disj(allow...), not(disj(deny...))), nil
}

func (e *encoder) statementFormula(st *policy.Statement) (string, error) {
	action := e.inSet("action", actionsOf(st))
	parts := []string{action}
	resource, err := e.resourceFormula(st)
	if err != nil {
		return "", err
	}
	parts = append(parts, resource)
	switch {
	case st.Effect == policy.Deny && (st.Principals != nil && hasIDs(st.Principals) || st.NotPrincipals != nil && hasIDs(st.NotPrincipals)):
		return "", fmt.Errorf("a unique ID as principal of a denial cannot be expressed")
	case st.Principals != nil && !st.Principals.Everyone():
		parts = append(parts, e.inSet("principal", principalSet(st.Principals)))
	case st.NotPrincipals != nil && st.NotPrincipals.Everyone():
		parts = append(parts, "false")
	case st.NotPrincipals != nil && st.Effect == policy.Deny:
		parts = append(parts, not(e.inSet("principal", spared(st.NotPrincipals))))
	case st.NotPrincipals != nil:
		parts = append(parts, not(e.inSet("principal", principalSet(st.NotPrincipals))))
	}
	for i := range st.Conditions {
		f, err := e.conditionFormula(&st.Conditions[i])
		if err != nil {
			return "", err
		}
		parts = append(parts, f)
	}
	if e.reading.VoidNull {
		parts = append(parts, e.resolvable(st)...)
	}
	return conj(parts...), nil
}

// resolvable says that every variable of the statement has a value.
func (e *encoder) resolvable(st *policy.Statement) []string {
	values := slices.Concat(st.Resources, st.NotResources)
	for i := range st.Conditions {
		op, _ := policy.ParseOperator(st.Conditions[i].Operator)
		if _, typed := familyOf(op.Test); !typed && op.Test != "Bool" && op.Test != "Null" && op.Test != "BinaryEquals" {
			values = append(values, st.Conditions[i].Values...)
		}
	}
	var out []string
	for _, v := range values {
		for _, p := range split(v, true, e.variables) {
			if p.kind == reference && p.fallback == nil {
				_, has := e.variableTerm(p)
				out = append(out, has)
			}
		}
	}
	return out
}

func (e *encoder) resourceFormula(st *policy.Statement) (string, error) {
	list, negated := st.Resources, false
	if st.NotResources != nil {
		list, negated = st.NotResources, true
	}
	if list == nil {
		return "true", nil
	}
	var any []string
	for _, r := range list {
		parts := split(r, true, e.variables)
		mode, last := plain, 0
		if strings.HasPrefix(r, "arn:") {
			last = strings.Count(spellParts(parts), ":")
			if last < 5 && !e.principal && !e.reading.LiteralARNs {
				parts = append(parts, split(strings.Repeat(":*", 5-last), true, false)...)
				last = 5
			}
			if last = min(last, 5); !e.reading.PlainGlobs {
				mode = bySegment
			}
		}
		f, err := e.matches("resource", parts, false, mode, last)
		if err != nil {
			return "", err
		}
		any = append(any, f)
	}
	if negated {
		return not(disj(any...)), nil
	}
	return disj(any...), nil
}

func spellParts(parts []part) string {
	var b strings.Builder
	for _, p := range parts {
		if p.kind == literal {
			b.WriteString(p.text)
		}
	}
	return b.String()
}

// conditionFormula writes a condition as the documentation of its operator has it.
func (e *encoder) conditionFormula(cond *policy.Condition) (string, error) {
	op, ok := policy.ParseOperator(cond.Operator)
	if !ok {
		return "false", nil
	}
	if op.Test == "Null" && e.reading.PlainNull {
		op.Set = policy.NoSet
	}
	d := e.t.dim(cond.Key)
	k := e.keys[d]
	var here, accept []string
	for i := range k.copies {
		f, err := e.accepts(d, i, op, cond)
		if err != nil {
			return "", err
		}
		here, accept = append(here, present(d, i)), append(accept, f)
	}
	some := disj(here...)
	if e.reading.EmptyIsNull && (op.Set != policy.NoSet || op.Test == "Null" && !e.reading.PlainNull) {
		var other []string
		for i := range k.copies {
			other = append(other, conj(present(d, i), not(fmt.Sprintf(`(= %s "")`, value(d, i)))))
		}
		some = disj(other...)
	}
	var quantified []string
	every := op.Set == policy.ForAllValues || op.Set == policy.NoSet && op.Negated()
	for i := range k.copies {
		if every {
			quantified = append(quantified, disj(not(here[i]), accept[i]))
		} else {
			quantified = append(quantified, conj(here[i], accept[i]))
		}
	}
	then := disj(quantified...)
	if every {
		then = conj(quantified...)
	}
	return fmt.Sprintf("(ite %s %s %v)", some, then, holdsAbsent(op, cond.Values)), nil
}

// holdsAbsent says whether a condition holds for a request without the key.
func holdsAbsent(op policy.Operator, values []string) bool {
	switch {
	case op.IfExists || op.Set == policy.ForAllValues:
		return true
	case op.Set == policy.ForAnyValue:
		return false
	case op.Test == "Null":
		return slices.ContainsFunc(values, isTrue)
	}
	return op.Negated()
}
