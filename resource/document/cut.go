package document

import (
	"context"
	"slices"

	"dera.example/dera/iam/policy"
)

// PublicCut is what goes out of a statement that allows public access: the elements that
// do, or, with none, the public as a whole, so that the house alone is left.
type PublicCut struct {
	Index      int         `json:"index"`                // of the statement in the policy, counted from 0
	Principals []Principal `json:"principals,omitempty"` // these of several
	// Values are these of several, of a condition on the key.
	Operator string   `json:"operator,omitempty"`
	Key      string   `json:"key,omitempty"`
	Values   []string `json:"values,omitempty"`
}

// Whole reports whether nothing of the statement names anybody.
func (c PublicCut) Whole() bool { return len(c.Principals)+len(c.Values) == 0 }

// Lost is what a statement loses by the cut: the statement with these elements
// alone.
func (c PublicCut) Lost(st policy.Statement) policy.Statement {
	if len(c.Principals) > 0 {
		return withPrincipals(st, c.Principals)
	}
	return withValues(st, c, func(v string) bool { return slices.Contains(c.Values, v) })
}

// Left is the statement without these elements.
func (c PublicCut) Left(st policy.Statement) policy.Statement {
	if len(c.Principals) > 0 {
		return withPrincipals(st, slices.DeleteFunc(PrincipalsOf(&st), func(p Principal) bool { return slices.Contains(c.Principals, p) }))
	}
	return withValues(st, c, func(v string) bool { return !slices.Contains(c.Values, v) })
}

func withValues(st policy.Statement, c PublicCut, keep func(string) bool) policy.Statement {
	if len(c.Values) == 0 {
		return st
	}
	st.Conditions = slices.Clone(st.Conditions)
	for i, cond := range st.Conditions {
		if cond.Operator == c.Operator && cond.Key == c.Key {
			st.Conditions[i].Values = slices.DeleteFunc(slices.Clone(cond.Values), func(v string) bool { return !keep(v) })
		}
	}
	return st
}

// Elements are the cuts of one element each that a cut consists of.
func (c PublicCut) Elements() []PublicCut {
	var out []PublicCut
	for _, p := range c.Principals {
		out = append(out, PublicCut{Index: c.Index, Principals: []Principal{p}})
	}
	for _, v := range c.Values {
		out = append(out, PublicCut{Index: c.Index, Operator: c.Operator, Key: c.Key, Values: []string{v}})
	}
	if len(out) == 0 {
		out = append(out, c)
	}
	return out
}

// Public decides whether a statement alone, under the denials of its policy, lets
// the public in; unsure says why nothing is known.
func Public(ctx context.Context, on Target, doc *policy.Document, st policy.Statement) (public bool, unsure string) {
	open, unsure := PublicStatements(ctx, on, Only(doc, st))
	return slices.ContainsFunc(open, func(o Opened) bool { return o.Index == 0 }), unsure
}

// ShownList is a list for people, shortened where it is long.
func ShownList(list []string) string { return List("", list, "", nil) }

// Distinct are the values of a list without repetitions, in their order.
func Distinct[T comparable](list []T) []T {
	var out []T
	for _, v := range list {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}
