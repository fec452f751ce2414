package document

import (
	"context"
	"fmt"
	"slices"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
)

// Question is whose access a finding is about: the public's where the policy stands, or
// that of outsiders by name.
type Question struct {
	On Target
	// Account is the account of the resource, and Outsiders whose access it is; none for
	// the public's.
	Account   string
	Outsiders []Outsider
}

// Offends reports whether a statement alone, under the denials of its policy, gives
// access to those whom the question is about, and to none else that it names; unsure
// says why that is not known.
func (q Question) Offends(ctx context.Context, doc *policy.Document, st policy.Statement) (offends bool, unsure string) {
	if len(q.Outsiders) == 0 {
		return Public(ctx, q.On, doc, st)
	}
	found := namedBy(ctx, Only(doc, st), 0, Own{Account: q.Account}, func(string) bool { return false })
	if len(found) == 0 {
		return false, ""
	}
	return !slices.ContainsFunc(found, func(o Outsider) bool { return !slices.Contains(q.Outsiders, o) }), ""
}

// Cut finds what has to go out of a statement that offends. With impossible nothing
// narrower can be written that cuts off nobody else who is named.
func (q Question) Cut(ctx context.Context, doc *policy.Document, index int, h House) (cut PublicCut, impossible string) {
	st := doc.Statements[index]
	var unsure string
	var ways []PublicCut
	try := func(elements []PublicCut, join func([]PublicCut) PublicCut) {
		if len(elements) < 2 {
			return
		}
		var bad []PublicCut
		for _, e := range elements {
			offends, why := q.Offends(ctx, doc, e.Lost(st))
			if why != "" {
				unsure = why
			}
			if offends {
				bad = append(bad, e)
			}
		}
		if len(bad) == 0 || len(bad) == len(elements) {
			return
		}
		c := join(bad)
		if offends, why := q.Offends(ctx, doc, c.Left(st)); !offends && why == "" {
			ways = append(ways, c)
		}
	}
	if st.NotPrincipals == nil {
		try(PublicCut{Index: index, Principals: Distinct(PrincipalsOf(&st))}.Elements(), func(bad []PublicCut) PublicCut {
			c := PublicCut{Index: index}
			for _, e := range bad {
				c.Principals = append(c.Principals, e.Principals...)
			}
			return c
		})
	}
	for _, cond := range st.Conditions {
		if op, ok := policy.ParseOperator(cond.Operator); !ok || op.Negated() || op.Set == policy.ForAllValues || op.Test == "Null" || op.Test == "Bool" {
			continue
		}
		whole := PublicCut{Index: index, Operator: cond.Operator, Key: cond.Key, Values: Distinct(cond.Values)}
		try(whole.Elements(), func(bad []PublicCut) PublicCut {
			c := PublicCut{Index: index, Operator: cond.Operator, Key: cond.Key}
			for _, e := range bad {
				c.Values = append(c.Values, e.Values...)
			}
			return c
		})
	}
	switch {
	case unsure != "":
		return cut, unsure
	case len(ways) > 1:
		return cut, fmt.Sprintf("statement %d can be narrowed in %d ways, which keep different parts of it", index+1, len(ways))
	}
	if len(q.Outsiders) > 0 {
		if len(ways) == 1 {
			return ways[0], ""
		}
		if all, _ := q.Offends(ctx, doc, st); !all {
			return cut, fmt.Sprintf("statement %d names others too, and no element of it can go alone", index+1)
		}
		return PublicCut{Index: index}, ""
	}
	_, _, open, err := h.Part(st)
	named := h.NamedBeside(ctx, q.On, doc, PublicCut{Index: index})
	if len(ways) == 1 {
		named = h.NamedBeside(ctx, q.On, doc, ways[0])
	}
	switch {
	case len(named) > 0:
		return cut, fmt.Sprintf("statement %d also names %s, and no element of it can go alone", index+1, ShownList(named))
	case len(ways) == 1:
		return ways[0], ""
	case !open, err != nil:
		return cut, fmt.Sprintf("statement %d cannot be narrowed to %s", index+1, h)
	}
	return PublicCut{Index: index}, ""
}

// Only says of a cut whether each element that goes gives access to those whom the
// question is about, and to none else.
func (q Question) Only(old *policy.Document, cut PublicCut) Answer {
	if cut.Index < 0 || cut.Index >= len(old.Statements) {
		return Answer{dera.Unknown, fmt.Sprintf("the policy has no statement %d", cut.Index+1)}
	}
	st := old.Statements[cut.Index]
	for _, e := range cut.Elements() {
		offends, unsure := q.Offends(context.Background(), old, e.Lost(st))
		switch {
		case !offends && unsure != "":
			return Answer{dera.Unknown, unsure}
		case !offends:
			return Answer{dera.Refuted, fmt.Sprintf("statement %d of the policy loses an element that %s", cut.Index+1, q.not())}
		}
	}
	return Answer{Verdict: dera.Proved}
}

func (q Question) not() string {
	if len(q.Outsiders) == 0 {
		return "gives no public access"
	}
	return "gives access to others too, or to none"
}

// Own is whose a resource is: its account, where there is one the owner's canonical user
// ID, and what stands for an account in the ARNs of principals that are the account's own.
type Own struct{ Account, Canonical, Alias string }
