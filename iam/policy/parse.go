package policy

import (
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
	text, err := decode(text)
	if err != nil {
		return nil, err
	}
	root, err := scan(text)
	if err != nil {
		return nil, err
	}
	p := &parser{doc: &Document{text: text, root: root}}
	if err := p.document(root); err != nil {
		return nil, err
	}
	return p.doc, nil
}

// decode undoes URL encoding. A text that starts with a brace is plain: a "%"
// or "+" in it stands for itself.
func decode(text string) (string, error) {
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
type parser struct{ doc *Document }

func (p *parser) fail(n *node, format string, args ...any) error {
	return fault(p.doc.text, n.start, ReasonSyntax, format, args...)
}

func (p *parser) document(root *node) error {
	if root.kind != nodeObject {
		return p.fail(root, "the document is %s, not an object", root.kind)
	}
	for _, m := range root.members {
		var err error
		switch m.key {
		case "Version":
			p.doc.Version, err = p.version(m.value)
		case "Id":
			p.doc.ID, err = p.str("Id", m.value)
		case "Statement":
			err = p.statements(m.value)
		default:
			err = fault(p.doc.text, m.keyStart, ReasonSyntax, "unknown element %q", m.key)
		}
		if err != nil {
			return err
		}
	}
	if len(p.doc.Statements) == 0 {
		return p.fail(root, "no statement")
	}
	return nil
}

func (p *parser) version(n *node) (string, error) {
	v, err := p.str("Version", n)
	if err == nil && v != Version2008 && v != Version2012 {
		err = p.fail(n, "unknown version %q", v)
	}
	return v, err
}

func (p *parser) str(element string, n *node) (string, error) {
	if n.kind != nodeString {
		return "", p.fail(n, "%s is %s, not a string", element, n.kind)
	}
	return n.str, nil
}

func (p *parser) statements(n *node) error {
	if n.kind != nodeArray && n.kind != nodeObject {
		return p.fail(n, "Statement is %s, not an array", n.kind)
	}
	for _, e := range n.elements() {
		st, err := p.statement(e)
		if err != nil {
			return err
		}
		p.doc.Statements = append(p.doc.Statements, st)
	}
	return nil
}

func (p *parser) statement(n *node) (Statement, error) {
	st := Statement{node: n}
	if n.kind != nodeObject {
		return st, p.fail(n, "a statement is %s, not an object", n.kind)
	}
	for _, m := range n.members {
		if err := p.element(&st, m); err != nil {
			return st, err
		}
	}
	switch {
	case st.Effect == NoEffect:
		return st, p.fail(n, "a statement without Effect")
	case st.Actions != nil && st.NotActions != nil:
		return st, p.fail(n, "both Action and NotAction")
	case st.Resources != nil && st.NotResources != nil:
		return st, p.fail(n, "both Resource and NotResource")
	case st.Principals != nil && st.NotPrincipals != nil:
		return st, p.fail(n, "both Principal and NotPrincipal")
	}
	return st, nil
}

func (p *parser) element(st *Statement, m member) (err error) {
	switch n := m.value; m.key {
	case "Sid":
		st.Sid, err = p.str(m.key, n)
	case "Effect":
		st.Effect, err = p.effect(n)
	case "Principal":
		st.Principals, err = p.principals(m.key, n)
	case "NotPrincipal":
		st.NotPrincipals, err = p.principals(m.key, n)
	case "Action":
		st.Actions, err = p.list(m.key, n)
	case "NotAction":
		st.NotActions, err = p.list(m.key, n)
	case "Resource":
		st.Resources, err = p.list(m.key, n)
	case "NotResource":
		st.NotResources, err = p.list(m.key, n)
	case "Condition":
		st.Conditions, err = p.conditions(n)
	default:
		err = fault(p.doc.text, m.keyStart, ReasonSyntax, "unknown element %q", m.key)
	}
	return err
}

// effect accepts any case, as AWS's own first reading does; Validate refuses
// what is not "Allow" or "Deny" to the letter.
func (p *parser) effect(n *node) (Effect, error) {
	v, err := p.str("Effect", n)
	switch {
	case err != nil:
		return NoEffect, err
	case strings.EqualFold(v, "Allow"):
		return Allow, nil
	case strings.EqualFold(v, "Deny"):
		return Deny, nil
	default:
		return NoEffect, p.fail(n, "unknown effect %q", v)
	}
}

// list reads a string or an array of strings and never returns nil for either.
func (p *parser) list(element string, n *node) ([]string, error) {
	values := make([]string, 0, max(1, len(n.items)))
	for _, e := range n.elements() {
		switch {
		case e.kind == nodeString:
			values = append(values, e.str)
		case e.kind == nodeNull && e != n: // AWS stores these and ignores them
		default:
			return nil, p.fail(e, "%s holds %s, not a string", element, e.kind)
		}
	}
	return values, nil
}

func (p *parser) principals(element string, n *node) (*Principals, error) {
	switch {
	case n.kind == nodeString && n.str == "*":
		return &Principals{Any: true}, nil
	case n.kind == nodeString: // S3 has handed out such policies
		return &Principals{Groups: []PrincipalGroup{{PrincipalAWS, []string{n.str}}}}, nil
	case n.kind != nodeObject:
		return nil, p.fail(n, `%s is neither "*" nor an object`, element)
	}
	ps := &Principals{}
	for _, m := range n.members {
		switch m.key {
		case PrincipalAWS, PrincipalService, PrincipalFederated, PrincipalCanonical:
		default:
			return nil, fault(p.doc.text, m.keyStart, ReasonSyntax, "unknown kind of principal %q", m.key)
		}
		values, err := p.list(element, m.value)
		if err != nil {
			return nil, err
		}
		ps.Groups = append(ps.Groups, PrincipalGroup{Kind: m.key, Values: values})
	}
	return ps, nil
}

func (p *parser) conditions(n *node) ([]Condition, error) {
	if n.kind != nodeObject {
		return nil, p.fail(n, "Condition is %s, not an object", n.kind)
	}
	var all []Condition
	for _, block := range n.members {
		if block.value.kind != nodeObject {
			return nil, p.fail(block.value, "%s is %s, not an object", block.key, block.value.kind)
		}
		// An unknown operator with nothing below it passes, as in AWS.
		if _, ok := ParseOperator(block.key); !ok && len(block.value.members) > 0 {
			return nil, fault(p.doc.text, block.keyStart, ReasonSyntax, "unknown condition operator %q", block.key)
		}
		for _, m := range block.value.members {
			values, err := p.values(m.key, m.value)
			if err != nil {
				return nil, err
			}
			all = append(all, Condition{Operator: block.key, Key: m.key, Values: values})
		}
	}
	return all, nil
}

// values reads condition values: strings, booleans, numbers, or a list of them.
func (p *parser) values(key string, n *node) ([]string, error) {
	values := make([]string, 0, max(1, len(n.items)))
	for _, e := range n.elements() {
		if e.kind != nodeString && e.kind != nodeBool && e.kind != nodeNumber {
			return nil, p.fail(e, "the value of condition key %q is %s", key, e.kind)
		}
		values = append(values, e.str)
	}
	return values, nil
}
