package evaluate

import (
	"context"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// ActiveSession sends to review what changes the permissions of a principal that is at
// work: one that made a call lately, a denied one too, or whose last known session may
// still run (requirement E2). Whoever is not recorded, or not up to
// now, may be at work. A plan that takes no permission from the principals itself, such
// as one about who else may assume a role, is judged by the sessions of those whom it is
// about: its control does that.
type ActiveSession struct {
	Now func() time.Time
	// Within is how long ago a call makes a principal active; 0 means 48 hours, and less
	// than 0 that nobody is asked.
	Within time.Duration
}

// Name implements Guardrail.
func (ActiveSession) Name() string { return "active-session" }

// Check implements Guardrail.
func (g ActiveSession) Check(_ context.Context, c Case) (dera.Reason, error) {
	within := g.Within
	if within == 0 {
		within = 48 * time.Hour
	}
	principals, none := c.losing()
	switch {
	case none != "":
		return pass("%s", none), nil
	case c.Threat:
		return pass("GuardDuty reports that somebody else acts as it: whether its owner does too is judged by the control"), nil
	case within < 0 && c.Stops:
		return pass("permissions.active_session is 0s; " + awsTells), nil
	case within < 0:
		return pass("permissions.active_session is 0s: whether it is in use is judged for each permission alone"), nil
	}
	var active, unknown []string
	for _, p := range principals {
		if p.Use == nil && c.Stops {
			unknown = append(unknown, p.ARN)
			continue
		}
		if why := g.active(p, within); why != "" {
			active = append(active, p.ARN+": "+why)
		}
	}
	if len(active) > 0 {
		return review("%s", someOf(active)), nil
	}
	if len(unknown) > 0 {
		return pass("nothing is recorded of the use of %s; %s", someOf(unknown), awsTells), nil
	}
	return pass("no call within %s, and no session that may still run", inHours(within)), nil
}

// active says why a principal may be at work, or "".
func (g ActiveSession) active(p resource.Principal, within time.Duration) string {
	switch now := g.Now(); {
	case p.Use == nil:
		return "nothing is recorded of its use"
	case !p.Use.Seen.IsZero() && now.Sub(p.Use.Seen) < within:
		return "it made a call at " + minute(p.Use.Seen) + ", within " + inHours(within)
	case p.Use.SessionEnd.After(now):
		return "its last known session may run until " + minute(p.Use.SessionEnd)
	case resource.Stale(p.Use.To, now):
		return "the record of its use is stale: it ends at " + minute(p.Use.To)
	}
	return ""
}
