package app

import (
	"strings"
	"unicode"
)

// Plain is foreign text that cannot steer what shows it: names, tags and policies
// come from whoever may write them. Line breaks and tabs become spaces; other
// control characters, characters without a width, invalid UTF-8 and marks that turn
// the direction of the text become U+FFFD.
func Plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case Steers(r):
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(s, string(unicode.ReplacementChar)))
}

// PlainLines is Plain that keeps line breaks and tabs.
func PlainLines(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case Steers(r):
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(s, string(unicode.ReplacementChar)))
}

// Steers reports whether a rune is no text: a control character, a line separator,
// a mark of direction, a character that nobody sees, or no character at all.
func Steers(r rune) bool {
	switch {
	case unicode.IsControl(r), r == '\u2028', r == '\u2029', r == '\u200e', r == '\u200f', r == '\u061c', r == '\ufeff':
		return true
	case r >= '\u200b' && r <= '\u200d', r >= '\u2060' && r <= '\u2064', r == '\u00ad', r == '\u180e', r >= 0xe0000 && r <= 0xe007f:
		return true // nobody sees it
	case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r >= 0xfdd0 && r <= 0xfdef, r&0xfffe == 0xfffe:
		return true
	}
	return false
}
