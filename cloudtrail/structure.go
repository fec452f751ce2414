package cloudtrail

import (
	"encoding/json"
	"errors"
	"strings"
)

var errStructure = errors.New("not a structure")

// structure reads what Lake and Athena write for a structure, a list and a map in
// one column: {a=1, b={c=x}}, [{a=1}], or JSON.
func structure(text string) (any, error) {
	var v any
	if json.Unmarshal([]byte(text), &v) == nil {
		return v, nil
	}
	v, rest, err := structureAt(text, 0)
	if err == nil && rest != "" {
		err = errStructure
	}
	return v, err
}

func structureAt(text string, depth int) (any, string, error) {
	if depth > 8 || text == "" {
		return nil, "", errStructure
	}
	if end, err := valueEnd([]byte(text), 0); err == nil && strings.ContainsRune(`{["`, rune(text[0])) && json.Valid([]byte(text[:end])) {
		var v any
		err := json.Unmarshal([]byte(text[:end]), &v)
		return v, text[end:], err
	}
	switch text[0] {
	case '{':
		return membersAt(text[1:], depth)
	case '[':
		list, rest := []any{}, text[1:]
		for !strings.HasPrefix(rest, "]") {
			v, after, err := structureAt(rest, depth+1)
			if err != nil {
				return nil, "", err
			}
			list, rest = append(list, v), strings.TrimPrefix(after, ", ")
			if rest == after && !strings.HasPrefix(rest, "]") {
				return nil, "", errStructure
			}
		}
		return list, rest[1:], nil
	}
	end := scalarEnd(text)
	if v := text[:end]; v != "null" {
		return v, text[end:], nil
	}
	return nil, text[end:], nil
}

// membersAt reads name=value, … up to the closing brace.
func membersAt(rest string, depth int) (any, string, error) {
	out := map[string]any{}
	for !strings.HasPrefix(rest, "}") {
		name, after, ok := strings.Cut(rest, "=")
		if !ok || !isName(name) {
			return nil, "", errStructure
		}
		if _, again := out[name]; again {
			return nil, "", errStructure // a value that looks like a member
		}
		var v any
		var err error
		if v, rest, err = structureAt(after, depth+1); err != nil {
			if after != "" && (after[0] == ',' || after[0] == '}') {
				v, rest, err = "", after, nil
			} else {
				return nil, "", err
			}
		}
		if v != nil {
			out[name] = v
		}
		if after, ok := strings.CutPrefix(rest, ", "); ok {
			rest = after
		} else if !strings.HasPrefix(rest, "}") {
			return nil, "", errStructure
		}
	}
	return out, rest[1:], nil
}

// scalarEnd is where a text ends: before a closing brace or bracket, or before the
// next member.
func scalarEnd(text string) int {
	for i := range len(text) {
		switch text[i] {
		case '}', ']':
			return i
		case ',':
			if name, _, ok := strings.Cut(strings.TrimPrefix(text[i:], ", "), "="); ok && text[i:] != name && isName(name) || strings.HasPrefix(text[i:], ", {") {
				return i
			}
		}
	}
	return len(text)
}

func isName(s string) bool {
	return s != "" && len(s) < 128 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
	})
}
