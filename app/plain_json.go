package app

import (
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// PlainJSON is a writer of JSON that a terminal can show: what steers it, and what
// nobody sees, is written as \uXXXX, which means the same. Each write must be whole
// characters, as those of an encoder are.
func PlainJSON(w io.Writer) io.Writer { return plainJSON{w} }

type plainJSON struct{ to io.Writer }

// Write implements io.Writer.
func (w plainJSON) Write(p []byte) (int, error) {
	done := 0 // what is written of p
	for i, size := 0, 0; i < len(p); i += size {
		var r rune
		if r, size = rune(p[i]), 1; r < 0x7f {
			continue // the encoder has escaped what is lower than a space
		}
		if r, size = utf8.DecodeRune(p[i:]); !Steers(r) {
			continue
		}
		escape := fmt.Sprintf(`\u%04x`, r)
		if r > 0xffff {
			high, low := utf16.EncodeRune(r)
			escape = fmt.Sprintf(`\u%04x\u%04x`, high, low)
		}
		for _, part := range [][]byte{p[done:i], []byte(escape)} {
			if _, err := w.to.Write(part); err != nil {
				return 0, err
			}
		}
		done = i + size
	}
	if _, err := w.to.Write(p[done:]); err != nil {
		return 0, err
	}
	return len(p), nil
}
