package lang

import (
	"slices"
	"strconv"
	"strings"
)

// Set is a union of globs or the complement of one.
type Set struct {
	texts   []string // the members given literally, in the order given
	globs   []*Glob  // all others
	index   *index   // of the members; nil while they are few
	outside bool     // the set is the complement of the union
	all     bool     // the union is every string
	vars    bool     // a glob has a variable
}

// Union returns the set of the members of any of the globs.
func Union(globs ...*Glob) *Set { return UnionOf(nil, globs...) }

// UnionOf returns the set of some texts and of the members of any of the globs.
// It takes the texts over, as they are much cheaper than a glob for each.
func UnionOf(texts []string, globs ...*Glob) *Set {
	s := &Set{texts: texts}
	for _, g := range globs {
		if g.exact {
			s.texts = append(s.texts, g.text)
			continue
		}
		s.globs = append(s.globs, g)
		s.all = s.all || g.IsUniversal()
		s.vars = s.vars || g.vars
	}
	if len(s.texts)+len(s.globs) > few {
		s.index = &index{}
	}
	return s
}

// Complement returns the set of the strings that are not in s.
func (s *Set) Complement() *Set {
	c := *s
	c.outside = !s.outside
	return &c
}

// Everything reports whether the set is certainly all strings.
func (s *Set) Everything() bool {
	if s.outside {
		return len(s.texts) == 0 && len(s.globs) == 0
	}
	return s.all
}

// Nothing reports whether the set is certainly without a member.
func (s *Set) Nothing() bool {
	if s.outside {
		return s.all
	}
	return len(s.texts) == 0 && len(s.globs) == 0
}

// HasVars reports whether the set depends on the value of a policy variable.
func (s *Set) HasVars() bool { return s.vars }

// Outside reports whether the set is a complement.
func (s *Set) Outside() bool { return s.outside }

// Texts returns the literal members of the union behind the set; the caller
// must not change them.
func (s *Set) Texts() []string { return s.texts }

// Globs returns the members of the union that are not literal; the caller must
// not change them.
func (s *Set) Globs() []*Glob { return s.globs }

// Contains reports whether text is in the set, for some value of the variables.
func (s *Set) Contains(text string) bool {
	yes, maybe := s.holds(text)
	if s.outside {
		return !yes
	}
	return yes || maybe
}

// Key returns a text that is equal for sets built of the same globs in any
// order; equal keys mean equal sets.
func (s *Set) Key() string {
	keys := make([]string, 0, len(s.texts)+len(s.globs))
	for _, t := range s.texts {
		keys = append(keys, "="+t)
	}
	for _, g := range s.globs {
		keys = append(keys, g.Key())
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	var b strings.Builder
	if s.outside {
		b.WriteString("!")
	}
	for _, k := range keys { // with its length, since a text may contain anything
		b.WriteString(strconv.Itoa(len(k)))
		b.WriteString(k)
	}
	return b.String()
}

// holds reports whether text is in the union: certainly, or for some value of
// the variables.
func (s *Set) holds(text string) (yes, maybe bool) {
	if s.all || s.hasText(text) {
		return true, false
	}
	headed, open := s.matching(text)
	for _, list := range [2][]*Glob{headed, open} {
		for _, g := range list {
			if !g.Match(text) {
				continue
			}
			if !g.vars {
				return true, false
			}
			maybe = true
		}
	}
	return false, maybe
}

func (s *Set) hasText(text string) bool {
	if s.index != nil {
		return s.index.hasText(s, text)
	}
	return slices.Contains(s.texts, text)
}

// Covers reports whether every member of g is certainly in the set.
func (s *Set) Covers(g *Glob) bool {
	if s = s.near(g); s.outside {
		return s.misses(g)
	}
	if g.exact {
		yes, _ := s.holds(g.text)
		return yes
	}
	return s.includes(g) || s.coversByGlob(g)
}

// includes reports whether g is one of the globs of the union, or a text of it.
func (s *Set) includes(g *Glob) bool {
	return g.exact && s.hasText(g.text) || slices.ContainsFunc(s.globs, g.same)
}

// coversByGlob reports whether one glob of the union covers g.
func (s *Set) coversByGlob(g *Glob) bool {
	return slices.ContainsFunc(s.globs, func(q *Glob) bool { return q.Covers(g) })
}

// Apart reports whether certainly no member of g is in the set.
func (s *Set) Apart(g *Glob) bool { return s.Complement().Covers(g) }

// misses reports whether certainly no member of g is in the union.
func (s *Set) misses(g *Glob) bool {
	if g.exact {
		yes, maybe := s.holds(g.text)
		return !yes && !maybe
	}
	for _, t := range s.texts {
		if g.Match(t) {
			return false
		}
	}
	for _, q := range s.globs {
		if !clash(q, g) {
			return false
		}
	}
	return true
}
