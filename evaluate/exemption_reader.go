package evaluate

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"dera.example/dera"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// exemptionReader walks the tree of a list and collects all that is wrong with
// it, each fault with its position.
type exemptionReader struct {
	cfg      ExemptionConfig
	file     string
	commit   string
	lines    []string
	ids      map[string]int // the line of each
	problems []ExemptionProblem
	warnings []ExemptionProblem
}

// at is a place in the file.
func (r *exemptionReader) at(line, column int, message string) ExemptionProblem {
	p := ExemptionProblem{File: r.file, Line: max(line, 1), Column: max(column, 1), Message: message}
	if p.Line <= len(r.lines) {
		p.Source = r.lines[p.Line-1]
	}
	return p
}

func (r *exemptionReader) problem(t *token.Token, format string, args ...any) {
	r.problems = append(r.problems, r.at(t.Position.Line, t.Position.Column, fmt.Sprintf(format, args...)))
}

func (r *exemptionReader) warn(t *token.Token, format string, args ...any) {
	r.warnings = append(r.warnings, r.at(t.Position.Line, t.Position.Column, fmt.Sprintf(format, args...)))
}

// read returns the exemptions and what stays; they count only if there are no problems.
func (r *exemptionReader) read(text []byte) (out []dera.Exemption, keep []Keep) {
	text, err := Unmarked(text)
	if err != nil {
		r.problems = append(r.problems, r.at(1, 1, err.Error()))
		return nil, nil
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		r.lines = append(r.lines, strings.TrimSuffix(line, "\r"))
		if !utf8.ValidString(line) {
			r.lines[len(r.lines)-1] = ""
			r.problems = append(r.problems, r.at(len(r.lines), 1, "this line is not UTF-8"))
			return nil, nil
		}
	}
	if r.invisible(); len(r.problems) > 0 {
		return nil, nil
	}
	root, ok := r.tree(string(text))
	if !ok {
		return nil, nil
	}
	file := r.mapping(root, "the file", "version", "exemptions", "keep")
	if version := r.required(file, root, "the file", "version"); version != nil {
		if n, ok := version.(*ast.IntegerNode); !ok {
			r.problem(firstToken(version), "version is %s, must be the number 1", yamlKind(version))
		} else if n.Value != uint64(1) {
			r.problem(n.Token, "version is %v, must be 1: this dera knows no other", n.Value)
		}
	}
	if list := r.required(file, root, "the file", "exemptions"); list != nil {
		out = r.entries(list)
	}
	if list := file["keep"]; list != nil {
		keep = r.keeps(list.Value)
	}
	slices.SortStableFunc(r.problems, func(a, b ExemptionProblem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return out, keep
}

// invisible reports each line in which something cannot be seen, comments
// included: what was reviewed would not be what is read.
func (r *exemptionReader) invisible() {
	for i, line := range r.lines {
		column := 0
		for _, c := range line {
			if column++; Invisible(c) {
				r.problems = append(r.problems, r.at(i+1, column, "here is "+invisibleText(c)))
				break
			}
		}
	}
}

// tree parses the text.
func (r *exemptionReader) tree(text string) (root ast.Node, ok bool) {
	// The parser is foreign code in front of a safety device: whatever it does
	// with a strange file, the answer is "unreadable", not a dead engine.
	defer func() {
		if p := recover(); p != nil {
			r.problems = append(r.problems, r.at(1, 1, "the file is not YAML that can be read"))
			root, ok = nil, false
		}
	}()
	tokens := lexer.Tokenize(text)
	if !r.guard(tokens) {
		return nil, false
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		r.syntax(err)
		return nil, false
	}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if root != nil {
			r.problem(firstToken(doc.Body), "a list is one YAML document")
			return nil, false
		}
		root = doc.Body
	}
	if root == nil {
		// An emptied file would make everything that was exempt fair game.
		r.problems = append(r.problems, r.at(1, 1, `the file is empty; a list without entries is "version: 1" and "exemptions: []"`))
		return nil, false
	}
	return root, true
}

// syntax reports what the parser stumbled over.
func (r *exemptionReader) syntax(err error) {
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil && at.GetToken().Position != nil {
		r.problem(at.GetToken(), "YAML: %s", at.GetMessage())
		return
	}
	r.problems = append(r.problems, r.at(1, 1, "YAML: "+err.Error()))
}

// yamlFields are the members of a mapping by key; a key that stands twice keeps its
// firstToken value.
type yamlFields map[string]*ast.MappingValueNode

// mapping takes a mapping apart; known are the keys that it may have, all if
// there are none. It returns nil for any other node.
func (r *exemptionReader) mapping(n ast.Node, what string, known ...string) yamlFields {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		r.problem(firstToken(n), "%s is %s, must be keys with values", what, yamlKind(n))
		return nil
	}
	out := yamlFields{}
	for _, member := range m.Values {
		key, ok := member.Key.(*ast.StringNode)
		if !ok {
			r.problem(member.Key.GetToken(), "%s: a key is not text: quote it", what)
			continue
		}
		switch earlier := out[key.Value]; {
		case len(known) > 0 && !slices.Contains(known, key.Value):
			r.problem(key.Token, "%s: unknown key %q%s", what, short(key.Value), Suggestion(key.Value, known))
		case earlier != nil:
			at := earlier.Key.GetToken().Position
			r.problem(key.Token, "%s: key %q stands twice, first in line %d, column %d", what, short(key.Value), at.Line, at.Column)
		default:
			out[key.Value] = member
		}
	}
	return out
}

// required returns the value of a key, or reports that it is missing at the
// beginning of its owner.
func (r *exemptionReader) required(f yamlFields, owner ast.Node, what, key string) ast.Node {
	if f == nil {
		return nil
	}
	member := f[key]
	if member == nil {
		r.problem(firstToken(owner), "%s: %s is missing", what, key)
		return nil
	}
	return member.Value
}

// list returns the members of a sequence.
func (r *exemptionReader) list(n ast.Node, what string) ([]ast.Node, bool) {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		r.problem(firstToken(n), "%s is %s, must be a list", what, yamlKind(n))
		return nil, false
	}
	return s.Values, true
}

// text returns a text that is not blank, without its outer blanks.
func (r *exemptionReader) text(n ast.Node, what string) (string, bool) {
	var s string
	switch n := n.(type) {
	case *ast.StringNode:
		s = n.Value
	case *ast.LiteralNode:
		s = n.Value.Value
	default:
		hint := ""
		switch n.(type) {
		case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
			hint = ": quote it"
		}
		r.problem(firstToken(n), "%s is %s, must be text%s", what, yamlKind(n), hint)
		return "", false
	}
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		r.problem(firstToken(n), "%s is blank", what)
		return "", false
	case strings.ContainsFunc(s, func(c rune) bool { return unicode.IsControl(c) && c != '\n' }):
		r.problem(firstToken(n), "%s holds a control character", what)
		return "", false
	}
	if i := strings.IndexFunc(s, Invisible); i >= 0 {
		r.problem(firstToken(n), "%s holds %s", what, invisibleText([]rune(s[i:])[0]))
		return "", false
	}
	return s, true
}

// firstToken returns the token at which a node begins. The token of a mapping is its
// firstToken colon, that of a block list its first dash.
func firstToken(n ast.Node) *token.Token {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 && !m.IsFlowStyle {
		return m.Values[0].Key.GetToken()
	}
	return n.GetToken()
}

// yamlKind names what a node is, for messages.
func yamlKind(n ast.Node) string {
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	case *ast.NullNode:
		return "empty"
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode:
		return "keys with values"
	}
	return "text"
}

// Suggestion names the known key that is nearest to one that is not, if any is
// near.
func Suggestion(key string, known []string) string {
	if best, ok := Nearest(key, known); ok {
		return fmt.Sprintf(", did you mean %q?", best)
	}
	return ", must be one of " + strings.Join(known, ", ")
}

// Nearest returns the known name that a mistyped one is nearest to, and whether
// there is one near enough.
func Nearest(key string, known []string) (best string, ok bool) {
	least := 3
	for _, k := range known {
		if d := editDistance(strings.ToLower(key), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	return best, best != ""
}

// editDistance counts the insertions, deletions and substitutions between two
// texts (Levenshtein). Long texts are far from everything.
func editDistance(a, b string) int {
	if len(a) > 32 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
