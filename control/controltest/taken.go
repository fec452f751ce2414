package controltest

import (
	"slices"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// holdTaken: of every write of a plan, and of its undo, it is known what it takes away, so
// that dera why can answer; and where the evidence shows something that is denied
// afterwards, a write of it says that it can deny.
func (l Laws) holdTaken(t TB, p dera.Plan, ev dera.Evidence) {
	t.Helper()
	denies := false
	for i, c := range p.Changes {
		writes := []dera.Change{c}
		if undo, ok := resource.Reversed(c); ok {
			writes = append(writes, undo)
		}
		for n, w := range writes {
			taken, err := l.Type.Taken(p, w)
			if err != nil {
				t.Errorf("change %d: what %s takes away: %v", i, w.Operation, err)
				continue
			}
			policy := slices.Contains([]resource.Denies{resource.DeniesByIdentity, resource.DeniesByResource, resource.DeniesByTrust}, taken.Denies)
			if policy && taken.Before == "" && taken.After == "" {
				t.Errorf("change %d: %s names no policy", i, w.Operation)
			}
			if taken.Denies == resource.DeniesByTrust || taken.Denies == resource.DeniesByResource {
				if !slices.Contains(taken.Resources, string(p.Resource)) {
					t.Errorf("change %d: %s does not apply to calls on %s", i, w.Operation, p.Resource)
				}
			}
			denies = denies || n == 0 && taken.Denies != resource.DeniesNothing
		}
	}
	if ev.Denied != "" && !denies {
		t.Errorf("the plan denies %s, and no write of it says that it can", ev.Denied)
	}
}
