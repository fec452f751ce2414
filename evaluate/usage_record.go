package evaluate

import (
	"context"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// LeastWindow is the fewest days that a principal must not have used a permission.
const LeastWindow = 90

// UsageRecord sends to review what takes permissions from a principal whose use is not
// recorded whole, for long enough and up to now (requirement E3).
type UsageRecord struct {
	Now func() time.Time
	// Days is the window; 0 means LeastWindow.
	Days int
}

// Name implements Guardrail.
func (UsageRecord) Name() string { return "usage-record" }

// Check implements Guardrail.
func (g UsageRecord) Check(_ context.Context, c Case) (dera.Reason, error) {
	principals, none := c.losing()
	if none != "" {
		return pass("%s", none), nil
	}
	if c.Stops {
		return pass(awsTells), nil
	}
	for _, p := range principals {
		if why := g.doubt(p.Use); why != "" {
			return review("%s: %s", p.ARN, why), nil
		}
	}
	return pass("the use of %s is recorded for %d days", count(len(principals), "principal"), orDefault(g.Days, LeastWindow)), nil
}

// doubt says why a record shows nothing, or "".
func (g UsageRecord) doubt(u *resource.Use) string {
	if u == nil {
		return "nothing is recorded of its use"
	}
	var kinds []string
	why := ""
	for _, gap := range u.Gaps { // which data events are recorded is judged for each permission
		if gap.Kind == resource.GapOfDataEvents || slices.Contains(kinds, gap.Kind) {
			continue
		}
		if why == "" {
			why = gap.Why
		}
		kinds = append(kinds, gap.Kind)
	}
	window := orDefault(g.Days, LeastWindow)
	switch {
	case len(kinds) > 0:
		return "the record of its use has gaps (" + someOf(kinds) + "): " + why
	case u.From.IsZero() || u.To.Sub(u.From) < days(window):
		return "its use is recorded for " + count(max(0, int(u.To.Sub(u.From)/days(1))), "day") + ", less than " + count(window, "day")
	case resource.Stale(u.To, g.Now()):
		return "the record of its use is stale: it ends at " + minute(u.To)
	}
	return ""
}
