package evaluate

import (
	"context"

	"dera.example/dera"
)

// Overwritten sends to review a resource on which an earlier fix may have written
// over someone else's change: what is there is not what everybody thinks.
type Overwritten struct{}

// Name implements Guardrail.
func (Overwritten) Name() string { return "overwritten" }

// Check implements Guardrail. It is over when that fix was rolled back.
func (Overwritten) Check(_ context.Context, c Case) (dera.Reason, error) {
	for _, r := range c.Earlier {
		if r.Overwrote != "" && r.State != dera.RolledBack {
			why := review("a fix of this resource (%s) may have overwritten %s; compare what is there with what was meant, then roll it back or exempt it", r.ID, r.Overwrote)
			why.Ref = r.ID
			return why, nil
		}
	}
	return pass("no earlier fix wrote over someone else's change"), nil
}
