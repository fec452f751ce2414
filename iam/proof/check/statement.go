package check

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"dera.example/dera/iam/policy"
)

// statement is a statement, prepared.
type statement struct {
	*policy.Statement
	variables bool
	actions   actions
	rest      string          // everything but effect, Sid and actions: equal texts mean the same
	needs     map[string]bool // the variables that must have a value
}

// policies is a set of documents that act together.
type policies struct{ allow, deny []*statement }

func newPolicies(docs []*policy.Document) *policies {
	p := &policies{}
	for _, d := range docs {
		for i := range d.Statements {
			st := &d.Statements[i]
			if len(st.Actions)+len(st.NotActions) == 0 || (st.Resources != nil || st.NotResources != nil) && len(st.Resources)+len(st.NotResources) == 0 {
				continue // "When the element is empty, the policy statement provides no permissions."
			}
			s := newStatement(st, d.Variables())
			switch s.Effect {
			case policy.Allow:
				p.allow = append(p.allow, s)
			case policy.Deny:
				p.deny = append(p.deny, s)
			case policy.NoEffect:
			}
		}
	}
	return p
}

// and returns the policies together with others.
func (p *policies) and(o *policies) *policies {
	return &policies{slices.Concat(p.allow, o.allow), slices.Concat(p.deny, o.deny)}
}

func newStatement(st *policy.Statement, variables bool) *statement {
	s := &statement{Statement: st, variables: variables, actions: newActions(st.Actions, false)}
	if st.NotActions != nil {
		s.actions = newActions(st.NotActions, true)
	}
	var b strings.Builder
	word := func(parts ...string) {
		for _, p := range parts {
			b.WriteString(strconv.Itoa(len(p)) + ":" + p)
		}
		b.WriteByte('.')
	}
	if variables {
		b.WriteByte('v')
	}
	// Every text stands behind its length, so that no two lists look the same.
	for _, list := range [][]string{st.Resources, st.NotResources} {
		if list == nil {
			b.WriteByte('-')
		}
		word(list...)
		s.require(list)
	}
	for _, p := range []*policy.Principals{st.Principals, st.NotPrincipals} {
		if p == nil {
			b.WriteByte('-')
			continue
		}
		if p.Any {
			b.WriteByte('*')
		}
		for _, g := range p.Groups {
			word(append([]string{g.Kind}, g.Values...)...)
		}
		b.WriteByte('/')
	}
	for i := range st.Conditions {
		c := &st.Conditions[i]
		word(append([]string{c.Operator, strings.ToLower(c.Key)}, c.Values...)...)
		s.require(c.Values)
	}
	s.rest = b.String()
	return s
}

// require notes the variables of some values. One with a fallback counts too,
// which only makes the check stricter.
func (s *statement) require(values []string) {
	for _, v := range values {
		for s.variables {
			_, after, ok := strings.Cut(v, "${")
			if !ok {
				break
			}
			name, rest, _ := strings.Cut(after, "}")
			if s.needs == nil {
				s.needs = map[string]bool{}
			}
			s.needs[name] = true
			v = rest
		}
	}
}

// resolved reports whether the statement has no variables but those of others:
// then it is not void where they are not.
func (s *statement) resolved(others ...*statement) bool {
	for name := range s.needs {
		if !slices.ContainsFunc(others, func(o *statement) bool { return o.needs[name] }) {
			return false
		}
	}
	return true
}

// holdsFor reports whether the statement applies to everything that another one
// applies to, actions apart, narrowed to one of its resources.
func (s *statement) holdsFor(o *statement, resource string) bool {
	if s.rest == o.rest {
		return true
	}
	return s.resolved(o) && s.coversResource(o, resource) && s.coversPrincipals(o) && s.coversConditions(o)
}

// coversResource reports whether the resources of s include one of o.
func (s *statement) coversResource(o *statement, resource string) bool {
	switch {
	case slices.Equal(s.Resources, o.Resources) && slices.Equal(s.NotResources, o.NotResources) &&
		(s.variables == o.variables || !opaque(append(slices.Clone(s.Resources), s.NotResources...))):
		return true
	case s.NotResources == nil && slices.Contains(s.Resources, "*"):
		return true
	case resource == "" || o.NotResources != nil || s.Resources == nil && s.NotResources == nil:
		return false
	case s.NotResources != nil:
		return !slices.ContainsFunc(s.NotResources, func(r string) bool { return !resourceApart(resource, o, r, s) })
	}
	return slices.ContainsFunc(s.Resources, func(r string) bool { return resourceWithin(resource, o, r, s) })
}

func opaque(values []string) bool {
	return slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, "${") })
}

// resourceWithin compares two resources under every reading.
func resourceWithin(a string, of *statement, b string, in *statement) bool {
	if a == b && (of.variables == in.variables || !strings.Contains(a, "${")) {
		return true
	}
	return everyReading(a, of, b, in, glob.within)
}

func resourceApart(a string, of *statement, b string, in *statement) bool {
	return everyReading(a, of, b, in, glob.apart)
}

func everyReading(a string, of *statement, b string, in *statement, test func(g, h glob) bool) bool {
	if of.variables && strings.Contains(a, "${") || in.variables && strings.Contains(b, "${") {
		return false
	}
	for _, completed := range []bool{false, true} {
		for _, inPart := range []int{0, arnColons} {
			if !test(resourceGlob(a, completed, inPart), resourceGlob(b, completed, inPart)) {
				return false
			}
		}
	}
	return true
}

// arnColons is how many colons an ARN has at least.
const arnColons = 5

// resourceGlob reads a resource under one reading.
func resourceGlob(r string, completed bool, inPart int) glob {
	if !strings.HasPrefix(r, "arn:") {
		return newGlob(r, 0)
	}
	colons := strings.Count(r, ":")
	if completed && colons < arnColons {
		r += strings.Repeat(":*", arnColons-colons)
		colons = arnColons
	}
	return newGlob(r, min(inPart, colons))
}

// coversPrincipals reports whether s is about every caller that o is about.
func (s *statement) coversPrincipals(o *statement) bool {
	switch {
	case s.NotPrincipals != nil || o.NotPrincipals != nil:
		return reflect.DeepEqual(s.NotPrincipals, o.NotPrincipals)
	case s.Principals == nil:
		return o.Principals == nil
	case s.Principals.Everyone():
		return o.Principals != nil
	case o.Principals == nil || o.Principals.Everyone():
		return false
	}
	for _, g := range o.Principals.Groups {
		for _, v := range g.Values {
			if !slices.ContainsFunc(s.Principals.Groups, func(h policy.PrincipalGroup) bool { return within(g.Kind, v, h, s.Effect) }) {
				return false
			}
		}
	}
	return true
}

// coversConditions reports whether the conditions of o imply those of s.
func (s *statement) coversConditions(o *statement) bool {
	for i := range s.Conditions {
		want := &s.Conditions[i]
		if !slices.ContainsFunc(o.Conditions, func(have policy.Condition) bool {
			return implies(&have, o.variables, want, s.variables)
		}) {
			return false
		}
	}
	return true
}
