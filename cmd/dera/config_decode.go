package main

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"dera.example/dera/evaluate"
)

// decodeConfig reads a configuration field by field, so that one fault does not
// hide the others.
func decodeConfig(path string, text []byte, c *fileConfig) (configText, []fault) {
	text, wide := evaluate.Unmarked(text)
	t := configText{path: path, lines: strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n")}
	c.Version = 1 // where nothing can be read, that is the fault
	if wide != nil {
		return t, []fault{{File: path, Line: 1, Column: 1, Message: wide.Error()}}
	}
	tokens := lexer.Tokenize(string(text))
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return t, []fault{t.syntax(err)}
	}
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType {
			continue
		}
		if t.root != nil {
			return t, []fault{t.at(doc.Body, "", "a configuration is one YAML document: remove this one")}
		}
		t.root = doc.Body
	}
	switch {
	case t.root == nil:
		c.Version = 0
		return t, nil // everything keeps its default, but for the version
	case usesAnchors(tokens):
		// What stands elsewhere is only known to a decoder of the whole.
		c.Version = 0
		if err := yaml.NewDecoder(strings.NewReader(string(text)), yaml.Strict(), yaml.DisallowUnknownField()).Decode(c); err != nil {
			return t, []fault{t.syntax(err)}
		}
		return t, nil
	}
	c.Version = 0
	d := decoding{text: t}
	d.into(t.root, reflect.ValueOf(c).Elem(), "")
	return t, d.faults
}

func usesAnchors(tokens token.Tokens) bool {
	for _, t := range tokens {
		if t.Type == token.AnchorType || t.Type == token.AliasType || t.Type == token.MergeKeyType {
			return true
		}
	}
	return false
}

// syntax is an error of the YAML parser or decoder, with its position.
func (t configText) syntax(err error) fault {
	var at yaml.Error
	if !errors.As(err, &at) || at.GetToken() == nil || at.GetToken().Position == nil {
		return t.at(nil, "", err.Error())
	}
	f := t.at(nil, "", at.GetMessage())
	f.Line, f.Column, f.source = at.GetToken().Position.Line, at.GetToken().Position.Column, ""
	if f.Line > 0 && f.Line <= len(t.lines) {
		f.source = t.lines[f.Line-1]
	}
	return f
}

// errNotWhole: something else than a whole number stands where one is wanted.
var errNotWhole = errors.New("is no whole number")

// decoding collects what is wrong on the way through the tree.
type decoding struct {
	text   configText
	faults []fault
}

func (d *decoding) bad(n ast.Node, field, format string, args ...any) {
	d.faults = append(d.faults, d.text.at(n, field, fmt.Sprintf(format, args...)))
}

// into decodes a node.
func (d *decoding) into(n ast.Node, v reflect.Value, field string) {
	if _, null := n.(*ast.NullNode); null {
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	mapping, isMapping := n.(*ast.MappingNode)
	switch kind := v.Kind(); {
	case kind == reflect.Struct && isMapping:
		d.fields(mapping, v, field)
	case decodesItself(v):
		d.value(n, v, field)
	case kind == reflect.Struct:
		d.bad(n, field, "is %s, write keys with values", nodeKind(n))
	case kind == reflect.Slice:
		list, ok := n.(*ast.SequenceNode)
		if !ok {
			d.bad(n, field, "is %s, write a list", nodeKind(n))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), len(list.Values), len(list.Values)))
		for i, member := range list.Values {
			d.into(member, v.Index(i), fmt.Sprintf("%s[%d]", field, i))
		}
	default:
		d.value(n, v, field)
	}
}

func decodesItself(v reflect.Value) bool {
	switch v.Addr().Interface().(type) {
	case yaml.BytesUnmarshaler, encoding.TextUnmarshaler:
		return true
	}
	return false
}

// fields decodes the members of a mapping.
func (d *decoding) fields(m *ast.MappingNode, v reflect.Value, field string) {
	known := map[string]int{}
	var names []string
	for i := range v.NumField() {
		if name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ","); name != "" {
			known[name] = i
			names = append(names, name)
		}
	}
	seen := map[string]int{}
	for _, member := range m.Values {
		key := member.Key.GetToken().Value
		name := strings.TrimPrefix(field+"."+key, ".")
		i, ok := known[key]
		switch {
		case !ok:
			d.bad(member.Key, "", "unknown field %q%s", key, evaluate.Suggestion(key, names))
		case seen[key] > 0:
			d.bad(member.Key, name, "is set twice, first in line %d: remove one", seen[key])
		default:
			seen[key] = member.Key.GetToken().Position.Line
			d.into(member.Value, v.Field(i), name)
		}
	}
}

// value decodes a single value, a map, or what decodes itself.
func (d *decoding) value(n ast.Node, v reflect.Value, field string) {
	if s, ok := n.(*ast.StringNode); ok { // a decoder for each of thousands takes too long
		switch to := v.Addr().Interface().(type) {
		case *string:
			*to = s.Value
			return
		case *allowEntry:
			to.CIDR = s.Value
			return
		}
	}
	err := yaml.NodeToValue(n, v.Addr().Interface(), yaml.Strict())
	if _, whole := n.(*ast.IntegerNode); v.Kind() == reflect.Int && !decodesItself(v) && !whole && err == nil {
		err = errNotWhole // the decoder cuts off fractions, and reads numbers out of texts
	}
	if err == nil {
		return
	}
	want := map[reflect.Kind]string{reflect.Int: "a whole number", reflect.Bool: "true or false", reflect.String: "text", reflect.Map: "keys with values"}[v.Kind()]
	var at yaml.Error
	switch {
	case decodesItself(v) && errors.As(err, &at):
		d.bad(n, field, "%s", at.GetMessage())
	case decodesItself(v) || want == "":
		d.bad(n, field, "%v", err)
	default:
		d.bad(n, field, "is %s, write %s", nodeKind(n), want)
	}
}

// nodeKind names what a node is.
func nodeKind(n ast.Node) string {
	switch n := n.(type) {
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode:
		return "keys with values"
	default:
		return fmt.Sprintf("%q", n.GetToken().Value)
	}
}
