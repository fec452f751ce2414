package policy

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds nesting. A policy needs seven levels; without a bound a
// megabyte of brackets would be a megabyte of stack frames.
const maxDepth = 32

// scanner reads JSON (RFC 8259) into nodes. It is stricter than encoding/json:
// duplicate keys, invalid UTF-8 and lone surrogates are errors, because two
// readers of such a document may disagree about what it says.
type scanner struct {
	text  string
	pos   int
	spare []node // for nodes to come: a long list is cheaper in few pieces

	faults []*Error // keys that are there twice
}

// scan reads a text. Keys that are there twice are faults; anything else that is
// no JSON ends it with an error.
func scan(text string) (*node, []*Error, error) {
	s := &scanner{text: text, spare: make([]node, 0, min(maxRoom, strings.Count(text, `"`)/2+1))} // most nodes have quotes
	s.space()
	n, err := s.value(1)
	s.space()
	if err == nil && s.pos < len(text) {
		err = s.fail("text after the document")
	}
	return n, s.faults, err
}

// maxRoom is how many nodes are made at once.
const maxRoom = 64

// node gives a node a place.
func (s *scanner) node(n node) *node {
	if len(s.spare) == cap(s.spare) {
		s.spare = make([]node, 0, min(maxRoom, 2*cap(s.spare)+4))
	}
	s.spare = append(s.spare, n)
	return &s.spare[len(s.spare)-1]
}

func (s *scanner) fail(format string, args ...any) error {
	return fault(s.text, s.pos, ReasonSyntax, format, args...)
}

func (s *scanner) space() {
	for s.pos < len(s.text) && isSpace(s.text[s.pos]) {
		s.pos++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// peek returns the next byte, or zero at the end of the text.
func (s *scanner) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

func (s *scanner) value(depth int) (*node, error) {
	if depth > maxDepth {
		return nil, s.fail("nested more than %d levels deep", maxDepth)
	}
	switch c := s.peek(); {
	case c == '{':
		return s.object(depth)
	case c == '[':
		return s.array(depth)
	case c == '"':
		start := s.pos
		str, err := s.str()
		return s.node(node{kind: nodeString, start: start, end: s.pos, str: str}), err
	case c == '-' || isDigit(c):
		return s.number()
	default:
		return s.word()
	}
}

func (s *scanner) object(depth int) (*node, error) {
	n := &node{kind: nodeObject, start: s.pos}
	seen := map[string]int{}
	for {
		s.pos++ // the brace or the comma
		s.space()
		if len(n.members) == 0 && s.peek() == '}' {
			break
		}
		m := member{keyStart: s.pos}
		if s.peek() != '"' {
			return nil, s.fail("expected a key in quotes")
		}
		var err error
		if m.key, err = s.str(); err != nil {
			return nil, err
		}
		if first, dup := seen[m.key]; dup {
			e := fault(s.text, m.keyStart, ReasonSyntax, "duplicate key %q", m.key)
			at := position(s.text, first)
			e.First = &at
			s.faults = append(s.faults, e)
		} else {
			seen[m.key] = m.keyStart
		}
		s.space()
		if s.peek() != ':' {
			return nil, s.fail("expected a colon after key %q", m.key)
		}
		s.pos++
		s.space()
		if m.value, err = s.value(depth + 1); err != nil {
			return nil, err
		}
		n.members = append(n.members, m)
		s.space()
		if s.peek() != ',' {
			break
		}
	}
	return s.closing(n, '}')
}

func (s *scanner) array(depth int) (*node, error) {
	n := &node{kind: nodeArray, start: s.pos}
	for {
		s.pos++ // the bracket or the comma
		s.space()
		if len(n.items) == 0 && s.peek() == ']' {
			break
		}
		item, err := s.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.items = append(n.items, item)
		s.space()
		if s.peek() != ',' {
			break
		}
	}
	return s.closing(n, ']')
}

func (s *scanner) closing(n *node, c byte) (*node, error) {
	if s.peek() != c {
		return nil, s.fail("expected a comma or %q", string(c))
	}
	s.pos++
	n.end = s.pos
	return n, nil
}

func (s *scanner) word() (*node, error) {
	for _, w := range [...]struct {
		text string
		kind nodeKind
	}{{"true", nodeBool}, {"false", nodeBool}, {"null", nodeNull}} {
		if strings.HasPrefix(s.text[s.pos:], w.text) {
			n := &node{kind: w.kind, start: s.pos, end: s.pos + len(w.text), str: w.text}
			s.pos = n.end
			return n, nil
		}
	}
	return nil, s.fail("expected a JSON value")
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func (s *scanner) number() (*node, error) {
	n := &node{kind: nodeNumber, start: s.pos}
	if s.peek() == '-' {
		s.pos++
	}
	lead := s.pos
	if !s.digits() || s.text[lead] == '0' && s.pos > lead+1 {
		return nil, s.fail("malformed number")
	}
	if s.peek() == '.' {
		s.pos++
		if !s.digits() {
			return nil, s.fail("malformed number")
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		if !s.digits() {
			return nil, s.fail("malformed number")
		}
	}
	n.end = s.pos
	n.str = s.text[n.start:n.end]
	return n, nil
}

// digits skips digits and reports whether there was one.
func (s *scanner) digits() bool {
	start := s.pos
	for isDigit(s.peek()) {
		s.pos++
	}
	return s.pos > start
}

// str reads a string in quotes and returns what it means. A string without
// escapes is a piece of the text, not a copy.
func (s *scanner) str() (string, error) {
	s.pos++
	start := s.pos
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case c == '"':
			s.pos++
			return s.text[start : s.pos-1], nil
		case c == '\\':
			return s.escaped(start)
		case c < 0x20:
			return "", s.fail("control character in a string")
		case c < utf8.RuneSelf:
			s.pos++
		default:
			if err := s.character(); err != nil {
				return "", err
			}
		}
	}
	return "", s.fail("string without end")
}

// character skips one character beyond ASCII.
func (s *scanner) character() error {
	r, n := utf8.DecodeRuneInString(s.text[s.pos:])
	if r == utf8.RuneError && n == 1 {
		return s.fail("invalid UTF-8")
	}
	s.pos += n
	return nil
}

func (s *scanner) escaped(start int) (string, error) {
	var b strings.Builder
	for from := start; s.pos < len(s.text); {
		switch c := s.text[s.pos]; {
		case c == '"':
			b.WriteString(s.text[from:s.pos])
			s.pos++
			return b.String(), nil
		case c == '\\':
			b.WriteString(s.text[from:s.pos])
			r, err := s.escape()
			if err != nil {
				return "", err
			}
			b.WriteRune(r)
			from = s.pos
		case c < 0x20:
			return "", s.fail("control character in a string")
		case c < utf8.RuneSelf:
			s.pos++
		default:
			if err := s.character(); err != nil {
				return "", err
			}
		}
	}
	return "", s.fail("string without end")
}

// escape reads one backslash escape.
func (s *scanner) escape() (rune, error) {
	const letters, meanings = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	if rest := s.text[s.pos+1:]; rest != "" {
		if i := strings.IndexByte(letters, rest[0]); i >= 0 {
			s.pos += 2
			return rune(meanings[i]), nil
		}
	}
	r, ok := s.unit(s.pos)
	if ok && utf16.IsSurrogate(r) {
		low, also := s.unit(s.pos + 6)
		if r = utf16.DecodeRune(r, low); !also || r == utf8.RuneError {
			return 0, s.fail("lone surrogate")
		}
		s.pos += 6
	}
	if !ok {
		return 0, s.fail("malformed escape")
	}
	s.pos += 6
	return r, nil
}

// unit reads the UTF-16 unit of a \uXXXX escape at an offset.
func (s *scanner) unit(at int) (rune, bool) {
	if at+6 > len(s.text) || s.text[at:at+2] != `\u` {
		return 0, false
	}
	v, err := strconv.ParseUint(s.text[at+2:at+6], 16, 16)
	return rune(v), err == nil
}
