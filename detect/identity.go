package detect

import (
	"slices"

	"dera"
	"dera/control"
)

// identify gives each failure of a control the ID of the finding that it
// continues: the one of the same key, else, of a range of ports, the one that it
// has the most ports in common with, open ones first. So history, flapping and the
// time to remediate survive a change of the range. What continues nothing gets an
// ID of its own.
func (a Assessment) identify(ctl string, failures []control.Failure, before []dera.Finding) []string {
	ids := make([]string, len(failures))
	taken := map[string]bool{}
	var old []dera.Finding
	for _, f := range before {
		if f.Control == ctl {
			old = append(old, f)
		}
	}
	take := func(i int, id string) { ids[i], taken[id] = id, true }
	for i, fail := range failures {
		if at := slices.IndexFunc(old, func(f dera.Finding) bool { return f.Key == fail.Key && !taken[f.ID] }); at >= 0 {
			take(i, old[at].ID)
		}
	}
	for i, fail := range failures {
		r, ok := dera.ParseKey(fail.Key)
		if ids[i] != "" || !ok {
			continue
		}
		var best dera.Finding
		most := 0
		for _, f := range old {
			o, ok := dera.ParseKey(f.Key)
			n := r.Overlap(o)
			if !ok || taken[f.ID] || n == 0 {
				continue
			}
			open, was := f.State != dera.FindingResolved, best.State != dera.FindingResolved
			if most == 0 || open && !was || open == was && n > most {
				best, most = f, n
			}
		}
		if most > 0 {
			take(i, best.ID)
		}
	}
	for i, fail := range failures {
		for key := fail.Key; ids[i] == ""; key += "+" {
			id := dera.FindingID(a.Resource.Key(), ctl, key)
			inUse := slices.ContainsFunc(old, func(f dera.Finding) bool { return f.ID == id && f.Key != fail.Key })
			if !taken[id] && !inUse {
				take(i, id)
			}
		}
	}
	return ids
}
