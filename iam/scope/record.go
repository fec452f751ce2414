package scope

import (
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
	unseenUse string            // an action that was used, that no source speaks of, and that does more than read
}

func newRecord(in Input) *record {
	type use struct {
		lower string
		known *catalog.Known
	}
	most := 0
	for _, u := range in.Usage {
		most = max(most, len(u.Actions))
	}
	all := make([]use, 0, most)
	r := &record{used: make(map[string]string, most), unclear: map[string]string{}, wrote: map[string]string{}}
	for _, u := range in.Usage {
		for _, a := range u.Actions {
			one := use{known: in.Catalogue.Find(a)}
			if one.known != nil {
				one.lower = one.known.Lower
			} else {
				one.lower = strings.ToLower(a)
			}
			if _, ok := r.used[one.lower]; !ok {
				all = append(all, one)
			}
			r.used[one.lower] = a
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
	slices.SortFunc(all, func(a, b use) int { return strings.Compare(a.lower, b.lower) })
	for _, u := range all {
		a, k := r.used[u.lower], u.known
		r.order = append(r.order, u.lower)
		if k == nil {
			r.strange = append(r.strange, a)
			k = &catalog.Known{Evidence: in.Catalogue.Evidence(a)}
		}
		if !k.PureRead && r.wrote[k.Action.Service] == "" {
			r.wrote[k.Action.Service] = a
		}
		if !k.PureRead && k.Class == catalog.Unknown && r.unseenUse == "" {
			r.unseenUse = a
		}
	}
	return r
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
