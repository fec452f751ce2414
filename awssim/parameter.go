package awssim

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// parameters is one node of a query-protocol request: IpPermissions.1.FromPort=22 is the leaf "22" under three names.
// Methods may be called on nil, which is an absent parameter.
type parameters struct {
	value string
	kids  map[string]*parameters
}

// parseParameters builds the tree of a form; of a repeated name the first value counts, as in AWS.
func parseParameters(form url.Values) *parameters {
	root := &parameters{}
	for name, values := range form {
		node := root
		for part := range strings.SplitSeq(name, ".") {
			if node.kids == nil {
				node.kids = map[string]*parameters{}
			}
			next, ok := node.kids[part]
			if !ok {
				next = &parameters{}
				node.kids[part] = next
			}
			node = next
		}
		node.value = values[0]
	}
	return root
}

func (p *parameters) get(name string) *parameters {
	if p == nil {
		return nil
	}
	return p.kids[name]
}

// has reports whether the request named the parameter, be it empty.
func (p *parameters) has(name string) bool {
	return p.get(name) != nil
}

func (p *parameters) text(name string) string {
	if kid := p.get(name); kid != nil {
		return kid.value
	}
	return ""
}

// isTrue reports whether the parameter is a true boolean.
func (p *parameters) isTrue(name string) bool {
	return strings.EqualFold(p.text(name), "true")
}

// number returns the integer parameter and whether it was given; it fails as AWS does for text that is no number.
func (p *parameters) number(name string) (value int, given bool, err error) {
	text := p.text(name)
	if text == "" {
		return 0, false, nil
	}
	value, err = strconv.Atoi(text)
	if err != nil {
		return 0, true, errorf(400, "InvalidParameterValue", "Invalid value '%s' for %s. Must be an integer", text, lowerFirst(name))
	}
	return value, true, nil
}

// list returns the members of a list parameter (Name.1, Name.2, …) in the order of their indices.
func (p *parameters) list(name string) []*parameters {
	node := p.get(name)
	if node == nil {
		return nil
	}
	indices := make([]int, 0, len(node.kids))
	for key := range node.kids {
		if i, ok := index(key); ok {
			indices = append(indices, i)
		}
	}
	slices.Sort(indices)
	members := make([]*parameters, len(indices))
	for i, n := range indices {
		members[i] = node.kids[strconv.Itoa(n)]
	}
	return members
}

// texts returns a list parameter of plain strings.
func (p *parameters) texts(name string) []string {
	members := p.list(name)
	values := make([]string, len(members))
	for i, m := range members {
		values[i] = m.value
	}
	return values
}

// isList reports whether the node's names are all indices.
func (p *parameters) isList() bool {
	for key := range p.kids {
		if _, ok := index(key); !ok {
			return false
		}
	}
	return len(p.kids) > 0
}

// index reads the place of a list's member, which has one spelling only: "1", not "01".
func index(name string) (int, bool) {
	i, err := strconv.Atoi(name)
	return i, err == nil && i >= 1 && strconv.Itoa(i) == name
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
