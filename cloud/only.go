package cloud

import (
	"slices"

	"dera.example/dera"
)

// Only finds what a region, or an account, has once, under an ID that everybody knows:
// other IDs are missing.
func Only(r *Reading, id, name string, arn dera.ARN, config any) (found Found) {
	for _, other := range r.Scope.IDs {
		if other != id {
			found.Missing = append(found.Missing, other)
		}
	}
	if r.Scope.Sweep() || slices.Contains(r.Scope.IDs, id) {
		found.Items = []*Item{NewItem(r, id, name, arn, config)}
	}
	return found
}
