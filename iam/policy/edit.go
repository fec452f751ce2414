package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Edit is one change to the text of a document. Make it with RemoveStatement,
// RemoveAction, ReplaceAction, RemoveResource, ReplaceResource, RemovePrincipal
// or RemoveConditionValue. Statements are counted as they stand in the document
// before any edit.
type Edit struct {
	statement int
	element   string // "" for the whole statement
	kind      string // of the principal, or the operator of the condition
	key       string // of the condition
	value     string
	with      []string
}

// RemoveStatement drops a whole statement.
func RemoveStatement(statement int) Edit { return Edit{statement: statement} }

// RemoveAction drops an entry, as written, from a statement's Action list.
func RemoveAction(statement int, action string) Edit {
	return Edit{statement: statement, element: "Action", value: action}
}

// ReplaceAction puts a list in the place of an entry of a statement's Action
// list. An empty list drops the entry.
func ReplaceAction(statement int, action string, with ...string) Edit {
	return Edit{statement: statement, element: "Action", value: action, with: with}
}

// RemoveResource drops an entry, as written, from a statement's Resource list.
func RemoveResource(statement int, resource string) Edit {
	return Edit{statement: statement, element: "Resource", value: resource}
}

// ReplaceResource puts a list in the place of an entry of a statement's Resource
// list. An empty list drops the entry.
func ReplaceResource(statement int, resource string, with ...string) Edit {
	return Edit{statement: statement, element: "Resource", value: resource, with: with}
}

// RemovePrincipal drops a principal of a kind (PrincipalAWS, ...) from a
// statement's Principal, and the kind with its last one. A bare "*" is of
// PrincipalAWS.
func RemovePrincipal(statement int, kind, principal string) Edit {
	return Edit{statement: statement, element: "Principal", kind: kind, value: principal}
}

// String names the edit for errors and logs.
func (e Edit) String() string {
	switch {
	case e.element == "":
		return fmt.Sprintf("remove statement %d", e.statement)
	case len(e.with) > 0:
		return fmt.Sprintf("replace %s %q of statement %d by %q", e.element, e.value, e.statement, e.with)
	default:
		return fmt.Sprintf("remove %s %q of statement %d", e.element, e.value, e.statement)
	}
}

// Apply makes all edits at once and returns the edited document; d stays as it
// is. Every byte that the edits need not touch stays. An entry that is listed
// twice is removed twice.
//
// The error wraps ErrNotFound where there is no such statement or entry, and
// ErrLast where a list, or the document, would be left empty; it is for the
// caller to drop the statement, or the policy, then. Nothing is edited if one
// edit fails.
func (d *Document) Apply(edits ...Edit) (*Document, error) {
	if d.root == nil {
		parsed, err := Parse(d.Text())
		if err != nil {
			return nil, fmt.Errorf("edit policy: %w", err)
		}
		d = parsed
	}
	s, statements := newSplice(d.text), d.root.find("Statement")
	if err := d.dropStatements(s, edits); err != nil {
		return nil, err
	}
	for _, e := range edits {
		// What happens within a statement that goes anyway does not matter.
		if e.element == "" || s.list(statements).dropped(e.statement) {
			continue
		}
		if err := d.mark(s, e); err != nil {
			return nil, fmt.Errorf("%s: %w", e, err)
		}
	}
	text, err := s.run()
	if err != nil {
		return nil, fmt.Errorf("edit policy: %w", err)
	}
	return Parse(text)
}

// Append returns the document with the statements, JSON objects as written, at
// its end; every byte of it stays. The error is that of parsing the result.
func (d *Document) Append(statements ...string) (*Document, error) {
	text := d.Text()
	parsed, err := Parse(text)
	if err != nil || len(statements) == 0 {
		return parsed, err
	}
	list, more := parsed.root.find("Statement"), strings.Join(statements, ",")
	switch {
	case list.kind != nodeArray:
		text = text[:list.start] + "[" + text[list.start:list.end] + "," + more + "]" + text[list.end:]
	default:
		if len(list.items) > 0 {
			more = "," + more
		}
		text = text[:list.end-1] + more + text[list.end-1:]
	}
	return Parse(text)
}

var errTwice = errors.New("edited twice")

// dropStatements marks the statements to remove.
func (d *Document) dropStatements(s *splice, edits []Edit) error {
	list := d.root.find("Statement")
	for _, e := range edits {
		if e.statement < 0 || e.statement >= len(d.Statements) {
			return fmt.Errorf("%s: %w", e, ErrNotFound)
		}
		if e.element == "" {
			if list.kind != nodeArray {
				return fmt.Errorf("%s: %w", e, ErrLast)
			}
			if !s.list(list).change(e.statement, nil) {
				return fmt.Errorf("%s: %w", e, errTwice)
			}
		}
	}
	return nil
}

// mark marks the entries that an edit is about.
func (d *Document) mark(s *splice, e Edit) error {
	parent := d.Statements[e.statement].node
	name := e.element
	switch e.element {
	case "Condition":
		if parent = parent.find("Condition"); parent != nil {
			parent = parent.find(e.kind)
		}
		if parent == nil {
			return ErrNotFound
		}
		name = e.key
	case "Principal":
		if parent = parent.find("Principal"); parent == nil {
			return ErrNotFound
		}
		if parent.kind == nodeString { // a bare "*" or ARN
			if e.kind == PrincipalAWS && e.value == parent.str {
				return ErrLast
			}
			return ErrNotFound
		}
		name = e.kind
	}
	if parent.find(name) == nil {
		return ErrNotFound
	}
	list := s.list(parent.find(name))
	places := list.at[e.value]
	if len(places) == 0 {
		return ErrNotFound
	}
	for i, at := range places {
		with := e.with
		if i > 0 {
			with = nil
		}
		if !list.change(at, with) {
			return errTwice
		}
	}
	switch {
	case list.left > 0:
		return nil
	case e.element != "Principal":
		return ErrLast
	}
	// The last principal of its kind takes the kind with it.
	kinds := s.list(parent)
	kinds.change(slices.IndexFunc(parent.members, func(m member) bool { return m.key == name }), nil)
	if kinds.left == 0 {
		return ErrLast
	}
	return nil
}
