package awssim

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// encoder appends one document: XML as EC2 and STS answer, or JSON as CloudTrail records the same answer (lists become
// {"items":[…]}, an empty list becomes {}). Writing an answer once for both keeps event and answer equal.
type encoder struct {
	buf     []byte
	json    bool
	wrapped bool // JSON in the newer of CloudTrail's two shapes: see ec2_trail.go
}

func (e *encoder) text(name, value string) {
	if e.json {
		e.name(name)
		e.quote(value)
		return
	}
	e.open(name)
	e.escape(value)
	e.shut(name)
}

// optional writes value unless it is empty.
func (e *encoder) optional(name, value string) {
	if value != "" {
		e.text(name, value)
	}
}

func (e *encoder) number(name string, value int) {
	if e.json {
		e.name(name)
		e.buf = strconv.AppendInt(e.buf, int64(value), 10)
		return
	}
	e.open(name)
	e.buf = strconv.AppendInt(e.buf, int64(value), 10)
	e.shut(name)
}

func (e *encoder) flag(name string, value bool) {
	if e.json {
		e.name(name)
		e.buf = strconv.AppendBool(e.buf, value)
		return
	}
	e.open(name)
	e.buf = strconv.AppendBool(e.buf, value)
	e.shut(name)
}

// begin opens an object; end closes it.
func (e *encoder) begin(name string) {
	if e.json {
		e.name(name)
		e.buf = append(e.buf, '{')
		return
	}
	e.open(name)
}

func (e *encoder) end(name string) {
	if e.json {
		e.buf = append(e.buf, '}')
		return
	}
	e.shut(name)
}

// beginList opens a list whose members stand between item and endItem; endList closes it.
func (e *encoder) beginList(name string) {
	e.begin(name)
	if e.json {
		e.buf = append(e.buf, `"items":[`...)
	}
}

func (e *encoder) endList(name string) {
	if e.json {
		const empty = `"items":[`
		if bytes.HasSuffix(e.buf, []byte(empty)) {
			e.buf = e.buf[:len(e.buf)-len(empty)]
		} else {
			e.buf = append(e.buf, ']')
		}
	}
	e.end(name)
}

func (e *encoder) item() {
	if e.json {
		e.comma()
		e.buf = append(e.buf, '{')
		return
	}
	e.open("item")
}

func (e *encoder) endItem() {
	e.end("item")
}

// raw writes a JSON value under name. It is for JSON documents only.
func (e *encoder) raw(name string, value []byte) {
	e.name(name)
	e.buf = append(e.buf, value...)
}

func (e *encoder) open(name string) {
	e.buf = append(e.buf, '<')
	e.buf = append(e.buf, name...)
	e.buf = append(e.buf, '>')
}

func (e *encoder) shut(name string) {
	e.buf = append(e.buf, '<', '/')
	e.buf = append(e.buf, name...)
	e.buf = append(e.buf, '>')
}

func (e *encoder) name(name string) {
	e.comma()
	e.quote(name)
	e.buf = append(e.buf, ':')
}

// comma separates from a preceding member, if there is one.
func (e *encoder) comma() {
	if n := len(e.buf); n > 0 && e.buf[n-1] != '{' && e.buf[n-1] != '[' {
		e.buf = append(e.buf, ',')
	}
}

func (e *encoder) quote(s string) {
	if !isPlain(s, '"', '\\', '"') {
		quoted, err := json.Marshal(s)
		if err != nil { // a string always marshals
			panic(err)
		}
		e.buf = append(e.buf, quoted...)
		return
	}
	e.buf = append(e.buf, '"')
	e.buf = append(e.buf, s...)
	e.buf = append(e.buf, '"')
}

// isPlain reports whether s is printable ASCII without the three characters.
func isPlain(s string, a, b, c byte) bool {
	for i := range len(s) {
		if x := s[i]; x < 0x20 || x >= utf8.RuneSelf || x == a || x == b || x == c {
			return false
		}
	}
	return true
}

// escape appends XML character data. Characters that XML cannot carry become U+FFFD, as encoding/xml does it.
func (e *encoder) escape(s string) {
	if isPlain(s, '&', '<', '>') {
		e.buf = append(e.buf, s...)
		return
	}
	for _, r := range s {
		switch {
		case r == '&':
			e.buf = append(e.buf, "&amp;"...)
		case r == '<':
			e.buf = append(e.buf, "&lt;"...)
		case r == '>':
			e.buf = append(e.buf, "&gt;"...)
		case r == '\r':
			e.buf = append(e.buf, "&#xD;"...)
		case r < 0x20 && r != '\t' && r != '\n', r == 0xFFFE, r == 0xFFFF:
			e.buf = append(e.buf, "\uFFFD"...)
		default:
			e.buf = utf8.AppendRune(e.buf, r)
		}
	}
}
