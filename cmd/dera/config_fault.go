package main

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"dera.example/dera/evaluate"
)

// fault is one thing that is wrong with the configuration, and what to write
// instead. It has no line where it is about something outside of the file.
type fault struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`

	source string // the line of the file
}

// String is file:line:column, field and message, and the line below it.
func (f fault) String() string {
	text := f.Message
	if f.Field != "" {
		text = f.Field + ": " + text
	}
	if f.Line == 0 {
		return text
	}
	return evaluate.ExemptionProblem{File: f.File, Line: f.Line, Column: f.Column, Message: text, Source: f.source}.String()
}

// configError is everything that is wrong with a configuration.
type configError struct{ faults []fault }

// Error implements error.
func (e *configError) Error() string {
	const most = 50
	var b strings.Builder
	for i, f := range e.faults {
		if i == most {
			fmt.Fprintf(&b, "and %d more", len(e.faults)-i)
			break
		}
		b.WriteString(f.String() + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// configText is a configuration file as it was read.
type configText struct {
	path  string
	lines []string
	root  ast.Node // nil where it is empty
}

// at is a fault at a node.
func (t configText) at(n ast.Node, field, message string) fault {
	f := fault{File: t.path, Line: 1, Column: 1, Field: field, Message: message}
	if n != nil {
		tok := n.GetToken()
		if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 && !m.IsFlowStyle {
			tok = m.Values[0].Key.GetToken() // the token of a mapping is its first colon
		}
		f.Line, f.Column = max(tok.Position.Line, 1), max(tok.Position.Column, 1)
	}
	if f.Line <= len(t.lines) && !hasSecret(t.lines[f.Line-1]) { // what is printed here can end in a log
		f.source = t.lines[f.Line-1]
	}
	return f
}

// invisible are the places where a reviewer would read another text than dera.
func (t configText) invisible() (out []fault) {
	for i, line := range t.lines {
		column := 0
		for _, c := range line {
			if column++; evaluate.Invisible(c) {
				out = append(out, fault{File: t.path, Line: i + 1, Column: column, source: line,
					Message: fmt.Sprintf("here is the character U+%04X, which cannot be seen or changes the order of what is seen: remove it", c)})
				break
			}
		}
	}
	return out
}

// fieldForm is a path of fields at the beginning of an error.
var fieldForm = regexp.MustCompile(`^([a-z_]+(?:\[[0-9]+\])?(?:\.[a-z_]+(?:\[[0-9]+\])?)*): `)

// faults are the single errors of a joined one, each where its field stands.
func (t configText) faults(err error) []fault {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok { // taken apart on purpose, each with its place
		var out []fault
		for _, e := range joined.Unwrap() {
			out = append(out, t.faults(e)...)
		}
		return out
	}
	text := err.Error()
	m := fieldForm.FindStringSubmatch(text)
	if m == nil {
		return []fault{t.at(t.root, "", text)}
	}
	return []fault{t.at(t.node(m[1]), m[1], strings.TrimPrefix(text, m[0]))}
}

// node is that of a field, or of the nearest one above it that is there.
func (t configText) node(field string) ast.Node {
	for t.root != nil && field != "" {
		if path, err := yaml.PathString("$." + field); err == nil {
			if n, err := path.FilterNode(t.root); err == nil && n != nil {
				return n
			}
		}
		field = field[:max(strings.LastIndexAny(field, ".["), 0)]
	}
	return t.root
}

// inOrder sorts the faults by their place in the file.
func inOrder(list []fault) []fault {
	slices.SortStableFunc(list, func(a, b fault) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column)) })
	return slices.CompactFunc(list, func(a, b fault) bool { return a == b })
}
