package policy

import (
	"errors"
	"net/url"
	"strings"
)

// Parse reads a policy document, plain or URL-encoded as the IAM API returns
// it. It accepts what AWS stores: a single statement in place of a list, a
// string in place of a list, a bare ARN as principal, booleans and numbers as
// condition values, nulls within lists, any or no version. Everything else
// outside the grammar is an *Error with AWS's reason and the position;
// positions in an encoded document count in the decoded text.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
func Parse(text string) (*Document, error) {
	doc, faults := parse(text)
	if len(faults) > 0 {
		return nil, faults[0]
	}
	return doc, nil
}

// parse reads a document as far as it goes and returns what is outside of the
// grammar, in the order in which it was met. Without a document there is one
// fault at least.
func parse(text string) (*Document, []*Error) {
	text, fail := decode(text)
	if fail != nil {
		return nil, []*Error{fail}
	}
	root, faults, err := scan(text)
	if err != nil {
		var e *Error
		errors.As(err, &e)
		return nil, append(faults, e)
	}
	p := &parser{doc: &Document{text: text, root: root}, faults: faults}
	p.document(root)
	return p.doc, p.faults
}

// decode undoes URL encoding. A text that starts with a brace is plain: a "%"
// or "+" in it stands for itself.
func decode(text string) (string, *Error) {
	if strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{") {
		return text, nil
	}
	plain, err := url.PathUnescape(text)
	if err != nil {
		return "", fault(text, 0, ReasonSyntax, "neither JSON nor URL-encoded JSON")
	}
	return plain, nil
}

// parser turns the tree into the Document's fields.
type parser struct {
	doc    *Document
	faults []*Error
}

func (p *parser) fail(n *node, format string, args ...any) { p.failAt(n.start, format, args...) }

func (p *parser) failAt(offset int, format string, args ...any) {
	p.faults = append(p.faults, fault(p.doc.text, offset, ReasonSyntax, format, args...))
}

func (p *parser) document(root *node) {
	if root.kind != nodeObject {
		p.fail(root, "the document is %s, not an object", root.kind)
		return
	}
	before := len(p.faults)
	for _, m := range root.members {
		switch m.key {
		case "Version":
			p.doc.Version = p.version(m.value)
		case "Id":
			p.doc.ID = p.str("Id", m.value)
		case "Statement":
			p.statements(m.value)
		default:
			p.failAt(m.keyStart, "unknown element %q", m.key)
		}
	}
	if len(p.doc.Statements) == 0 && len(p.faults) == before {
		p.fail(root, "no statement")
	}
}

func (p *parser) version(n *node) string {
	v := p.str("Version", n)
	if n.kind == nodeString && v != Version2008 && v != Version2012 {
		p.fail(n, "unknown version %q", v)
	}
	return v
}

func (p *parser) str(element string, n *node) string {
	if n.kind != nodeString {
		p.fail(n, "%s is %s, not a string", element, n.kind)
		return ""
	}
	return n.str
}

func (p *parser) statements(n *node) {
	if n.kind != nodeArray && n.kind != nodeObject {
		p.fail(n, "Statement is %s, not an array", n.kind)
		return
	}
	for _, e := range n.elements() {
		p.doc.Statements = append(p.doc.Statements, p.statement(e))
	}
}

func (p *parser) statement(n *node) Statement {
	st := Statement{node: n}
	if n.kind != nodeObject {
		p.fail(n, "a statement is %s, not an object", n.kind)
		return st
	}
	for _, m := range n.members {
		p.element(&st, m)
	}
	switch {
	case n.find("Effect") == nil:
		p.fail(n, "a statement without Effect")
	case st.Actions != nil && st.NotActions != nil:
		p.fail(n, "both Action and NotAction")
	case st.Resources != nil && st.NotResources != nil:
		p.fail(n, "both Resource and NotResource")
	case st.Principals != nil && st.NotPrincipals != nil:
		p.fail(n, "both Principal and NotPrincipal")
	}
	return st
}

func (p *parser) element(st *Statement, m member) {
	switch n := m.value; m.key {
	case "Sid":
		st.Sid = p.str(m.key, n)
	case "Effect":
		st.Effect = p.effect(n)
	case "Principal":
		st.Principals = p.principals(m.key, n)
	case "NotPrincipal":
		st.NotPrincipals = p.principals(m.key, n)
	case "Action":
		st.Actions = p.list(m.key, n)
	case "NotAction":
		st.NotActions = p.list(m.key, n)
	case "Resource":
		st.Resources = p.list(m.key, n)
	case "NotResource":
		st.NotResources = p.list(m.key, n)
	case "Condition":
		st.Conditions = p.conditions(n)
	default:
		p.failAt(m.keyStart, "unknown element %q", m.key)
	}
}

// effect accepts any case, as AWS's own first reading does; Validate refuses
// what is not "Allow" or "Deny" to the letter.
func (p *parser) effect(n *node) Effect {
	v := p.str("Effect", n)
	switch {
	case n.kind != nodeString:
	case strings.EqualFold(v, "Allow"):
		return Allow
	case strings.EqualFold(v, "Deny"):
		return Deny
	default:
		p.fail(n, "unknown effect %q", v)
	}
	return NoEffect
}

// list reads a string or an array of strings and never returns nil for either.
func (p *parser) list(element string, n *node) []string {
	values := make([]string, 0, max(1, len(n.items)))
	for _, e := range n.elements() {
		switch {
		case e.kind == nodeString:
			values = append(values, e.str)
		case e.kind == nodeNull && e != n: // AWS stores these and ignores them
		default:
			p.fail(e, "%s holds %s, not a string", element, e.kind)
		}
	}
	return values
}

func (p *parser) principals(element string, n *node) *Principals {
	ps := &Principals{}
	switch {
	case n.kind == nodeString && n.str == "*":
		ps.Any = true
	case n.kind == nodeString: // S3 has handed out such policies
		ps.Groups = []PrincipalGroup{{PrincipalAWS, []string{n.str}}}
	case n.kind != nodeObject:
		p.fail(n, `%s is neither "*" nor an object`, element)
	}
	for _, m := range n.members {
		switch m.key {
		case PrincipalAWS, PrincipalService, PrincipalFederated, PrincipalCanonical:
			ps.Groups = append(ps.Groups, PrincipalGroup{Kind: m.key, Values: p.list(element, m.value)})
		default:
			p.failAt(m.keyStart, "unknown kind of principal %q", m.key)
		}
	}
	return ps
}

func (p *parser) conditions(n *node) []Condition {
	if n.kind != nodeObject {
		p.fail(n, "Condition is %s, not an object", n.kind)
		return nil
	}
	var all []Condition
	for _, block := range n.members {
		if block.value.kind != nodeObject {
			p.fail(block.value, "%s is %s, not an object", block.key, block.value.kind)
			continue
		}
		// An unknown operator with nothing below it passes, as in AWS.
		if _, ok := ParseOperator(block.key); !ok && len(block.value.members) > 0 {
			p.failAt(block.keyStart, "unknown condition operator %q", block.key)
		}
		for _, m := range block.value.members {
			all = append(all, Condition{Operator: block.key, Key: m.key, Values: p.values(m.key, m.value)})
		}
	}
	return all
}

// values reads condition values: strings, booleans, numbers, or a list of them.
func (p *parser) values(key string, n *node) []string {
	values := make([]string, 0, max(1, len(n.items)))
	for _, e := range n.elements() {
		if e.kind != nodeString && e.kind != nodeBool && e.kind != nodeNumber {
			p.fail(e, "the value of condition key %q is %s", key, e.kind)
			continue
		}
		values = append(values, e.str)
	}
	return values
}
