package evaluate

import (
	"strings"

	"github.com/goccy/go-yaml/token"
)

// maxFlowDepth is how deep brackets may nest: a list of entries, an entry, a
// match, a list in it.
const maxFlowDepth = 8

// guard refuses, before the parser sees them, those parts of YAML that a list
// does not need and that can blow up or mislead: anchors and aliases (which can
// grow without bound), tags (which change types), merge keys and explicit keys,
// a second document, and deep nesting, for which the parser takes quadratic
// time. It reports whether the tokens are fit for the parser.
func (r *exemptionReader) guard(tokens token.Tokens) bool {
	before := len(r.problems)
	depth, line, colons, dashes := 0, 0, 0, 0
	content := false
	for _, t := range tokens {
		if len(r.problems)-before > maxExemptionProblems {
			return false
		}
		if t.Position.Line != line {
			line, colons, dashes = t.Position.Line, 0, 0
		}
		switch t.Type {
		case token.AnchorType:
			r.problem(t, "anchors are not allowed")
		case token.AliasType:
			r.problem(t, "aliases are not allowed: write the value out, or quote it if it is text (a glob, for example)")
		case token.TagType:
			r.problem(t, "tags are not allowed: quote the value if it is text")
		case token.MergeKeyType:
			r.problem(t, "merge keys are not allowed")
		case token.MappingKeyType:
			r.problem(t, "keys are written without a question mark")
		case token.DirectiveType:
			r.problem(t, "directives are not allowed")
		case token.InvalidType:
			if strings.ContainsRune(t.Origin, '\t') {
				r.problem(t, "YAML indents with blanks, not with tabs")
				continue
			}
			r.problem(t, "this character cannot begin a value: quote it")
		case token.DocumentHeaderType:
			if content {
				r.problem(t, "a list is one YAML document")
			}
		case token.SequenceStartType, token.MappingStartType:
			if depth++; depth > maxFlowDepth {
				r.problem(t, "brackets are nested deeper than %d", maxFlowDepth)
				return false
			}
		case token.SequenceEndType, token.MappingEndType:
			depth--
		case token.SequenceEntryType:
			if dashes++; dashes == 2 && depth == 0 {
				r.problem(t, "a list within a list on one line")
			}
		case token.MappingValueType:
			if colons++; colons == 2 && depth == 0 {
				r.problem(t, `a second ": " in this line: quote the text`)
			}
		default: // plain values and comments
		}
		content = content || t.Type != token.CommentType
	}
	return len(r.problems) == before
}
