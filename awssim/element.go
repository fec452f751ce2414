package awssim

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
)

// element is one element of an XML request. Methods may be called on nil, which is an absent element.
type element struct {
	name       string
	attributes []attribute
	value      string
	kids       []*element
}

type attribute struct{ name, value string }

// maxDepth bounds how deep elements may nest: the deepest request of S3 has six levels.
const maxDepth = 20

// parseElement reads one XML document.
func parseElement(body []byte) (*element, error) {
	decoder := xml.NewDecoder(bytes.NewReader(body))
	var stack []*element
	var root *element
	for {
		token, err := decoder.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, malformedXML()
		}
		switch t := token.(type) {
		case xml.StartElement:
			e := newElement(t)
			switch {
			case len(stack) > 0:
				top := stack[len(stack)-1]
				top.kids = append(top.kids, e)
			case root == nil:
				root = e
			default:
				return nil, malformedXML()
			}
			if stack = append(stack, e); len(stack) > maxDepth {
				return nil, malformedXML()
			}
		case xml.EndElement:
			if len(stack) == 0 || stack[len(stack)-1].name != t.Name.Local {
				return nil, malformedXML()
			}
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) > 0 {
				stack[len(stack)-1].value += string(t)
			}
		}
	}
	if root == nil || len(stack) > 0 {
		return nil, malformedXML()
	}
	return root, nil
}

func newElement(t xml.StartElement) *element {
	e := &element{name: t.Name.Local}
	for _, a := range t.Attr {
		name := a.Name.Local
		if a.Name.Space != "" {
			name = a.Name.Space + ":" + name
		}
		e.attributes = append(e.attributes, attribute{name, a.Value})
	}
	return e
}

func malformedXML() *Error {
	return errorf(400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
}

func (e *element) first(name string) *element {
	if e == nil {
		return nil
	}
	for _, kid := range e.kids {
		if kid.name == name {
			return kid
		}
	}
	return nil
}

func (e *element) all(name string) []*element {
	if e == nil {
		return nil
	}
	var found []*element
	for _, kid := range e.kids {
		if kid.name == name {
			found = append(found, kid)
		}
	}
	return found
}

// text returns the value of the first child of that name; empty if there is none.
func (e *element) text(name string) string {
	if kid := e.first(name); kid != nil {
		return strings.TrimSpace(kid.value)
	}
	return ""
}

// attribute returns the value of an attribute such as xsi:type.
func (e *element) attribute(name string) string {
	for _, a := range e.attributes {
		if a.name == name {
			return a.value
		}
	}
	return ""
}

// only refuses children of other names, so that nothing is ignored in silence.
func (e *element) only(names ...string) error {
	if e == nil {
		return nil
	}
	for _, kid := range e.kids {
		if !slices.Contains(names, kid.name) {
			return notSimulated("the element %s of %s", kid.name, e.name)
		}
	}
	return nil
}

// write writes the element again, for an answer that gives back what was put.
func (e *element) write(w *encoder) {
	if len(e.kids) == 0 {
		w.text(e.name, strings.TrimSpace(e.value))
		return
	}
	w.begin(e.name)
	for _, kid := range e.kids {
		kid.write(w)
	}
	w.end(e.name)
}

// trail writes the element as CloudTrail shows it: attributes are members, several children of one name an array.
func (e *element) trail(w *encoder) {
	w.name(e.name)
	e.trailValue(w)
}

func (e *element) trailValue(w *encoder) {
	if len(e.kids) == 0 && len(e.attributes) == 0 {
		w.buf = append(w.buf, trailScalar(strings.TrimSpace(e.value))...)
		return
	}
	w.buf = append(w.buf, '{')
	for _, a := range e.attributes {
		w.text(a.name, a.value)
	}
	var done []string
	for _, kid := range e.kids {
		if slices.Contains(done, kid.name) {
			continue
		}
		done = append(done, kid.name)
		alike := e.all(kid.name)
		if len(alike) == 1 {
			kid.trail(w)
			continue
		}
		w.name(kid.name)
		w.buf = append(w.buf, '[')
		for _, one := range alike {
			w.comma()
			one.trailValue(w)
		}
		w.buf = append(w.buf, ']')
	}
	w.buf = append(w.buf, '}')
}

// trailScalar is a value with the type that CloudTrail gives it.
func trailScalar(text string) []byte {
	if text == "true" || text == "false" {
		return []byte(text)
	}
	if n, err := strconv.Atoi(text); err == nil && strconv.Itoa(n) == text && len(text) < 10 {
		return []byte(text)
	}
	quoted, err := json.Marshal(text)
	if err != nil { // a string always marshals
		panic(err)
	}
	return quoted
}
