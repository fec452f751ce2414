package app

import (
	"bytes"
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
	var out bytes.Buffer
	for rest := p; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r < utf8.RuneSelf && r != 0x7f || !Steers(r): // the encoder has escaped what is lower than a space
			out.Write(rest[:size])
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
		rest = rest[size:]
	}
	if _, err := w.to.Write(out.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}
