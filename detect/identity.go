package detect

import (
	"slices"

	"dera.example/dera"
	"dera.example/dera/control"
)

// identify gives each failure of a control the ID of the finding that it
// continues: an open one before a resolved one, of the same key, else, of a range
// of ports, with the most ports in common. So history, flapping and the time to
// remediate survive a change of the range. What continues nothing gets an ID of
// its own.
func (a Assessment) identify(ctl string, failures []control.Failure, before []dera.Finding) []string {
	ids := make([]string, len(failures))
	taken := map[string]bool{}
	for _, p := range pairs(ctl, failures, before) {
		if ids[p.failure] == "" && !taken[p.id] {
			ids[p.failure], taken[p.id] = p.id, true
		}
	}
	for i, fail := range failures {
		for key := fail.Key; ids[i] == ""; key += "+" {
			id := dera.FindingID(a.Resource.Key(), ctl, key)
			inUse := slices.ContainsFunc(before, func(f dera.Finding) bool { return f.ID == id })
			if !taken[id] && !inUse {
				ids[i], taken[id] = id, true
			}
		}
	}
	return ids
}

// pair is a failure and a finding that it could continue.
type pair struct {
	failure int
	id      string
	open    bool
	common  int // ports; more than there are for the same key
}

// pairs are all of them, the best first.
func pairs(ctl string, failures []control.Failure, before []dera.Finding) []pair {
	var out []pair
	for i, fail := range failures {
		for _, f := range before {
			if n := common(fail.Key, f.Key); f.Control == ctl && n > 0 {
				out = append(out, pair{i, f.ID, f.State != dera.FindingResolved, n})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b pair) int {
		switch {
		case a.open && !b.open:
			return -1
		case b.open && !a.open:
			return 1
		}
		return b.common - a.common
	})
	return out
}

// common is how many ports two keys have in common.
func common(a, b string) int {
	if a == b {
		return 1 << 17
	}
	r, ok := dera.ParseKey(a)
	o, ok2 := dera.ParseKey(b)
	if !ok || !ok2 {
		return 0
	}
	return r.Overlap(o)
}

// rolledBack is how often fixes were rolled back of what the failure is about,
// whatever range of ports they were about.
func rolledBack(ctl, key string, before []dera.Finding) int {
	most := 0
	for _, f := range before {
		if f.Control == ctl && common(key, f.Key) > 0 {
			most = max(most, f.RolledBack)
		}
	}
	return most
}
