package evaluate

import (
	"context"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// NewGrant sends to review what takes permissions from a principal that is new, or
// whose permissions were changed lately: nobody can have used them yet.
type NewGrant struct {
	Now func() time.Time
	// Days is how long a grant is new; 0 means 14.
	Days int
}

// Name implements Guardrail.
func (NewGrant) Name() string { return "new-grant" }

// Check implements Guardrail.
func (g NewGrant) Check(_ context.Context, c Case) (dera.Reason, error) {
	principals, none := c.losing()
	if none != "" {
		return pass("%s", none), nil
	}
	within := orDefault(g.Days, 14)
	for _, p := range principals {
		if why, at := newest(p); !at.IsZero() && g.Now().Sub(at) < days(within) {
			return review("%s %s at %s, less than %s ago", p.ARN, why, minute(at), count(within, "day")), nil
		}
	}
	return pass("nothing was granted within %s", count(within, "day")), nil
}

// newest is the last time at which a principal got permissions, as far as is known.
func newest(p resource.Principal) (why string, at time.Time) {
	why, at = "was made", p.Created
	if p.Granted.After(at) {
		why, at = "got permissions", p.Granted
	}
	if p.Use != nil && p.Use.Granted.After(at) {
		why, at = "got permissions by a recorded call", p.Use.Granted
	}
	return why, at
}
