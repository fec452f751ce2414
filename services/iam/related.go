package iam

import (
	"slices"
	"strings"

	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
)

// related is the part of some policies that can decide whether some actions stay: the
// entries of the services of what those are used with, of what that is used with, and so
// on; nil where there is none.
func related(actions []string, docs []*policy.Document) *policy.Document {
	c := catalog.Embedded()
	var reached []string
	add := func(e *catalog.Known) {
		if e.Class == catalog.Unknown {
			return // it stays whatever else does
		}
		for i := range e.Companions {
			if service := e.Companions[i].Service; !slices.Contains(reached, service) {
				reached = append(reached, service)
			}
		}
	}
	for _, a := range actions {
		if e := c.Find(a); e != nil { // of others nothing is known that they are used with
			add(e)
		}
	}
	if len(reached) == 0 {
		return nil
	}
	entries := map[string][]string{} // by service
	for _, d := range docs {
		for i := range d.Statements {
			if st := &d.Statements[i]; st.Effect == policy.Allow {
				for _, e := range st.Actions {
					service, _, _ := strings.Cut(e, ":")
					service = strings.ToLower(service)
					entries[service] = append(entries[service], e)
				}
			}
		}
	}
	sorted := func(service string) []string {
		slices.Sort(entries[service])
		return slices.Compact(entries[service])
	}
	var all []string
	for n := 0; n < len(reached); n++ {
		for _, entry := range sorted(reached[n]) {
			all = append(all, entry)
			known, _ := c.Matched(entry)
			for _, a := range known {
				add(a)
			}
		}
	}
	// An entry that is no service's, as with a wildcard in its place, is nobody's here: the
	// catalogue knows nothing of it, so that it stays and holds.
	for service := range entries {
		if !c.Known(service) {
			all = append(all, sorted(service)...)
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	return &policy.Document{Version: policy.Version2012, Statements: []policy.Statement{{Effect: policy.Allow, Actions: all, Resources: []string{"*"}}}}
}
