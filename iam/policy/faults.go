package policy

import (
	"encoding/base64"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Reasons of [Faults] that are not among the recorded answers of AWS, and on
// which page of AWS they are.
const (
	// ReasonSidCharacters: "The Sid element supports ASCII uppercase letters (A-Z),
	// lowercase letters (a-z), and numbers (0-9)."
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html
	ReasonSidCharacters = "Statement IDs (SID) must be alpha-numeric."
	// ReasonAction: a name has letters and digits, and wildcards.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
	ReasonAction = "The action is not valid."
	// ReasonValue: the value is not of the type of its operator.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
	ReasonValue = "The value is not of the type of its condition operator."
	// ReasonWildcard: "You cannot use a wildcard to match part of a principal name
	// or ARN."
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
	ReasonWildcard = "A principal is named in full, or by * alone."
	// ReasonEmpty: a list that must have an entry has none.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
	ReasonEmpty = "The list is empty."
)

// Faults returns everything that AWS would refuse in a text as a policy of the
// kind, in the order of the text. It is stricter than [Document.Validate], which
// answers as AWS was seen to answer: it also refuses what AWS's documentation
// does. A text without faults is valid in both.
func Faults(text string, k Kind) []*Error {
	doc, all := parse(text)
	if doc != nil && doc.root.kind == nodeObject {
		v := &validator{doc: doc, kind: k}
		v.all()
		v.each(v.strict)
		all = append(all, v.faults...)
	}
	slices.SortStableFunc(all, func(a, b *Error) int { return a.At.Offset - b.At.Offset })
	return slices.CompactFunc(all, func(a, b *Error) bool { return a.At == b.At && a.Reason == b.Reason && a.Detail == b.Detail })
}

// strict checks what the documentation refuses.
func (v *validator) strict(st *Statement) {
	if (v.kind.identityLike() || v.kind == Trust) && strings.Trim(st.Sid, alphanumeric) != "" {
		v.fail(st.node.find("Sid"), ReasonSidCharacters, "%q", st.Sid)
	}
	for _, name := range []string{"Action", "NotAction"} {
		for _, n := range v.entries(st, name) {
			if _, action, _ := strings.Cut(n.str, ":"); strings.Trim(action, alphanumeric+"*?-_.:") != "" {
				v.fail(n, ReasonAction, "action %q: a name has letters and digits", n.str)
			}
		}
	}
	if v.kind == Resource {
		for _, name := range []string{"Resource", "NotResource"} {
			if n := st.node.find(name); n != nil && n.kind == nodeArray && len(n.items) == 0 {
				v.fail(n, ReasonEmpty, "%s", name)
			}
		}
	}
	for _, name := range []string{"Principal", "NotPrincipal"} {
		if n := st.node.find(name); n != nil && n.kind == nodeObject {
			v.strictPrincipal(name, n)
		}
	}
	v.conditions(st, v.strictCondition)
}

const alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

func (v *validator) strictPrincipal(name string, n *node) {
	if len(n.members) == 0 {
		v.fail(n, ReasonEmpty, "%s", name)
	}
	for _, m := range n.members {
		if m.value.kind == nodeArray && len(m.value.items) == 0 {
			v.fail(m.value, ReasonEmpty, "%s %s", name, m.key)
		}
		for _, e := range m.value.elements() {
			if m.key == PrincipalAWS && e.kind == nodeString && e.str != "*" && strings.ContainsAny(e.str, "*?") {
				v.fail(e, ReasonWildcard, "%q", e.str)
			}
		}
	}
}

// strictCondition checks a condition key and its values.
func (v *validator) strictCondition(op Operator, m member) {
	if vendor, name, found := strings.Cut(m.key, ":"); !found || vendor == "" || name == "" {
		v.faults = append(v.faults, fault(v.doc.text, m.keyStart, ReasonVendor, "condition key %q", m.key))
	}
	for _, n := range m.value.elements() {
		if (n.kind == nodeString || n.kind == nodeBool || n.kind == nodeNumber) && !readable(op.Test, n.str) {
			v.fail(n, ReasonValue, "%q under %s", n.str, op)
		}
	}
}

// readable reports whether a value is of the type of an operator. A variable may
// be; dates have been looked at.
func readable(test, value string) bool {
	switch {
	case strings.Contains(value, "${"):
		return true
	case test == "Bool", test == "Null":
		return strings.EqualFold(value, "true") || strings.EqualFold(value, "false")
	case test == "BinaryEquals":
		_, err := base64.StdEncoding.Strict().DecodeString(value)
		return err == nil
	case strings.HasPrefix(test, "Numeric"):
		_, err := strconv.ParseFloat(value, 64)
		return err == nil && strings.Trim(value, "0123456789.eE+-") == ""
	case strings.HasSuffix(test, "IpAddress"):
		_, err := netip.ParsePrefix(value)
		a, alone := netip.ParseAddr(value)
		return err == nil || alone == nil && a.Zone() == ""
	}
	return true
}

// Name is an action or a condition key with its place.
type Name struct {
	Text   string
	Offset int // in the text, see [Document.Position]
}

// Position turns a place in the text into line and column.
func (d *Document) Position(offset int) Position { return position(d.text, offset) }

// Actions returns the entries of all Action and NotAction elements.
func (d *Document) Actions() []Name {
	var out []Name
	for i := range d.Statements {
		for _, element := range []string{"Action", "NotAction"} {
			if n := d.Statements[i].node.find(element); n != nil {
				for _, e := range n.elements() {
					if e.kind == nodeString {
						out = append(out, Name{e.str, e.start})
					}
				}
			}
		}
	}
	return out
}

// Keys returns the condition keys of all statements, and the empty lists of
// values.
func (d *Document) Keys() (keys, empty []Name) {
	for i := range d.Statements {
		condition := d.Statements[i].node.find("Condition")
		if condition == nil {
			continue
		}
		for _, block := range condition.members {
			for _, m := range block.value.members {
				name := Name{m.key, m.keyStart}
				keys = append(keys, name)
				if m.value.kind == nodeArray && len(m.value.items) == 0 {
					empty = append(empty, name)
				}
			}
		}
	}
	return keys, empty
}
