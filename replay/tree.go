package replay

import (
	"encoding/json"
	"strconv"
	"strings"
)

// tree is an object of a request or an answer. CloudTrail writes one API in
// several shapes: names begin in lower or in upper case, lists are arrays,
// {"items":[…]}, or an object where there is one member, texts are sometimes in
// an array of one.
type tree map[string]any

// parameters reads an object, also where it is wrapped in the name of its call.
func parameters(raw json.RawMessage, wrapper string) tree {
	var o tree
	if json.Unmarshal(raw, &o) != nil {
		return nil
	}
	if inner, ok := o[wrapper].(map[string]any); ok {
		return inner
	}
	return o
}

// get returns the member of the name, in any case.
func (t tree) get(name string) any {
	if v, ok := t[name]; ok {
		return v
	}
	for n, v := range t {
		if strings.EqualFold(n, name) {
			return v
		}
	}
	return nil
}

// text returns the first of the members that is a text, a number or a flag.
func (t tree) text(names ...string) string {
	for _, n := range names {
		if s := textOf(t.get(n)); s != "" {
			return s
		}
	}
	return ""
}

func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		if len(v) > 0 {
			return textOf(v[0])
		}
	}
	return ""
}

// flag reports whether a member is true, as a flag or as a text.
func (t tree) flag(name string) bool { return strings.EqualFold(t.text(name), "true") }

// number returns a member as a port, or -1.
func (t tree) number(name string) int32 {
	n, err := strconv.ParseInt(t.text(name), 10, 32)
	if err != nil {
		return -1
	}
	return int32(n)
}

// object returns a member that is an object.
func (t tree) object(name string) tree {
	o, _ := t.get(name).(map[string]any)
	return o
}

// list returns the members of a list, those that are objects.
func (t tree) list(name string) []tree {
	v := t.get(name)
	if o, ok := v.(map[string]any); ok {
		if items, listed := o["items"]; listed {
			v = items
		} else if len(o) > 0 {
			return []tree{o}
		}
	}
	items, _ := v.([]any)
	var out []tree
	for _, item := range items {
		if o, ok := item.(map[string]any); ok {
			out = append(out, o)
		}
	}
	return out
}

// texts returns a list of texts; "content" is how the wrapped shape writes one.
func (t tree) texts(name, member string) []string {
	var out []string
	for _, o := range t.list(name) {
		if s := o.text(member, "content"); s != "" {
			out = append(out, s)
		}
	}
	if s, ok := t.get(name).(string); ok && s != "" {
		out = append(out, s)
	}
	if items, ok := t.get(name).([]any); ok {
		for _, item := range items {
			if s, ok := item.(string); ok && s != "" {
				out = append(out, s)
			}
		}
	}
	return out
}
