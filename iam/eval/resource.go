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

// match reports whether the pattern matches a resource. A variable without a
// value matches no resource.
func (r *resourcePattern) match(resource string, context Context, reading Reading) bool {
	var spare values
	values, ok := resolveAll(r.variables, context, &spare)
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
