package cloudtrail

import (
	"bytes"
	"encoding/json"
)

// eachMember calls f with the name and the raw value of every member of the
// JSON object in raw, in order and only at its first level: what stands deeper
// is skipped as a whole and can neither hide nor fake a member. Names arrive
// unescaped. It reports whether raw is one object from end to end.
//
// It finds the borders of values and does not judge what lies between them: for
// JSON that json.Valid accepts it is exact, for other text it may say true.
func eachMember(raw []byte, f func(name, value []byte)) bool {
	i := skipSpace(raw, 0)
	if i == len(raw) || raw[i] != '{' {
		return false
	}
	i = skipSpace(raw, i+1)
	if i < len(raw) && raw[i] == '}' {
		return skipSpace(raw, i+1) == len(raw)
	}
	for i < len(raw) && raw[i] == '"' {
		end := skipString(raw, i)
		if end < 0 {
			return false
		}
		name, ok := unescape(raw[i+1 : end-1])
		if i = skipSpace(raw, end); i == len(raw) || raw[i] != ':' || !ok {
			return false
		}
		start := skipSpace(raw, i+1)
		if end = skipValue(raw, start); end < 0 {
			return false
		}
		f(name, raw[start:end])
		if i = skipSpace(raw, end); i == len(raw) {
			return false
		}
		switch raw[i] {
		case '}':
			return skipSpace(raw, i+1) == len(raw)
		case ',':
			i = skipSpace(raw, i+1)
		default:
			return false
		}
	}
	return false
}

func skipSpace(raw []byte, i int) int {
	for i < len(raw) && (raw[i] == ' ' || raw[i] == '\n' || raw[i] == '\r' || raw[i] == '\t') {
		i++
	}
	return i
}

// skipString returns the index behind the string that begins at i, or -1.
func skipString(raw []byte, i int) int {
	for i++; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// skipValue returns the index behind the value that begins at i, or -1.
func skipValue(raw []byte, i int) int {
	depth := 0
	for i < len(raw) {
		switch raw[i] {
		case '"':
			if i = skipString(raw, i); i < 0 {
				return -1
			}
		case '{', '[':
			depth++
			i++
		case '}', ']':
			if depth--; depth < 0 {
				return -1
			}
			i++
		default:
			if depth == 0 {
				return skipScalar(raw, i)
			}
			i++
		}
		if depth == 0 {
			return i
		}
	}
	return -1
}

func skipScalar(raw []byte, i int) int {
	start := i
	for ; i < len(raw); i++ {
		switch raw[i] {
		case ',', '}', ']', ' ', '\n', '\r', '\t':
			if i == start {
				return -1
			}
			return i
		}
	}
	return i
}

// unescape resolves the escapes of a string without its quotes.
func unescape(s []byte) ([]byte, bool) {
	if bytes.IndexByte(s, '\\') < 0 {
		return s, true
	}
	return unquote(append(append([]byte{'"'}, s...), '"'))
}

// unquote returns the text of a JSON string, and false for any other value.
func unquote(raw []byte) ([]byte, bool) {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return nil, false
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1], true
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return nil, false
	}
	return []byte(s), true
}

// object is a JSON object of which only the first level is taken apart. Names
// are exact, unlike those of encoding/json, which ignore case.
type object map[string]json.RawMessage

// parseObject returns the members of a valid JSON object. The values alias raw.
func parseObject(raw []byte) (o object, duplicate string, ok bool) {
	o = object{}
	ok = eachMember(raw, func(name, value []byte) {
		if _, twice := o[string(name)]; twice {
			duplicate = string(name)
		}
		o[string(name)] = value
	})
	return o, duplicate, ok
}

// text returns a member that is a string, else "".
func (o object) text(name string) string {
	var s string
	if raw := o[name]; len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// object returns a member that is an object, else an empty one.
func (o object) object(name string) object {
	inner, _, _ := parseObject(o[name])
	return inner
}

// list returns the members of {"items":[…]} or of a plain array, as objects.
func (o object) list(name string) []object {
	raw := o[name]
	if len(raw) > 0 && raw[0] == '{' {
		raw = o.object(name)["items"]
	}
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		return nil
	}
	out := make([]object, 0, len(items))
	for _, item := range items {
		member, _, _ := parseObject(item)
		out = append(out, member)
	}
	return out
}
