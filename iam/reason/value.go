package reason

import (
	"strings"

	"dera.example/dera/iam/lang"
)

// variable is a policy variable of a question. Two places share one letter of
// the automata when all of this is equal.
type variable struct {
	dim          int
	hasDefault   bool
	fallback     string // the default value
	fold, inside bool   // compared without case; within a part of an ARN
}

// part is one piece of a value in a policy.
type part struct {
	kind     partKind
	text     string // of literal; the key of reference
	fallback *string
}

type partKind uint8

const (
	literal   partKind = iota
	oneAny             // ?
	manyAny            // *
	reference          // ${key} or ${key, 'default'}
)

// colons counts the colons that the part is sure to contribute.
func (p part) colons() int {
	if p.kind != literal {
		return 0
	}
	return strings.Count(p.text, ":")
}

// split takes a value apart. Stars and question marks count only with globs,
// ${...} only with variables: ${*}, ${?} and ${$} are the characters
// themselves, and a ${ without end is text.
//
// Source: IAM User Guide, "IAM policy elements: Variables and tags".
func split(value string, globs, variables bool) []part {
	var out []part
	text := func(s string) {
		if n := len(out); n > 0 && out[n-1].kind == literal {
			out[n-1].text += s
			return
		}
		out = append(out, part{kind: literal, text: s})
	}
	for value != "" {
		i := strings.IndexAny(value, "*?$")
		if i < 0 {
			text(value)
			break
		}
		if i > 0 {
			text(value[:i])
		}
		value = value[i:]
		switch {
		case value[0] == '*' && globs:
			out, value = append(out, part{kind: manyAny}), value[1:]
			continue
		case value[0] == '?' && globs:
			out, value = append(out, part{kind: oneAny}), value[1:]
			continue
		case variables && strings.HasPrefix(value, "${"):
			if end := closingBrace(value); end > 0 {
				name := value[2:end]
				value = value[end+1:]
				switch name {
				case "*", "?", "$":
					text(name)
				default:
					out = append(out, variablePart(name))
				}
				continue
			}
		}
		text(value[:1])
		value = value[1:]
	}
	return out
}

// closingBrace returns the index of the brace that ends the variable at the
// start of s, or -1. A brace in quotes belongs to the default value.
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

// variablePart reads what stands between the braces.
func variablePart(name string) part {
	key, rest, ok := strings.Cut(name, ",")
	p := part{kind: reference, text: strings.TrimSpace(key)}
	if !ok {
		return p
	}
	rest = strings.TrimSpace(rest)
	if len(rest) >= 2 && rest[0] == '\'' && rest[len(rest)-1] == '\'' {
		rest = rest[1 : len(rest)-1]
		p.fallback = &rest
	}
	return p
}

// fold appends text that matches itself in any case, as the reading has it.
func (c *compiler) fold(b *lang.Builder, text string) {
	if c.reading.ASCIIFold {
		b.FoldASCII(text)
		return
	}
	b.Fold(text)
}

// segments is how a glob treats the colons of an ARN.
type segments uint8

const (
	plain     segments = iota // stars cross colons
	bySegment                 // stars in the first five parts do not
)

// glob compiles the parts of a value. In segment mode the stars and question
// marks stay within their part until the last of the given parts has begun.
func (c *compiler) glob(parts []part, fold bool, mode segments, last int) *lang.Glob {
	var b lang.Builder
	colons := 0
	for _, p := range parts {
		inside := mode == bySegment && colons < last
		switch p.kind {
		case literal:
			if fold {
				c.fold(&b, p.text)
			} else {
				b.Lit(p.text)
			}
			colons += p.colons()
		case oneAny:
			if inside {
				b.OneInSegment()
			} else {
				b.One()
			}
		case manyAny:
			if inside {
				b.ManyInSegment()
			} else {
				b.Many()
			}
		case reference:
			c.reference(&b, p, fold, inside)
		}
	}
	return b.Glob()
}
