package eval

import "strings"

// resourcePattern is a compiled entry of Resource or NotResource, for every
// Reading.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
type resourcePattern struct {
	variables []variable
	literal   arnPattern
	completed *arnPattern // of a short ARN only
}

// arnPattern matches a string as a whole and, where that makes a difference,
// part by part.
type arnPattern struct {
	whole glob
	parts []glob // nil: matching as a whole is the same
}

// arnParts is the number of parts of an ARN; the last may contain colons.
const arnParts = 6

func newResourcePattern(value string, variables bool) resourcePattern {
	t := parseTemplate(value, syntax{wildcards: true, variables: variables})
	r := resourcePattern{variables: t.variables, literal: newARNPattern(t.pieces)}
	if missing := arnParts - len(splitPieces(t.pieces)); missing > 0 && strings.HasPrefix(value, "arn:") {
		long := append([]piece{}, t.pieces...)
		for range missing {
			long = append(long, piece{kind: pieceText, text: ":"}, piece{kind: pieceMany})
		}
		c := newARNPattern(joinText(long))
		r.completed = &c
	}
	return r
}

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

// match reports whether the pattern matches a resource. A variable without a
// value matches no resource.
func (r *resourcePattern) match(resource string, context Context, reading Reading) bool {
	var room values
	values, ok := resolveAll(r.variables, context, &room)
	if !ok {
		return false
	}
	p := &r.literal
	if r.completed != nil && !reading.LiteralARNs {
		p = r.completed
	}
	if reading.PlainGlobs {
		return p.whole.match(resource, values)
	}
	return p.match(resource, values)
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
