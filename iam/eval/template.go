package eval

import "strings"

// A template is a policy value with its wildcards and variables taken apart.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
type template struct {
	pieces    []piece
	variables []variable
}

// variable is one ${key} or ${key, 'fallback'}.
type variable struct {
	key      key
	fallback string
	optional bool // it has a fallback
}

// syntax says what a value may contain.
type syntax struct{ wildcards, variables bool }

// parseTemplate takes a value apart. Without variables "${" is plain text, and
// without wildcards "*" and "?" are. ${*}, ${?} and ${$} are the characters.
// An opening brace that nothing closes is plain text.
func parseTemplate(value string, is syntax) template {
	var t template
	var plain strings.Builder
	flush := func() {
		if plain.Len() > 0 {
			t.pieces = append(t.pieces, piece{kind: pieceText, text: plain.String()})
			plain.Reset()
		}
	}
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case is.wildcards && c == '?':
			flush()
			t.pieces = append(t.pieces, piece{kind: pieceOne})
		case is.wildcards && c == '*':
			flush()
			if n := len(t.pieces); n == 0 || t.pieces[n-1].kind != pieceMany {
				t.pieces = append(t.pieces, piece{kind: pieceMany})
			}
		case is.variables && strings.HasPrefix(value[i:], "${"):
			end := closingBrace(value[i:])
			if end < 0 {
				plain.WriteByte(c)
				continue
			}
			if name := value[i+2 : i+end]; name == "*" || name == "?" || name == "$" {
				plain.WriteString(name)
			} else {
				flush()
				t.pieces = append(t.pieces, piece{kind: pieceVariable, at: len(t.variables)})
				t.variables = append(t.variables, parseVariable(name))
			}
			i += end
		default:
			plain.WriteByte(c)
		}
	}
	flush()
	return t
}

// closingBrace returns the index of the brace that closes a variable, or -1.
// A brace in quotes belongs to the fallback.
func closingBrace(s string) int {
	quoted := false
	for i := 2; i < len(s); i++ {
		switch {
		case s[i] == '\'':
			quoted = !quoted
		case s[i] == '}' && !quoted:
			return i
		}
	}
	return -1
}

func parseVariable(text string) variable {
	name, fallback, found := strings.Cut(text, ",")
	v := variable{key: newKey(strings.TrimSpace(name))}
	if fallback = strings.TrimSpace(fallback); found && len(fallback) >= 2 &&
		fallback[0] == '\'' && fallback[len(fallback)-1] == '\'' {
		v.fallback, v.optional = fallback[1:len(fallback)-1], true
	}
	return v
}

// resolve returns the value of a variable. It has none where the request's key
// is absent or has several values, and there is no fallback.
func (v *variable) resolve(context Context) (string, bool) {
	if values := v.key.of(context); len(values) == 1 {
		return values[0], true
	}
	return v.fallback, v.optional
}

// values has space for the values of a pattern's variables: more than four are
// rare and cost an allocation.
type values [4]string

// resolveAll returns the values of all variables, or false if one has none.
func resolveAll(variables []variable, context Context, spare *values) ([]string, bool) {
	if len(variables) == 0 {
		return nil, true
	}
	all := spare[:0]
	if len(variables) > len(spare) {
		all = make([]string, 0, len(variables))
	}
	for i := range variables {
		value, ok := variables[i].resolve(context)
		if !ok {
			return nil, false
		}
		all = append(all, value)
	}
	return all, true
}
