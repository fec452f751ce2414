package lang

import (
	"slices"
	"strings"
	"sync"
)

// few is how many members of a union are searched one by one.
const few = 8

// index finds the few members of a large union that a text or a glob can meet.
// It goes by the head of a member: what stands before its first colon, such as
// the service of an action. Two members with different heads have nothing in
// common. Each half is made when it is first needed, by whoever needs it.
type index struct {
	exactly sync.Once
	exact   map[string]struct{} // the texts

	heads sync.Once
	texts map[string][]run   // the runs of texts with a head, in the order given
	globs map[string][]*Glob // by head
	open  []*Glob            // those of which the head is not given literally
}

// run is some of the texts of a union, from lo to before hi.
type run struct {
	lo, hi int
	sorted bool
}

// hasText reports whether one of the texts of the union is the given one.
func (x *index) hasText(s *Set, text string) bool {
	x.exactly.Do(func() {
		x.exact = make(map[string]struct{}, len(s.texts))
		for _, t := range s.texts {
			x.exact[t] = struct{}{}
		}
	})
	_, ok := x.exact[text]
	return ok
}

// byHead sorts the members of the union by their heads.
func (x *index) byHead(s *Set) {
	x.heads.Do(func() {
		x.texts, x.globs = map[string][]run{}, map[string][]*Glob{}
		for i := 0; i < len(s.texts); {
			h, ok := head(s.texts[i])
			r := run{lo: i, sorted: true}
			for i++; i < len(s.texts) && ok && hasHead(s.texts[i], h); i++ {
				r.sorted = r.sorted && s.texts[i-1] <= s.texts[i]
			}
			if r.hi = i; ok {
				x.texts[h] = append(x.texts[h], r)
			}
		}
		for _, g := range s.globs {
			if h, ok := head(g.prefix); ok {
				x.globs[h] = append(x.globs[h], g)
			} else {
				x.open = append(x.open, g)
			}
		}
	})
}

// head returns what stands before the first colon of a text.
func head(text string) (string, bool) {
	i := strings.IndexByte(text, ':')
	if i < 0 {
		return "", false
	}
	return text[:i], true
}

func hasHead(text, head string) bool {
	return len(text) > len(head) && text[len(head)] == ':' && text[:len(head)] == head
}

// beginning returns the texts of a run that may begin with a prefix.
func (r run) beginning(texts []string, prefix string) []string {
	part := texts[r.lo:r.hi:r.hi]
	if !r.sorted {
		return part
	}
	lo, _ := slices.BinarySearch(part, prefix)
	hi := lo
	for hi < len(part) && strings.HasPrefix(part[hi], prefix) {
		hi++
	}
	return part[lo:hi:hi]
}

// near returns the set without members of its union that certainly have nothing
// in common with g: for every question about the members of g it is the same.
func (s *Set) near(g *Glob) *Set {
	h, ok := head(g.prefix)
	if s.index == nil || g.exact || !ok {
		return s
	}
	s.index.byHead(s)
	out := &Set{outside: s.outside, all: s.all}
	for _, r := range s.index.texts[h] {
		if part := r.beginning(s.texts, g.prefix); out.texts == nil {
			out.texts = part
		} else {
			out.texts = append(out.texts, part...)
		}
	}
	out.globs = slices.Concat(s.index.globs[h], s.index.open)
	for _, q := range out.globs {
		out.vars = out.vars || q.vars
	}
	return out
}

// matching returns the globs of the union that may match a text.
func (s *Set) matching(text string) (headed, open []*Glob) {
	if s.index == nil {
		return nil, s.globs
	}
	s.index.byHead(s)
	if h, ok := head(text); ok {
		headed = s.index.globs[h]
	}
	return headed, s.index.open
}

// Meet returns what is in both the set and a union, and reports whether that
// can be written as a union without a search. Neither may have variables.
func (s *Set) Meet(o *Set) (*Set, bool) {
	if s.vars || o.vars || o.outside {
		return nil, false
	}
	if s.Everything() {
		return o, true
	}
	var texts []string
	var globs []*Glob
	for _, t := range o.texts {
		if s.Contains(t) {
			texts = append(texts, t)
		}
	}
	for _, g := range o.globs {
		n := s.near(g)
		switch {
		case n.Covers(g):
			globs = append(globs, g)
			continue
		case n.Apart(g):
			continue
		case n.outside:
			return nil, false
		}
		for _, t := range n.texts {
			if g.Match(t) {
				texts = append(texts, t)
			}
		}
		for _, q := range n.globs {
			switch {
			case g.Covers(q):
				globs = append(globs, q)
			case !clash(q, g):
				return nil, false
			}
		}
	}
	return UnionOf(texts, globs...), true
}
