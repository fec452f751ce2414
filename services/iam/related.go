package iam

import (
	"maps"
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
	entries := map[string]map[string]bool{} // by service
	for _, d := range docs {
		for i := range d.Statements {
			if st := &d.Statements[i]; st.Effect == policy.Allow {
				for _, e := range st.Actions {
					service, _, _ := strings.Cut(strings.ToLower(e), ":")
					if entries[service] == nil {
						entries[service] = map[string]bool{}
					}
					entries[service][e] = true
				}
			}
		}
	}
	var reached []string
	add := func(action string) {
		e := c.Evidence(action)
		if e.Class == catalog.Unknown {
			return // it stays whatever else does
		}
		for _, with := range e.With {
			if service, _, _ := strings.Cut(with, ":"); !slices.Contains(reached, service) {
				reached = append(reached, service)
			}
		}
	}
	for _, a := range actions {
		add(a)
	}
	var all []string
	for n := 0; n < len(reached); n++ {
		for _, entry := range slices.Sorted(maps.Keys(entries[reached[n]])) {
			all = append(all, entry)
			known, _ := c.Expand(entry)
			for _, a := range known {
				add(a)
			}
		}
	}
	// An entry that is no service's, as with a wildcard in its place, is nobody's here: the
	// catalogue knows nothing of it, so that it stays and holds.
	for service, list := range entries {
		if len(reached) > 0 && !c.Known(service) {
			all = append(all, slices.Sorted(maps.Keys(list))...)
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	return &policy.Document{Version: policy.Version2012, Statements: []policy.Statement{{Effect: policy.Allow, Actions: all, Resources: []string{"*"}}}}
}
