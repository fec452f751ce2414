package cloudtrail

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Tree is an object of a request or an answer. CloudTrail writes one API in
// several shapes: names begin in lower or in upper case, lists are arrays,
// {"items":[…]}, or an object where there is one member, texts are sometimes in
// an array of one.
type Tree map[string]any

// treeOf reads an object, also where it is wrapped in the name of its call.
func treeOf(raw json.RawMessage, wrapper string) Tree {
	var o Tree
	if json.Unmarshal(raw, &o) != nil {
		return nil
	}
	if inner, ok := o[wrapper].(map[string]any); ok {
		return inner
	}
	return o
}

// Get returns the member of the name, in any case.
func (t Tree) Get(name string) any {
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

// Text returns a member that is a text and nothing else, or "".
func (t Tree) Text(name string) string {
	s, _ := t.Get(name).(string)
	return s
}

// Value returns the first of the members that is a text, a number or a flag, alone
// or in a list.
func (t Tree) Value(names ...string) string {
	for _, n := range names {
		if s := valueOf(t.Get(n)); s != "" {
			return s
		}
	}
	return ""
}

func valueOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		if len(v) > 0 {
			return valueOf(v[0])
		}
	}
	return ""
}

// Flag reports whether a member is true, as a flag or as a text.
func (t Tree) Flag(name string) bool { return strings.EqualFold(t.Value(name), "true") }

// Number returns a member as a port, or -1.
func (t Tree) Number(name string) int32 {
	n, err := strconv.ParseInt(t.Value(name), 10, 32)
	if err != nil {
		return -1
	}
	return int32(n)
}

// Object returns a member that is an object.
func (t Tree) Object(name string) Tree {
	o, _ := t.Get(name).(map[string]any)
	return o
}

// List returns the members of a list, those that are objects.
func (t Tree) List(name string) []Tree {
	v := t.Get(name)
	if o, ok := v.(map[string]any); ok {
		if items, listed := o["items"]; listed {
			v = items
		} else if len(o) > 0 {
			return []Tree{o}
		}
	}
	items, _ := v.([]any)
	var out []Tree
	for _, item := range items {
		if o, ok := item.(map[string]any); ok {
			out = append(out, o)
		}
	}
	return out
}

// Texts returns a list of texts; "content" is how the wrapped shape writes one.
func (t Tree) Texts(name, member string) []string {
	var out []string
	for _, o := range t.List(name) {
		if s := o.Value(member, "content"); s != "" {
			out = append(out, s)
		}
	}
	if s, ok := t.Get(name).(string); ok && s != "" {
		out = append(out, s)
	}
	if items, ok := t.Get(name).([]any); ok {
		for _, item := range items {
			if s, ok := item.(string); ok && s != "" {
				out = append(out, s)
			}
		}
	}
	return out
}
