package lang

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Match reports whether s is a member. A glob with variables matches what it
// can match for some value of them.
func (g *Glob) Match(s string) bool {
	switch {
	case g.exact:
		return s == g.text
	case g.vars:
		return g.loose.Match(s)
	case !strings.HasPrefix(s, g.prefix) || !strings.HasSuffix(s, g.suffix):
		return false
	case g.segs:
		return g.matchStates(s)
	}
	return g.matchGreedy(s)
}

// matchGreedy gives each star as little as possible and goes back to the last
// star only; that is complete when every star may cross everything.
func (g *Glob) matchGreedy(s string) bool {
	pos, i, back, backPos := 0, 0, -1, 0
	for {
		if g.loops[i] != noLoop {
			back, backPos = i, pos
		}
		if pos == len(s) {
			return i == len(g.elems)
		}
		r, w := utf8.DecodeRuneInString(s[pos:])
		if i < len(g.elems) && g.elems[i].accepts(r) {
			i, pos = i+1, pos+w
			continue
		}
		if back < 0 {
			return false
		}
		_, w = utf8.DecodeRuneInString(s[backPos:])
		i, pos = back, backPos+w
	}
}

// matchStates follows all positions at once.
func (g *Glob) matchStates(s string) bool {
	cur, next := newBits(len(g.elems)+1), newBits(len(g.elems)+1)
	cur.set(0)
	for _, r := range s {
		if !stepAll(g.elems, g.loops, cur, next, elem{litElem, r}) {
			return false
		}
		cur, next = next, cur
	}
	return cur.has(len(g.elems))
}

// Covers reports whether every member of p is certainly a member of g,
// whatever values the variables have. It reads p's own elements and stars as
// letters, which is sound, and misses only inclusions that need a case split.
func (g *Glob) Covers(p *Glob) bool {
	switch {
	case g.exact:
		return p.exact && p.text == g.text
	case p.exact && !g.vars:
		return g.Match(p.text)
	case g.IsUniversal():
		return true
	case !strings.HasPrefix(p.prefix, g.prefix) || !strings.HasSuffix(p.suffix, g.suffix):
		return false
	}
	elems, loops := p.parts()
	if g.same(p) {
		return true
	}
	var spare [2][4]uint64
	cur, next := bitset(spare[0][:]), bitset(spare[1][:])
	if n := len(g.elems) + 1; n > 64*len(cur) {
		cur, next = newBits(n), newBits(n)
	} else {
		cur, next = cur[:(n+63)/64], next[:(n+63)/64]
	}
	cur.set(0)
	for i := 0; i <= len(elems); i++ {
		if loops[i] != noLoop && !g.keepLooping(cur, loops[i]) {
			return false
		}
		if i == len(elems) {
			break
		}
		if !stepAll(g.elems, g.loops, cur, next, elems[i]) {
			return false
		}
		cur, next = next, cur
	}
	return cur.has(len(g.elems))
}

// same reports whether two globs are built of the same parts.
func (g *Glob) same(o *Glob) bool {
	return g.exact == o.exact && g.text == o.text && slices.Equal(g.elems, o.elems) && slices.Equal(g.loops, o.loops)
}

// keepLooping keeps the positions that can absorb a star of the given kind.
func (g *Glob) keepLooping(s bitset, l loop) bool {
	alive := false
	s.each(func(i int) {
		if g.loops[i] >= l {
			alive = true
		} else {
			s.clear(i)
		}
	})
	return alive
}

// clash reports whether a and b certainly have no member in common.
func clash(a, b *Glob) bool {
	switch {
	case a.exact && !b.vars:
		return !b.Match(a.text)
	case b.exact && !a.vars:
		return !a.Match(b.text)
	}
	if n := min(len(a.prefix), len(b.prefix)); a.prefix[:n] != b.prefix[:n] {
		return true
	}
	n := min(len(a.suffix), len(b.suffix))
	return a.suffix[len(a.suffix)-n:] != b.suffix[len(b.suffix)-n:]
}

// accepts reports whether the element consumes the character r.
func (e elem) accepts(r rune) bool { return e.takes(elem{litElem, r}) }

// takes reports whether the element consumes everything that l stands for.
func (e elem) takes(l elem) bool {
	switch e.kind {
	case litElem:
		return l.kind == litElem && l.r == e.r
	case foldElem:
		return (l.kind == foldElem || l.kind == asciiElem) && l.r == e.r || l.kind == litElem && foldRune(l.r) == e.r
	case asciiElem:
		return l.kind == asciiElem && l.r == e.r || l.kind == litElem && l.r|0x20 == e.r
	case anyElem:
		return l.kind != varElem
	case anySegElem:
		return l.kind != varElem && l.kind != anyElem && l.r != ':'
	case varElem:
		return l.kind == varElem && l.r == e.r
	case endElem:
	}
	return false
}

// skips reports whether a star of this kind skips everything that l stands for.
func (l loop) skips(e elem) bool {
	switch l {
	case fullLoop:
		return true
	case segLoop:
		return e.kind != varElem && e.kind != anyElem && e.r != ':'
	case noLoop:
	}
	return false
}

// stepAll moves every position of cur over the letter into next and reports
// whether any position is left.
func stepAll(elems []elem, loops []loop, cur, next bitset, letter elem) bool {
	next.reset()
	alive := false
	cur.each(func(i int) {
		if loops[i].skips(letter) {
			next.set(i)
			alive = true
		}
		if i < len(elems) && elems[i].takes(letter) {
			next.set(i + 1)
			alive = true
		}
	})
	return alive
}

// variants returns the characters that a foldElem or an asciiElem accepts.
func (e elem) variants() []rune {
	if e.kind == asciiElem {
		return []rune{e.r, e.r &^ 0x20}
	}
	out := []rune{e.r}
	for f := unicode.SimpleFold(e.r); f != e.r; f = unicode.SimpleFold(f) {
		out = append(out, f)
	}
	return out
}
