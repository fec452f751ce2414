package check

import (
	"slices"
	"strings"
)

// A glob is a list of symbols. What is left of a glob after a character is its
// derivative: a set of places in the list, because a star may or may not go on.
type glob []symbol

type symbol struct {
	kind symbolKind
	char rune
}

type symbolKind uint8

const (
	letter    symbolKind = iota
	one                  // any character
	oneInPart            // any character but the colon
	many                 // any text
	manyInPart
)

// other stands for every character that no glob of a question has.
const other = rune(-1)

// newGlob reads a pattern. Its wildcards stay within a part until inPart colons
// have passed.
func newGlob(pattern string, inPart int) glob {
	g := make(glob, 0, len(pattern))
	for _, c := range pattern {
		switch {
		case c == '*' && inPart > 0:
			g = append(g, symbol{kind: manyInPart})
		case c == '*':
			g = append(g, symbol{kind: many})
		case c == '?' && inPart > 0:
			g = append(g, symbol{kind: oneInPart})
		case c == '?':
			g = append(g, symbol{kind: one})
		default:
			g = append(g, symbol{letter, c})
			if c == ':' {
				inPart--
			}
		}
	}
	return g
}

// exactGlob takes a text to the letter.
func exactGlob(text string) glob {
	g := make(glob, 0, len(text))
	for _, c := range text {
		g = append(g, symbol{letter, c})
	}
	return g
}

// places is a set of places in a glob, sorted.
type places []int

// start returns the places where nothing has been read.
func (g glob) start() places { return g.closure(places{0}) }

// closure adds the places that a star lets pass.
func (g glob) closure(p places) places {
	for i := 0; i < len(p); i++ {
		if at := p[i]; at < len(g) && g[at].kind >= many && !slices.Contains(p, at+1) {
			p = append(p, at+1)
		}
	}
	slices.Sort(p)
	return p
}

// derive returns what is left after a character.
func (g glob) derive(p places, c rune) places {
	var next places
	add := func(at int) {
		if !slices.Contains(next, at) {
			next = append(next, at)
		}
	}
	for _, at := range p {
		if at == len(g) {
			continue
		}
		switch t := g[at]; t.kind {
		case letter:
			if t.char == c {
				add(at + 1)
			}
		case one:
			add(at + 1)
		case oneInPart:
			if c != ':' {
				add(at + 1)
			}
		case many:
			add(at)
		case manyInPart:
			if c != ':' {
				add(at)
			}
		}
	}
	return g.closure(next)
}

// ends reports whether the empty text is left.
func (g glob) ends(p places) bool { return slices.Contains(p, len(g)) }

// matches reports whether a text is in the language.
func (g glob) matches(text string) bool {
	p := g.start()
	for _, c := range text {
		if p = g.derive(p, c); len(p) == 0 {
			return false
		}
	}
	return g.ends(p)
}

// maxSteps bounds a comparison; what takes longer is not followed.
const maxSteps = 20_000

// alphabet returns the characters that make a difference.
func alphabet(globs ...glob) []rune {
	out := []rune{other, ':'}
	for _, g := range globs {
		for _, t := range g {
			if t.kind == letter {
				out = append(out, t.char)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// within reports whether everything that g matches, h matches. It may say no
// where that is not found out in time.
func (g glob) within(h glob) bool {
	return walk(g, h, func(p, q places) bool { return g.ends(p) && !h.ends(q) }, func(p, _ places) bool { return len(p) > 0 })
}

// apart reports whether no text matches both. It may say no where that is not
// found out in time.
func (g glob) apart(h glob) bool {
	return walk(g, h, func(p, q places) bool { return g.ends(p) && h.ends(q) },
		func(p, q places) bool { return len(p) > 0 && len(q) > 0 })
}

// walk derives both globs by all texts and reports whether none is bad. Only
// pairs that are live are derived.
func walk(g, h glob, bad, live func(p, q places) bool) bool {
	letters := alphabet(g, h)
	type pair struct{ p, q places }
	todo := []pair{{g.start(), h.start()}}
	seen := map[string]bool{}
	for steps := 0; len(todo) > 0; steps++ {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if bad(at.p, at.q) || steps > maxSteps {
			return false
		}
		for _, c := range letters {
			next := pair{g.derive(at.p, c), h.derive(at.q, c)}
			if !live(next.p, next.q) {
				continue
			}
			if k := key(next.p) + "|" + key(next.q); !seen[k] {
				seen[k] = true
				todo = append(todo, next)
			}
		}
	}
	return true
}

func key(p places) string {
	var b strings.Builder
	for _, at := range p {
		b.WriteByte(byte(at))
		b.WriteByte(byte(at >> 8))
	}
	return b.String()
}
