package reason

import (
	"slices"

	"dera.example/dera/iam/lang"
	"dera.example/dera/iam/policy"
)

// dropUnchanged takes from the allowing statements of fresh the actions that a
// statement of known with the same resources, principals and conditions allows
// too. Whatever these mean, what the one allows the other allows, unless a
// denial of known takes it back that fresh does not have as well. Most of a
// changed policy is as before, and is gone after this step without having been
// translated under any reading.
func (p *prepared) dropUnchanged() {
	var denials []*source // of known, without a twin in fresh
	for _, d := range p.knownSources {
		if d.st.Effect == policy.Deny && !slices.ContainsFunc(p.freshSources, d.twin) {
			denials = append(denials, d)
		}
	}
	p.freshSources = slices.DeleteFunc(p.freshSources, func(s *source) bool {
		if s.at >= 0 {
			return false
		}
		for _, k := range p.knownSources {
			if k.st.Effect != policy.Allow || !s.sameBut(k) {
				continue
			}
			if len(denials) == 0 && s.twin(k) {
				return true
			}
			if len(denials) == 0 && k.action().Everything() {
				return true
			}
			s.acts = without(s.action(), k.action(), denials)
		}
		return s.action().Nothing()
	})
}

// twin reports whether two statements are the same.
func (s *source) twin(o *source) bool {
	return s.st.Effect == o.st.Effect && slices.Equal(s.st.Actions, o.st.Actions) &&
		slices.Equal(s.st.NotActions, o.st.NotActions) && s.sameBut(o)
}

// sameBut reports whether two statements are the same but for effect and
// actions.
func (s *source) sameBut(o *source) bool {
	a, b := s.st, o.st
	return s.variables == o.variables && slices.Equal(a.Resources, b.Resources) &&
		slices.Equal(a.NotResources, b.NotResources) &&
		slices.EqualFunc(a.Conditions, b.Conditions, func(c, d policy.Condition) bool {
			return c.Operator == d.Operator && c.Key == d.Key && slices.Equal(c.Values, d.Values)
		}) &&
		samePrincipals(a.Principals, b.Principals) && samePrincipals(a.NotPrincipals, b.NotPrincipals)
}

func samePrincipals(a, b *policy.Principals) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Any == b.Any && slices.EqualFunc(a.Groups, b.Groups, func(g, h policy.PrincipalGroup) bool {
		return g.Kind == h.Kind && slices.Equal(g.Values, h.Values)
	})
}

// without returns the actions of a that b does not plainly contain, or that a
// denial may take back.
func without(a, b *lang.Set, denials []*source) *lang.Set {
	denied := func(g *lang.Glob) bool {
		return slices.ContainsFunc(denials, func(d *source) bool { return !d.action().Apart(g) })
	}
	if a.Outside() {
		if len(denials) == 0 && b.Outside() && a.Key() == b.Key() {
			return lang.Union()
		}
		return a
	}
	var texts []string
	for _, t := range a.Texts() {
		if !b.Contains(t) || len(denials) > 0 && denied(lang.Exact(t)) {
			texts = append(texts, t)
		}
	}
	var globs []*lang.Glob
	for _, g := range a.Globs() {
		if !b.Covers(g) || denied(g) {
			globs = append(globs, g)
		}
	}
	return lang.UnionOf(texts, globs...)
}
