package evaluate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Invisible reports whether a character cannot be seen or changes the order of
// what is seen: a reviewer would read another text than dera. Line breaks and tabs
// are seen.
func Invisible(c rune) bool {
	switch {
	case c == '\n' || c == '\r' || c == '\t':
		return false
	case unicode.In(c, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point):
		return true // zero-width, byte order mark, bidirectional overrides, tags …
	}
	return c == unicode.ReplacementChar || c == '\u2800' // a Braille pattern without dots
}

// invisibleText says which character it is.
func invisibleText(c rune) string {
	return fmt.Sprintf("the character U+%04X, which cannot be seen or changes the order of what is seen: remove it", c)
}

// blanks are words that stand where nobody wrote anything.
var blanks = []string{"n/a", "na", "none", "null", "nil", "tbd", "todo", "unknown", "nobody", "reason", "owner"}

// PlainText returns what is wrong with an owner or a reason that people are to
// read: nothing there, nothing that says anything, or something that is not seen.
func PlainText(s string) error {
	s = strings.TrimSpace(s)
	if s == "" {
		return errors.New("is missing")
	}
	if i := strings.IndexFunc(s, Invisible); i >= 0 {
		return errors.New("holds " + invisibleText([]rune(s[i:])[0]))
	}
	said := strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			return unicode.ToLower(c)
		}
		return -1
	}, s)
	if strings.Trim(said, string(append([]rune(said), ' ')[:1])) == "" || slices.Contains(blanks, strings.ToLower(s)) {
		return fmt.Errorf("%q says nothing: write it out", s)
	}
	return nil
}
