package scope

import (
	"maps"
	"slices"
	"strings"

	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
)

// record is what was used, as policies are narrowed by it.
type record struct {
	used      map[string]string // in lower case -> as it was written
	order     []string          // its keys, sorted
	strange   []string          // those that the catalogue does not have, sorted
	unclear   map[string]string // services -> the name that was given
	unknown   string            // a source of events that stands for no service
	wrote     map[string]string // service -> an action that was used and does more than read
	facts     map[string]fact   // of actions, as they are written in the catalogue
	unseenUse string            // an action that was used, that no source speaks of, and that does more than read
}

func newRecord(in Input) *record {
	r := &record{used: map[string]string{}, unclear: map[string]string{}, wrote: map[string]string{}, facts: map[string]fact{}}
	for _, u := range in.Usage {
		for _, a := range u.Actions {
			r.used[strings.ToLower(a)] = a
		}
		for _, name := range u.unclear() {
			prefixes := in.Catalogue.Prefixes(name)
			if len(prefixes) == 0 {
				r.unknown = name
			}
			for _, p := range prefixes {
				r.unclear[p] = name
			}
		}
	}
	r.order = slices.Sorted(maps.Keys(r.used))
	for _, lower := range r.order {
		a := r.used[lower]
		if _, known := in.Catalogue.Action(a); !known {
			r.strange = append(r.strange, a)
		}
		e := in.Catalogue.Evidence(a)
		if !e.PureRead && r.wrote[e.Action.Service] == "" {
			r.wrote[e.Action.Service] = a
		}
		if !e.PureRead && e.Class == catalog.Unknown && r.unseenUse == "" {
			r.unseenUse = a
		}
	}
	return r
}

// fact is what is known of an action.
type fact struct {
	lower string
	catalog.Evidence
}

// fact looks an action up once.
func (n *narrower) fact(action string) fact {
	f, ok := n.facts[action]
	if !ok {
		f = fact{strings.ToLower(action), n.Catalogue.Evidence(action)}
		n.facts[action] = f
	}
	return f
}

// Prepared is the input with its usage looked through, for several questions about it,
// in one goroutine. The usage and the catalogue must not change after. The error is about the usage, and
// refused says why nothing can be narrowed by it.
func (in Input) Prepared() (out Input, refused string, err error) {
	limit := in.Limit
	in.Policy = &policy.Document{}
	if refused, err = in.ready(); err != nil || refused != "" {
		return in, refused, err
	}
	in.Limit, in.record = limit, newRecord(in)
	return in, "", nil
}
