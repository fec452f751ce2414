package dera

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// CanonicalJSON returns v as JSON in the canonical form of RFC 8785 (JCS): no
// blanks, object members sorted by UTF-16 code units, shortest string escapes.
// Numbers must be integers within ±(2^53-1), since nothing that dera signs needs
// others; any other number is an error. Bytes of a string that are not UTF-8
// become U+FFFD, as encoding/json writes them, so that hostile text cannot keep
// a record from being made.
func CanonicalJSON(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("canonical JSON: %w", err)
	}
	c := canonizer{in: raw, out: make([]byte, 0, len(raw))}
	if err := c.value(); err != nil {
		return nil, fmt.Errorf("canonical JSON: %w", err)
	}
	return c.out, nil
}

// canonizer rewrites the text that json.Marshal made: valid, without blanks.
type canonizer struct{ in, out []byte }

func (c *canonizer) value() error {
	switch c.in[0] {
	case '{':
		return c.object()
	case '[':
		return c.array()
	case '"':
		text, err := c.text()
		c.out = appendString(c.out, text)
		return err
	case 't', 'f', 'n':
		c.out = append(c.out, c.word()...)
		return nil
	}
	word := c.word()
	n, err := strconv.ParseInt(string(word), 10, 64)
	if err != nil || n > 1<<53-1 || n < -(1<<53-1) {
		return fmt.Errorf("number %s is not an integer within 2^53", word)
	}
	c.out = strconv.AppendInt(c.out, n, 10)
	return nil
}

// word takes a number or a literal.
func (c *canonizer) word() []byte {
	n := bytes.IndexAny(c.in, ",]}")
	if n < 0 {
		n = len(c.in)
	}
	word := c.in[:n]
	c.in = c.in[n:]
	return word
}

// text takes a string and returns what it stands for.
func (c *canonizer) text() (string, error) {
	end, plain := 1, true
	for ; c.in[end] != '"'; end++ {
		if c.in[end] == '\\' {
			plain = false
			end++
		}
	}
	quoted := c.in[:end+1]
	c.in = c.in[end+1:]
	if plain && utf8.Valid(quoted) {
		return string(quoted[1:end]), nil
	}
	var text string
	err := json.Unmarshal(quoted, &text)
	return text, err
}

func (c *canonizer) array() error {
	for first := true; ; first = false {
		c.out = append(c.out, c.in[0]) // the bracket, or a comma
		c.in = c.in[1:]
		if first && c.in[0] == ']' {
			break
		}
		if err := c.value(); err != nil {
			return err
		}
		if c.in[0] == ']' {
			break
		}
	}
	c.out, c.in = append(c.out, ']'), c.in[1:]
	return nil
}

// member is a member of an object and where it stands in the output.
type member struct {
	key      string
	from, to int
}

func (c *canonizer) object() error {
	var room [16]member
	members := room[:0]
	begin := len(c.out)
	for first := true; ; first = false {
		c.out = append(c.out, c.in[0]) // the brace, or a comma
		c.in = c.in[1:]
		if first && c.in[0] == '}' {
			break
		}
		m := member{from: len(c.out)}
		var err error
		if m.key, err = c.text(); err != nil {
			return err
		}
		c.out, c.in = append(appendString(c.out, m.key), ':'), c.in[1:]
		if err := c.value(); err != nil {
			return err
		}
		m.to = len(c.out)
		members = append(members, m)
		if c.in[0] == '}' {
			break
		}
	}
	c.out, c.in = append(c.out, '}'), c.in[1:]
	c.arrange(begin, members)
	return nil
}

// arrange brings the members of the object at the end of the output in order;
// of several with one key the last stays, as in what encoding/json reads.
func (c *canonizer) arrange(begin int, members []member) {
	ordered := true
	for i := 1; i < len(members) && ordered; i++ {
		ordered = compareKeys(members[i-1].key, members[i].key) < 0
	}
	if ordered {
		return
	}
	slices.SortStableFunc(members, func(a, b member) int { return compareKeys(a.key, b.key) })
	old := bytes.Clone(c.out[begin:])
	c.out = append(c.out[:begin], '{')
	for i, m := range members {
		if i+1 < len(members) && members[i+1].key == m.key {
			continue
		}
		if len(c.out) > begin+1 {
			c.out = append(c.out, ',')
		}
		c.out = append(c.out, old[m.from-begin:m.to-begin]...)
	}
	c.out = append(c.out, '}')
}

// compareKeys orders by UTF-16 code units.
func compareKeys(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] >= utf8.RuneSelf || b[i] >= utf8.RuneSelf {
			return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
		}
		if a[i] != b[i] {
			return cmp.Compare(a[i], b[i])
		}
	}
	return strings.Compare(a, b)
}

// appendString appends text, which is UTF-8, with the shortest escapes.
func appendString(b []byte, text string) []byte {
	const hexDigits = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	for i := range len(text) {
		ch := text[i]
		if ch >= 0x20 && ch != '"' && ch != '\\' {
			continue
		}
		b = append(b, text[from:i]...)
		from = i + 1
		switch ch {
		case '"', '\\':
			b = append(b, '\\', ch)
		case '\b':
			b = append(b, '\\', 'b')
		case '\t':
			b = append(b, '\\', 't')
		case '\n':
			b = append(b, '\\', 'n')
		case '\f':
			b = append(b, '\\', 'f')
		case '\r':
			b = append(b, '\\', 'r')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[ch>>4], hexDigits[ch&15])
		}
	}
	return append(append(b, text[from:]...), '"')
}
