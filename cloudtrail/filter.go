package cloudtrail

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"dera.example/dera"
)

// Filter is an event pattern of EventBridge as somebody wrote it, with all content filters.
//
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
type Filter map[string]any

// ParseFilter reads a pattern.
func ParseFilter(text string) (Filter, error) {
	var f Filter
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		return nil, fmt.Errorf("read an event pattern: %w", err)
	}
	if f == nil {
		return nil, errors.New("read an event pattern: it is no object")
	}
	return f, nil
}

// Admits reports whether the pattern can let through an event of which something is known.
// Members that the event does not have are not known, and no reason against it; one that is nil
// is known not to be there. A text of the
// event is a glob in which * is what is not known; a list of texts is one of them; a member
// that is an object stands for an object, or one of a list. In doubt the answer is yes: case
// does not count but in what a pattern leaves out, and an unknown filter lets through.
func (f Filter) Admits(event map[string]any) bool {
	for name, want := range f {
		if name == "$or" {
			if !anyAdmits(want, event) {
				return false
			}
			continue
		}
		have, known := event[name]
		if !known {
			continue
		}
		if have == nil {
			if !withoutIt(want) {
				return false
			}
			continue
		}
		switch want := want.(type) {
		case map[string]any:
			if inner, ok := have.(map[string]any); ok && !Filter(want).Admits(inner) {
				return false
			}
		case []any:
			if !fitsOne(want, have) {
				return false
			}
		}
	}
	return true
}

// withoutIt reports whether a member may be missing.
func withoutIt(want any) bool {
	switch want := want.(type) {
	case map[string]any:
		for _, inner := range want {
			if !withoutIt(inner) {
				return false
			}
		}
	case []any:
		for _, m := range want {
			if f, ok := m.(map[string]any); ok && f["exists"] == false {
				return true
			}
		}
		return false
	}
	return true
}

func anyAdmits(alternatives any, event map[string]any) bool {
	list, ok := alternatives.([]any)
	if !ok {
		return true
	}
	for _, a := range list {
		if inner, ok := a.(map[string]any); !ok || Filter(inner).Admits(event) {
			return true
		}
	}
	return false
}

// fitsOne reports whether one of the matchers fits one of the values.
func fitsOne(matchers []any, have any) bool {
	values := []string{}
	switch have := have.(type) {
	case string:
		values = append(values, have)
	case []string:
		values = have
	case float64:
		for _, m := range matchers {
			if n, number := m.(float64); !number || n == have {
				return true // a filter on a number is not looked into
			}
		}
		return false
	default:
		return true // an object against a list: nothing is known
	}
	for _, m := range matchers {
		for _, v := range values {
			if fitsText(m, v) {
				return true
			}
		}
	}
	return false
}

// fitsText reports whether a matcher can fit a text of which * is not known.
func fitsText(matcher any, glob string) bool {
	switch m := matcher.(type) {
	case string:
		return foldGlob(glob, m)
	case map[string]any:
		for name, of := range m { // there is one
			return fitsFilter(name, of, glob)
		}
	}
	return false // null, a number or a flag
}

func fitsFilter(name string, of any, glob string) bool {
	known, rest, open := strings.Cut(strings.ToLower(glob), "*")
	tail := known
	if open {
		tail = rest[strings.LastIndex(rest, "*")+1:]
	}
	switch text := strings.ToLower(textOf(of)); name {
	case "prefix":
		return strings.HasPrefix(known, text) || open && strings.HasPrefix(text, known)
	case "suffix":
		return strings.HasSuffix(tail, text) || open && strings.HasSuffix(text, tail)
	case "equals-ignore-case":
		return foldGlob(glob, text)
	case "wildcard":
		return open || dera.MatchGlob(text, strings.ToLower(glob))
	case "anything-but":
		return open || !leftOut(of, glob)
	case "exists":
		there, ok := of.(bool)
		return there || !ok
	}
	return true
}

// leftOut reports whether anything-but leaves the text out.
func leftOut(of any, text string) bool {
	switch of := of.(type) {
	case string:
		return of == text
	case []any:
		for _, x := range of {
			if leftOut(x, text) {
				return true
			}
		}
	case map[string]any:
		for name, x := range of { // there is one
			list, ok := x.([]any)
			if !ok {
				list = []any{x}
			}
			for _, each := range list {
				s := textOf(each)
				switch name {
				case "prefix":
					ok = strings.HasPrefix(text, s)
				case "suffix":
					ok = strings.HasSuffix(text, s)
				case "wildcard":
					ok = dera.MatchGlob(s, text)
				case "equals-ignore-case":
					ok = strings.EqualFold(s, text)
				default:
					ok = false
				}
				if ok {
					return true
				}
			}
		}
	}
	return false
}

// textOf is the text of a filter, also where its case does not count.
func textOf(of any) string {
	switch of := of.(type) {
	case string:
		return of
	case map[string]any:
		s, _ := of["equals-ignore-case"].(string)
		return s
	}
	return ""
}

func foldGlob(glob, text string) bool {
	return dera.MatchGlob(strings.ToLower(glob), strings.ToLower(text))
}

// Named returns the texts that the pattern names for a member, by the path to it: those of
// literals, prefixes, suffixes and wildcards, in every alternative. A pattern that only leaves
// texts out names none.
func (f Filter) Named(path ...string) (out []string) {
	if list, ok := f["$or"].([]any); ok {
		for _, a := range list {
			if inner, ok := a.(map[string]any); ok {
				out = append(out, Filter(inner).Named(path...)...)
			}
		}
	}
	switch want := f[path[0]].(type) {
	case map[string]any:
		if len(path) > 1 {
			out = append(out, Filter(want).Named(path[1:]...)...)
		}
	case []any:
		for _, m := range want {
			if len(path) > 1 {
				continue
			}
			switch m := m.(type) {
			case string:
				out = append(out, m)
			case map[string]any:
				for _, name := range []string{"prefix", "suffix", "wildcard", "equals-ignore-case"} {
					if s := textOf(m[name]); strings.Trim(s, "*") != "" {
						out = append(out, s)
					}
				}
			}
		}
	}
	return out
}
