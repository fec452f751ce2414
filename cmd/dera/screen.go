package main

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"dera.example/dera/app"
)

// screen is the one way to standard output and to standard error. Names, policies
// and reasons are other people's texts: a character that would steer a terminal is
// written as its escape, as in \x1b or \u202e, whoever prints it and wherever the
// stream ends. Only dera's own colours pass: they carry a seal that is drawn for
// each run, so that no text can hold one, and that is taken off here.
//
// In JSON, which has no such control character below U+0020 raw, an escape means the
// character: no value changes.
type screen struct {
	w    io.Writer
	seal string // digits and a semicolon

	mu   sync.Mutex
	rest []byte // the beginning of a character, the end of which is still to come
}

// newScreen puts a screen before w.
func newScreen(w io.Writer) *screen {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return &screen{w: w, seal: strconv.FormatUint(binary.BigEndian.Uint64(b[:]), 10) + ";"}
}

// behind is what w writes to.
func behind(w io.Writer) io.Writer {
	for {
		switch by := w.(type) {
		case *screen:
			w = by.w
		case *answerTo:
			w = by.to
		default:
			return w
		}
	}
}

// Write implements io.Writer.
func (s *screen) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := text
	if len(s.rest) > 0 {
		all = append(s.rest, text...)
		s.rest = nil
	}
	if cut := cutCharacter(all); cut > 0 {
		s.rest = bytes.Clone(all[len(all)-cut:])
		all = all[:len(all)-cut]
	}
	for len(all) > 0 { // an answer of megabytes is not copied as a whole
		part := all[:wholeLines(all)]
		all = all[len(part):]
		if !plainText(part) {
			shown := visible(string(part), s.seal)
			if s.seal != "" {
				shown = strings.ReplaceAll(shown, "\x1b["+s.seal, "\x1b[")
			}
			part = []byte(shown)
		}
		if _, err := s.w.Write(part); err != nil {
			return 0, err
		}
	}
	return len(text), nil
}

// mostLines is about how much of a text is looked at together, in bytes.
const mostLines = 64 << 10

// wholeLines is the length of the first lines of the text: a colour never goes over the end of one.
func wholeLines(text []byte) int {
	if len(text) > mostLines {
		if end := bytes.IndexByte(text[mostLines:], '\n'); end >= 0 {
			return mostLines + end + 1
		}
	}
	return len(text)
}

// end writes what is left of a character that was never completed.
func (s *screen) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = io.WriteString(s.w, visible(string(s.rest), "")) // a closed pipe ends the program
	s.rest = nil
}

// cutCharacter is how many bytes at the end are the beginning of a character, or of
// a line break of CSV.
func cutCharacter(text []byte) int {
	if bytes.HasSuffix(text, []byte("\r")) {
		return 1
	}
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if b := text[len(text)-n]; utf8.RuneStart(b) {
			if b >= utf8.RuneSelf && !utf8.FullRune(text[len(text)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}

// visible is the text with escapes for what steers a terminal, but line breaks,
// tabs and colours with the seal; an empty seal is none.
func visible(text, seal string) string {
	if plainText(text) {
		return text
	}
	var b strings.Builder
	for i, n := 0, 0; i < len(text); i += n {
		var r rune
		r, n = utf8.DecodeRuneInString(text[i:])
		switch own := ownColour(text[i:], seal); {
		case own > 0:
			n = own
			b.WriteString(text[i : i+n])
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case r == '\n', r == '\t', r > 0xffff, !app.Steers(r):
			b.WriteString(text[i : i+n])
		case r == '\r' && strings.HasPrefix(text[i+1:], "\n"):
			b.WriteByte('\r')
		case r == '\r':
			b.WriteString(`\r`)
		case r < ' ':
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// plainText reports whether the text is printable ASCII with line breaks and tabs.
func plainText[T ~string | ~[]byte](text T) bool {
	for i := range len(text) {
		if c := text[i]; c >= utf8.RuneSelf-1 || c < ' ' && c != '\n' && c != '\t' {
			return false
		}
	}
	return true
}

// ownColour is the length of the colour with the seal that the text begins with, or 0.
func ownColour(text, seal string) int {
	begin := "\x1b[" + seal
	if seal == "" || !strings.HasPrefix(text, begin) {
		return 0
	}
	for i := len(begin); i < len(text); i++ {
		switch c := text[i]; {
		case c == 'm':
			return i + 1
		case c != ';' && (c < '0' || c > '9'):
			return 0
		}
	}
	return 0
}
