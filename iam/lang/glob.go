package lang

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// elem is one position of a glob that consumes exactly one letter.
type elem struct {
	kind elemKind
	r    rune // the letter of litElem, foldElem and asciiElem, the variable of varElem
}

type elemKind uint8

const (
	litElem    elemKind = iota // one given character
	foldElem                   // one given character in any case
	asciiElem                  // one given letter of ASCII, large or small
	anyElem                    // any character: ?
	anySegElem                 // any character but a colon: ? inside an ARN segment
	varElem                    // the value of a policy variable
	endElem                    // behind the last element of a glob inside a machine
)

// loop says which letters a position may skip over, that is, which kind of
// star stands before the element at that position.
type loop uint8

const (
	noLoop   loop = iota
	segLoop       // a star that does not cross a colon
	fullLoop      // a star that crosses everything
)

// varBase is the first letter that stands for a policy variable. It lies
// beyond Unicode, so no text can contain it.
const varBase = unicode.MaxRune + 1

// Glob is a compiled pattern. Build one with a [Builder], [Exact] or [Universal].
//
// The representation has no separate token for a star: loops[i] tells what may
// be skipped before elems[i], and loops[len(elems)] what may follow the last
// element. A set of positions is therefore a complete automaton state.
//
// A glob with one member is most often only compared: it has no elements until
// [Glob.parts] makes them.
type Glob struct {
	elems  []elem
	loops  []loop // len(elems)+1
	text   string // the only member when exact
	prefix string // every member starts with it
	suffix string // every member ends with it
	exact  bool   // one member, text
	segs   bool   // has an element or a loop that distinguishes the colon
	vars   bool   // has a varElem
	loose  *Glob  // when vars: the same glob with each variable widened to a star
}

// Exact returns the glob whose only member is text.
func Exact(text string) *Glob {
	return &Glob{text: text, prefix: text, suffix: text, exact: true}
}

// Universal returns the glob that has every string as a member.
func Universal() *Glob {
	var b Builder
	b.Many()
	return b.Glob()
}

// Beginning returns the glob whose members are all strings that begin with text.
func Beginning(text string) *Glob {
	g := &Glob{elems: make([]elem, 0, len(text)), prefix: text}
	for _, r := range text {
		g.elems = append(g.elems, elem{litElem, r})
	}
	g.loops = make([]loop, len(g.elems)+1)
	g.loops[len(g.elems)] = fullLoop
	return g
}

// IsUniversal reports whether every string is a member.
func (g *Glob) IsUniversal() bool { return !g.exact && len(g.elems) == 0 && g.loops[0] == fullLoop }

// Key returns a text that two globs share exactly when they are built of the
// same parts; equal keys mean equal languages.
func (g *Glob) Key() string {
	var b strings.Builder
	g.appendKey(&b)
	return b.String()
}

// Around takes apart a glob that is one variable with text around it, and
// reports whether it is one.
func (g *Glob) Around() (before string, variable int, after string, ok bool) {
	at := slices.IndexFunc(g.elems, func(e elem) bool { return e.kind == varElem })
	if at < 0 || slices.ContainsFunc(g.loops, func(l loop) bool { return l != noLoop }) {
		return "", 0, "", false
	}
	for i, e := range g.elems {
		if i != at && e.kind != litElem {
			return "", 0, "", false
		}
	}
	return spell(g.elems[:at]), int(g.elems[at].r - varBase), spell(g.elems[at+1:]), true
}

// parts returns the elements and the loops.
func (g *Glob) parts() ([]elem, []loop) {
	if !g.exact {
		return g.elems, g.loops
	}
	elems := make([]elem, 0, len(g.text))
	for _, r := range g.text {
		elems = append(elems, elem{litElem, r})
	}
	return elems, make([]loop, len(elems)+1)
}

func (g *Glob) appendKey(b *strings.Builder) {
	if g.exact {
		b.WriteString("=")
		b.WriteString(g.text)
		return
	}
	b.WriteString("~")
	for i := 0; i <= len(g.elems); i++ {
		switch g.loops[i] {
		case noLoop:
		case segLoop:
			b.WriteString("\x01")
		case fullLoop:
			b.WriteString("\x02")
		}
		if i == len(g.elems) {
			return
		}
		switch e := g.elems[i]; e.kind {
		case litElem:
			if e.r < 0x20 {
				b.WriteString("\x07")
			}
			b.WriteRune(e.r)
		case foldElem:
			b.WriteString("\x03")
			b.WriteRune(e.r)
		case asciiElem:
			b.WriteString("\x08")
			b.WriteRune(e.r)
		case anyElem:
			b.WriteString("\x04")
		case anySegElem:
			b.WriteString("\x05")
		case varElem:
			b.WriteString("\x06")
			b.WriteRune(e.r - varBase + 0x20)
		case endElem:
		}
	}
}

// Builder assembles a [Glob] from left to right. The zero value is ready.
type Builder struct {
	elems []elem
	loops []loop
	cur   loop // the loop before the next element
}

// Lit appends text that matches itself.
func (b *Builder) Lit(text string) {
	for _, r := range text {
		b.add(elem{litElem, r})
	}
}

// Fold appends text that matches itself in any case.
func (b *Builder) Fold(text string) {
	for _, r := range text {
		if unicode.SimpleFold(r) == r {
			b.add(elem{litElem, r})
			continue
		}
		b.add(elem{foldElem, foldRune(r)})
	}
}

// FoldASCII appends text that matches itself in any case of the letters a to z.
func (b *Builder) FoldASCII(text string) {
	for _, r := range text {
		if 'a' <= r|0x20 && r|0x20 <= 'z' {
			b.add(elem{asciiElem, r | 0x20})
			continue
		}
		b.add(elem{litElem, r})
	}
}

// One appends a question mark.
func (b *Builder) One() { b.add(elem{kind: anyElem}) }

// OneInSegment appends a question mark that does not match a colon.
func (b *Builder) OneInSegment() { b.add(elem{kind: anySegElem}) }

// Many appends a star.
func (b *Builder) Many() { b.cur = fullLoop }

// ManyInSegment appends a star that does not cross a colon.
func (b *Builder) ManyInSegment() { b.cur = max(b.cur, segLoop) }

// Var appends the value of the policy variable with the given number. Equal
// numbers stand for equal values within one question.
func (b *Builder) Var(n int) { b.add(elem{varElem, varBase + rune(n)}) }

// add appends e. A star before a question mark of its own kind moves behind
// it, so that globs that differ only in that order become the same.
func (b *Builder) add(e elem) {
	if (e.kind == anyElem && b.cur == fullLoop) || (e.kind == anySegElem && b.cur == segLoop) {
		b.elems, b.loops = append(b.elems, e), append(b.loops, noLoop)
		return
	}
	b.elems, b.loops = append(b.elems, e), append(b.loops, b.cur)
	b.cur = noLoop
}

// Glob returns the pattern that was built. The builder must not be used afterwards.
func (b *Builder) Glob() *Glob {
	g := &Glob{elems: b.elems, loops: append(b.loops, b.cur), exact: b.cur == noLoop}
	for i, l := range g.loops {
		g.segs = g.segs || l == segLoop
		g.exact = g.exact && l == noLoop
		if i < len(g.elems) {
			k := g.elems[i].kind
			g.segs = g.segs || k == anySegElem
			g.vars = g.vars || k == varElem
			g.exact = g.exact && k == litElem
		}
	}
	if g.exact {
		return Exact(spell(g.elems))
	}
	g.prefix, g.suffix = g.literalPrefix(), g.literalSuffix()
	if g.vars {
		g.loose = g.widen()
	}
	return g
}

// widen replaces each variable by a star: a superset for every assignment.
func (g *Glob) widen() *Glob {
	var b Builder
	for i, e := range g.elems {
		b.cur = max(b.cur, g.loops[i])
		if e.kind == varElem {
			b.Many()
			continue
		}
		b.add(e)
	}
	b.cur = max(b.cur, g.loops[len(g.elems)])
	return b.Glob()
}

func (g *Glob) literalPrefix() string {
	n := 0
	for n < len(g.elems) && g.loops[n] == noLoop && g.elems[n].kind == litElem {
		n++
	}
	return spell(g.elems[:n])
}

func (g *Glob) literalSuffix() string {
	n := len(g.elems)
	for n > 0 && g.loops[n] == noLoop && g.elems[n-1].kind == litElem {
		n--
	}
	return spell(g.elems[n:])
}

func spell(elems []elem) string {
	var b strings.Builder
	b.Grow(len(elems))
	for _, e := range elems {
		b.WriteRune(e.r)
	}
	return b.String()
}

// foldRune returns the representative of the characters that equal r under
// Unicode simple case folding (the equality of strings.EqualFold).
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	if 'A' <= least && least <= 'Z' {
		return least + 'a' - 'A'
	}
	return least
}
