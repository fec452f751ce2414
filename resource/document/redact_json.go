package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// JSON returns any JSON value with a stand-in for every value of a policy in it that
// can be secret, wherever the policy stands: as an object, as a text, or as a text in
// a text. A text that begins as JSON and cannot be read as a policy is hidden whole.
// The order of fields is lost.
func (r *Redactor) JSON(raw json.RawMessage) (json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("read the JSON to be shown: %w", err)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(r.value(v)); err != nil {
		return nil, fmt.Errorf("write the JSON to be shown: %w", err)
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

func (r *Redactor) value(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if policy, ok := r.object(v); ok {
			return policy
		}
		out := map[string]any{}
		for key, field := range v {
			out[key] = r.value(field)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, element := range v {
			out[i] = r.value(element)
		}
		return out
	case string:
		if text := strings.TrimLeft(v, " \t\r\n\ufeff\"["); strings.HasPrefix(text, "{") {
			return r.text(v)
		}
		if conditional(v) {
			return r.quoted(v)
		}
	}
	return v
}

// object is what a policy that stands as an object shows; false where it is none.
func (r *Redactor) object(v map[string]any) (any, bool) {
	found := false
	for key := range v {
		found = found || strings.EqualFold(key, "Statement") || strings.EqualFold(key, "Condition")
	}
	if !found {
		return nil, false
	}
	text, err := json.Marshal(v)
	if err != nil {
		return r.Text("{"), true
	}
	shown := r.Text(string(text))
	if json.Valid([]byte(shown)) {
		return json.RawMessage(shown), true
	}
	return shown, true
}

// text is a text that holds JSON: a policy, or the input of an operation with one in
// it.
func (r *Redactor) text(text string) string {
	shown := r.Text(text)
	if json.Valid([]byte(shown)) {
		return shown
	}
	var in map[string]any
	if json.Unmarshal([]byte(text), &in) != nil {
		return shown
	}
	if out, err := r.JSON([]byte(text)); err == nil {
		return string(out)
	}
	return shown
}

// conditional reports whether a text can hold a policy with conditions.
func conditional(text string) bool {
	return strings.Contains(text, "{") && strings.Contains(strings.ToLower(text), "condition")
}

// quoted is a text with policies in quotes, as the canonical form of a configuration
// has them. What else holds a policy is hidden whole.
func (r *Redactor) quoted(text string) string {
	var out, outside strings.Builder
	for rest := text; rest != ""; {
		plain, _, _ := strings.Cut(rest, `"`)
		out.WriteString(plain)
		outside.WriteString(plain)
		if rest = rest[len(plain):]; rest == "" {
			break
		}
		inner := rest[:1]
		if quote, err := strconv.QuotedPrefix(rest); err == nil {
			inner = quote
		}
		rest = rest[len(inner):]
		if held, err := strconv.Unquote(inner); err == nil && strings.Contains(held, "{") {
			inner = strconv.Quote(r.text(held))
		} else if err != nil {
			outside.WriteString(inner)
		}
		out.WriteString(inner)
	}
	if strings.Contains(outside.String(), "{") {
		return r.Text("{")
	}
	return out.String()
}
