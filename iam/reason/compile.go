package reason

import (
	"fmt"
	"slices"
	"strings"

	"dera.example/dera/iam/lang"
	"dera.example/dera/iam/policy"
)

// Policies are documents that act together, such as everything that is
// attached to one principal. A request is allowed when some statement of some
// document allows it and none denies it.
type Policies []*policy.Document

// Ref names a statement.
type Ref struct {
	Document  int    `json:"document"`  // index in Policies
	Statement int    `json:"statement"` // index in the document
	Sid       string `json:"sid,omitempty"`
}

// statement is a conjunction of literals. One statement of a policy becomes
// several when an element of it has several alternatives.
type statement struct {
	*source
	lits []lit // all but the action
}

// maxAlternatives is how many alternatives one statement may have.
const maxAlternatives = 32

// compiler translates documents under one reading.
type compiler struct {
	t         *table
	reading   Reading
	arity     func(key string) Arity
	typeOf    func(key string) Type
	budget    *lang.Budget
	bound     map[string]*string // fixed values of keys that are used as variables; nil means absent
	variables bool               // of the current document
	principal bool               // some statement names a principal: a resource policy

	choices // where the reading made a difference
}

// declare settles what values each condition key may carry, before any
// condition is translated.
func (c *compiler) declare(p *prepared) {
	c.principal = p.principal
	for _, u := range p.keys {
		dim := &c.t.dims[c.t.dim(u.key)]
		switch c.arity(dim.key) {
		case Many:
			dim.many = true
		case One:
		case ArityUnknown:
			dim.many = u.set || c.reading.ManyValues
			dim.loose = !u.set
		}
		switch kind := c.typeOf(dim.key); {
		case kind == Boolean && u.boolean:
			dim.kind, dim.texts = kind, lang.Union(folded("true"), folded("false"))
		case kind == ARN && u.arn:
			dim.kind, dim.texts = kind, arns()
		case kind != Text && kind != Boolean && kind != ARN && u.ranged:
			dim.kind = kind
		}
	}
}

// statement translates one statement.
func (c *compiler) statement(src *source) []*statement {
	st := src.st
	elements := []alternatives{c.resources(st), c.principals(st)}
	for i := range st.Conditions {
		elements = append(elements, c.condition(&st.Conditions[i]))
	}
	product := alternatives{nil}
	for _, e := range elements {
		if len(e) == 0 {
			return nil // no alternative: the element never holds
		}
		var next alternatives
		for _, left := range product {
			for _, right := range e {
				next = append(next, append(slices.Clip(left), right...))
			}
		}
		if len(next) > maxAlternatives {
			next = alternatives{{c.t.opaque(principalDim, fmt.Sprint("statement ", src.ref, src.at))}}
		}
		product = next
	}
	out := make([]*statement, len(product))
	for i, lits := range product {
		slices.Sort(lits)
		out[i] = &statement{src, slices.Compact(lits)}
	}
	return out
}

// actionGlob compiles one action, or returns nil for one that matches nothing.
func actionGlob(action string) *lang.Glob {
	action = strings.ToLower(action)
	service, name, ok := strings.Cut(action, ":")
	switch {
	case action == "*" || action == "*:*":
		return lang.Universal()
	case !ok || service == "" || strings.ContainsAny(service, "*?"):
		return nil
	case !strings.ContainsAny(name, "*?"):
		return lang.Exact(action)
	}
	var b lang.Builder
	for _, p := range split(action, true, false) {
		switch p.kind {
		case oneAny:
			b.One()
		case manyAny:
			b.Many()
		case literal, reference:
			b.Lit(p.text)
		}
	}
	return b.Glob()
}

// resources translates Resource or NotResource. A statement with neither, in a
// trust policy, is about the one resource that it is attached to.
func (c *compiler) resources(st *policy.Statement) alternatives {
	list, not := st.Resources, false
	if st.NotResources != nil {
		list, not = st.NotResources, true
	}
	variables := func(r string) bool { return c.variables && strings.Contains(r, "${") }
	if list == nil || !not && slices.Contains(list, "*") && !slices.ContainsFunc(list, variables) {
		return alternatives{{}}
	}
	var values valueList
	for _, r := range list {
		c.resource(&values, r)
	}
	var out alternatives
	for _, l := range values.languages(c, resourceDim, not) {
		if not {
			l.lit |= outsideBit
		}
		out = append(out, append(l.needs, l.lit))
	}
	return out
}

// resource adds one resource under the reading of the question.
func (c *compiler) resource(to *valueList, r string) {
	parts := split(r, true, c.variables)
	if !strings.HasPrefix(r, "arn:") {
		to.add(c, parts, false, plain, 0)
		return
	}
	last := 0
	for _, p := range parts {
		last += p.colons()
	}
	if last < 5 && !c.principal {
		c.made.LiteralARNs = true
		if !c.reading.LiteralARNs {
			parts = append(parts, split(strings.Repeat(":*", 5-last), true, false)...)
			last = 5
		}
	}
	last = min(last, 5)
	colons, mode := 0, bySegment
	for _, p := range parts {
		if p.kind != literal && colons < last {
			c.made.PlainGlobs = true
			if c.reading.PlainGlobs {
				mode = plain
			}
		}
		colons += p.colons()
	}
	to.add(c, parts, false, mode, last)
}
