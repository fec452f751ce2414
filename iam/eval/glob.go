package eval

import (
	"strings"
	"unicode/utf8"
)

// A glob is a pattern that was taken apart once, so that matching only
// compares. Most patterns of real policies are exact or end in one "*": these
// need a single comparison.
type glob struct {
	kind   globKind
	text   string // of an exact pattern, or before the "*" of a prefix
	pieces []piece
}

type globKind uint8

const (
	globExact   globKind = iota
	globPrefix           // text*
	globAny              // *
	globGeneral          // everything else
)

// piece is one part of a pattern.
type piece struct {
	kind pieceKind
	text string // of literal text
	at   int    // of a variable: its place among the variables of the pattern
}

type pieceKind uint8

const (
	pieceText     pieceKind = iota
	pieceOne                // ?
	pieceMany               // *
	pieceVariable           // ${key}
)

// newGlob compiles pieces without variables.
func newGlob(pieces []piece) glob {
	switch {
	case len(pieces) == 0:
		return glob{kind: globExact}
	case len(pieces) == 1 && pieces[0].kind == pieceText:
		return glob{kind: globExact, text: pieces[0].text}
	case len(pieces) == 1 && pieces[0].kind == pieceMany:
		return glob{kind: globAny}
	case len(pieces) == 2 && pieces[0].kind == pieceText && pieces[1].kind == pieceMany:
		return glob{kind: globPrefix, text: pieces[0].text}
	default:
		return glob{kind: globGeneral, pieces: pieces}
	}
}

// match reports whether the whole of s matches. values are the values of the
// pattern's variables; wildcards in them stand for themselves.
func (g *glob) match(s string, values []string) bool {
	switch g.kind {
	case globExact:
		return s == g.text
	case globPrefix:
		return strings.HasPrefix(s, g.text)
	case globAny:
		return true
	case globGeneral:
	}
	return matchPieces(g.pieces, s, values, false)
}

// matchFold is match for patterns in lower case, regardless of the case of
// ASCII letters in s.
func (g *glob) matchFold(s string) bool {
	switch g.kind {
	case globExact:
		return len(s) == len(g.text) && hasPrefixFold(s, g.text)
	case globPrefix:
		return hasPrefixFold(s, g.text)
	case globAny:
		return true
	case globGeneral:
	}
	return matchPieces(g.pieces, s, nil, true)
}

// matchPieces matches from left to right and goes back to the latest "*" only:
// what an earlier one has found can never be worse than what it would find
// further right. So the time is at most len(pieces)·len(s).
func matchPieces(pieces []piece, s string, values []string, fold bool) bool {
	star, mark := -1, 0 // the latest "*" and where the text after it was tried
	for i, p := 0, 0; ; {
		if i == len(pieces) && p == len(s) {
			return true
		}
		if i < len(pieces) {
			if pieces[i].kind == pieceMany {
				if i == len(pieces)-1 {
					return true
				}
				star, mark = i, p
				i++
				continue
			}
			if n := pieces[i].length(s[p:], values, fold); n >= 0 {
				i++
				p += n
				continue
			}
		}
		if star < 0 || mark >= len(s) {
			return false
		}
		_, n := utf8.DecodeRuneInString(s[mark:])
		mark += n
		i, p = star+1, mark
	}
}

// length returns how many bytes a piece other than "*" takes at the start of
// s, or -1 if it does not match there.
func (c *piece) length(s string, values []string, fold bool) int {
	text := c.text
	switch c.kind {
	case pieceOne:
		if s == "" {
			return -1
		}
		_, n := utf8.DecodeRuneInString(s)
		return n
	case pieceVariable:
		text = values[c.at]
	case pieceText, pieceMany:
	}
	if fold && hasPrefixFold(s, text) || !fold && strings.HasPrefix(s, text) {
		return len(text)
	}
	return -1
}

// hasPrefixFold reports whether s starts with a text in lower case, regardless
// of the case of ASCII letters in s.
func hasPrefixFold(s, lower string) bool {
	if len(s) < len(lower) {
		return false
	}
	for i := range len(lower) {
		if toLower(s[i]) != lower[i] {
			return false
		}
	}
	return true
}

func toLower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
