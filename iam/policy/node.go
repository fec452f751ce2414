package policy

import "slices"

// node is one JSON value with its place in the text. The tree keeps source
// order and every string's exact span: edits cut and paste by these spans.
type node struct {
	kind       nodeKind
	start, end int
	str        string   // decoded string; spelling of a number or boolean
	members    []member // of an object
	items      []*node  // of an array
}

type member struct {
	key      string
	keyStart int
	value    *node
}

type nodeKind uint8

const (
	nodeObject nodeKind = iota + 1
	nodeArray
	nodeString
	nodeNumber
	nodeBool
	nodeNull
)

// String names the kind for error details.
func (k nodeKind) String() string {
	return [...]string{"nothing", "an object", "an array", "a string", "a number", "a boolean", "null"}[k]
}

// find returns the value of a key of an object, or nil.
func (n *node) find(key string) *node {
	for i := range n.members {
		if n.members[i].key == key {
			return n.members[i].value
		}
	}
	return nil
}

// elements returns the entries of a string-or-array value.
func (n *node) elements() []*node {
	if n.kind == nodeArray {
		return n.items
	}
	return []*node{n}
}

// malformed reports whether an object has one of the keys with neither a string
// nor an array, which is a fault of its own.
func (n *node) malformed(keys ...string) bool {
	return slices.ContainsFunc(keys, func(key string) bool {
		v := n.find(key)
		return v != nil && v.kind != nodeString && v.kind != nodeArray
	})
}
