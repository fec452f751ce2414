package scope

import (
	"slices"
	"strings"

	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
)

// Unused says why the absence of an action from the record of use means that it
// was not used.
type Unused struct {
	Action string `json:"action"`
	Class  string `json:"class"`
	Source string `json:"source"`
	// Companions are the entries of what the action is used with that the
	// policies allowed, none of which stays; Checked counts all that it is used
	// with.
	Companions []string `json:"companions,omitempty"`
	Checked    int      `json:"checked"`
}

// unused gives the reasons of all that was dropped, sorted.
func (n *narrower) unused(all []dropped) []Unused {
	allowed := n.allowed()
	var out []Unused
	for _, a := range gone(all) {
		u := Unused{Action: a.Name, Class: a.Class.String(), Source: a.Source(), Checked: len(a.With)}
		for _, with := range a.With {
			if allowed(with) {
				u.Companions = append(u.Companions, with)
			}
		}
		out = append(out, u)
	}
	return out
}

// allowed tells of an entry of Evidence.With whether the policy allowed something
// that it stands for.
func (n *narrower) allowed() func(with string) bool {
	known := map[string]bool{}
	doc := &policy.Document{}
	for i := range n.Policy.Statements {
		if st := n.Policy.Statements[i]; st.Effect == policy.Allow {
			doc.Statements = append(doc.Statements, policy.Statement{Effect: policy.Allow, Actions: st.Actions})
		}
	}
	return func(with string) bool {
		is, done := known[with]
		if !done {
			if _, name, _ := strings.Cut(with, ":"); name == catalog.NoPureRead || strings.ContainsAny(name, "*?") {
				is = n.allowedBy(doc, with) != ""
			} else {
				_, is = n.why[strings.ToLower(with)]
			}
			known[with] = is
		}
		return is
	}
}

// Unclear returns the prefixes that the unclear services of the usage stand
// for, sorted, and whether one stands for none.
func (in Input) Unclear() (prefixes []string, unknown bool) {
	c := in.Catalogue
	if c == nil {
		c = catalog.Embedded()
	}
	for _, u := range in.Usage {
		for _, name := range u.unclear() {
			found := c.Prefixes(name)
			prefixes, unknown = append(prefixes, found...), unknown || len(found) == 0
		}
	}
	slices.Sort(prefixes)
	return slices.Compact(prefixes), unknown
}
