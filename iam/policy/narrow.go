package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// RemoveConditionValue drops a text value, as written, from the list of a key
// under an operator of a statement's Condition.
func RemoveConditionValue(statement int, operator, key, value string) Edit {
	return Edit{statement: statement, element: "Condition", kind: operator, key: key, value: value}
}

// Restricted returns the statement with one more condition: the key has the
// value. The operator is StringEquals, or StringLike where the statement has the
// key under that already; both must hold. A value with a wildcard is an error, as
// is a key that stands under both.
func (s Statement) Restricted(key, value string) (Statement, Condition, error) {
	for _, operator := range []string{"StringEquals", "StringLike"} {
		taken := slices.ContainsFunc(s.Conditions, func(c Condition) bool { return c.Operator == operator && strings.EqualFold(c.Key, key) })
		if !taken && !strings.ContainsAny(value, "*?$") {
			c := Condition{Operator: operator, Key: key, Values: []string{value}}
			s.Conditions = append(slices.Clone(s.Conditions), c)
			s.node = nil
			return s, c, nil
		}
	}
	return s, Condition{}, fmt.Errorf("no condition on %s can be added", key)
}

// Restrict adds a condition to a statement of a parsed document and leaves every
// other byte; d stays as it is. The error wraps ErrNotFound where there is no such
// statement.
func (d *Document) Restrict(statement int, c Condition) (*Document, error) {
	if d.root == nil || statement < 0 || statement >= len(d.Statements) {
		return nil, fmt.Errorf("restrict statement %d: %w", statement, ErrNotFound)
	}
	into := d.Statements[statement].node
	entry := quote(c.Key) + ": " + quoted(c.Values)
	for _, name := range []string{"Condition", c.Operator} {
		inner := into.find(name)
		if inner == nil {
			if entry = quote(name) + ": {" + entry + "}"; name == "Condition" {
				entry = quote(name) + ": {" + quote(c.Operator) + ": {" + quote(c.Key) + ": " + quoted(c.Values) + "}}"
			}
			break
		}
		into = inner
	}
	if !strings.Contains(d.text, `": `) {
		entry = strings.ReplaceAll(entry, `": `, `":`)
	}
	at, lead := into.start+1, ""
	if n := len(into.members); n > 0 {
		at, lead = into.members[n-1].value.end, ","
		if n > 1 {
			lead = d.text[into.members[n-2].value.end:into.members[n-1].keyStart]
		}
	}
	return Parse(d.text[:at] + lead + entry + d.text[at:])
}

// quoted writes values as a list element has them.
func quoted(values []string) string {
	var out []string
	for _, v := range values {
		out = append(out, quote(v))
	}
	if len(out) == 1 {
		return out[0]
	}
	return "[" + strings.Join(out, ",") + "]"
}

// Replace returns the document with other statements, JSON objects as written, in
// the places of some of its own; every other byte stays.
func (d *Document) Replace(with map[int]string) (*Document, error) {
	text := d.Text()
	parsed, err := Parse(text)
	if err != nil {
		return nil, err
	}
	for i := len(parsed.Statements) - 1; i >= 0; i-- {
		if st, ok := with[i]; ok {
			span := parsed.Statements[i].Span()
			text = text[:span.Start] + st + text[span.End:]
		}
	}
	return Parse(text)
}

// Line is the statement as one line of JSON, whatever it was read from.
func (s Statement) Line() (string, error) {
	s.node = nil
	text := (&Document{Version: Version2012, Statements: []Statement{s}}).Text()
	var one struct{ Statement []json.RawMessage }
	if err := json.Unmarshal([]byte(text), &one); err != nil {
		return "", fmt.Errorf("write statement: %w", err)
	}
	var b bytes.Buffer
	err := json.Compact(&b, one.Statement[0])
	return b.String(), err
}
