package eval

import (
	"slices"
	"strings"
)

// arnPattern matches a string as a whole and, where that makes a difference,
// part by part.
type arnPattern struct {
	whole glob
	parts []glob // nil: matching as a whole is the same
}

// arnParts is the number of parts of an ARN; the last may contain colons.
const arnParts = 6

func newARNPattern(pieces []piece) arnPattern {
	p := arnPattern{whole: newGlob(pieces)}
	if len(pieces) == 0 || !strings.HasPrefix(pieces[0].text, "arn:") {
		return p
	}
	split := splitPieces(pieces)
	last := len(split) - 1
	for i, part := range split {
		p.parts = append(p.parts, newGlob(part))
		if i < last && p.parts[i].kind != globExact {
			last = -1 // a wildcard or variable stands before the last part
		}
	}
	if last >= 0 {
		p.parts = nil
	}
	return p
}

// splitPieces cuts a pattern at its first five colons.
func splitPieces(pieces []piece) [][]piece {
	parts := [][]piece{nil}
	add := func(c piece) { parts[len(parts)-1] = append(parts[len(parts)-1], c) }
	for _, c := range pieces {
		for c.kind == pieceText && len(parts) < arnParts {
			before, after, found := strings.Cut(c.text, ":")
			if !found {
				break
			}
			if before != "" {
				add(piece{kind: pieceText, text: before})
			}
			parts = append(parts, nil)
			c.text = after
		}
		if c.kind != pieceText || c.text != "" {
			add(c)
		}
	}
	return parts
}

// joinText merges neighbouring literal pieces.
func joinText(pieces []piece) []piece {
	var all []piece
	for _, c := range pieces {
		if n := len(all); n > 0 && c.kind == pieceText && all[n-1].kind == pieceText {
			all[n-1].text += c.text
		} else {
			all = append(all, c)
		}
	}
	return all
}

// match compares part by part. The last part of a short pattern takes the rest.
func (p *arnPattern) match(arn string, values []string) bool {
	if p.parts == nil {
		return p.whole.match(arn, values)
	}
	last := len(p.parts) - 1
	for i := range last {
		part, rest, found := strings.Cut(arn, ":")
		if !found || !p.parts[i].match(part, values) {
			return false
		}
		arn = rest
	}
	return p.parts[last].match(arn, values)
}

// arnTest compares ARNs for ArnLike and ArnEquals, which behave alike: "Each of
// the six colon-delimited components of the ARN is checked separately and each
// can include multi-character match wildcards (*) or single-character match
// wildcards (?)." What is no ARN cannot be compared.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
type arnTest struct{ patterns []arnValue }

type arnValue struct {
	pattern   arnPattern
	variables []variable
}

func newARNTest(list []string, variables bool) (test, []variable) {
	t := &arnTest{}
	var all []variable
	for _, v := range list {
		tmpl := parseTemplate(v, syntax{wildcards: true, variables: variables})
		t.patterns = append(t.patterns, arnValue{newARNPattern(tmpl.pieces), tmpl.variables})
		all = append(all, tmpl.variables...)
	}
	return t, all
}

func (t *arnTest) match(value string, context Context) verdict {
	if !strings.HasPrefix(value, "arn:") || strings.Count(value, ":") < arnParts-1 {
		return untyped
	}
	return asVerdict(slices.ContainsFunc(t.patterns, func(p arnValue) bool {
		var spare values
		values, ok := resolveAll(p.variables, context, &spare)
		return ok && p.pattern.match(value, values)
	}))
}
