package proof

import (
	"slices"
	"time"

	"dera.example/dera/iam/proof/check"
	"dera.example/dera/iam/scope"
)

// Use is the record of use that a policy was narrowed by.
type Use struct {
	Actions []string // used, by any of the principals
	Unclear []string // prefixes of services of which there were events that are not understood
	Gaps    []string // of the record
	// DataEvents: these were recorded for all resources all the time.
	DataEvents bool
	Window     time.Duration
	Period     time.Duration // 0 means a year
}

// UseOf gathers the record that a policy was narrowed by.
func UseOf(in scope.Input) *Use {
	u := &Use{DataEvents: in.DataEvents != nil, Window: in.Window, Period: in.Period}
	for _, one := range in.Usage {
		u.Actions, u.Gaps = append(u.Actions, one.Actions...), append(u.Gaps, one.Gaps...)
	}
	u.Unclear, _ = in.Unclear()
	if slices.Contains(u.Gaps, "data-events-not-selected") {
		u.DataEvents = false
	}
	return u
}

const day = 24 * time.Hour

// unused writes why what was removed was not used, if that is claimed.
func (c Change) unused(to *check.Certificate) error {
	if c.Unused == nil || !c.narrow() {
		return nil
	}
	period := c.Unused.Period
	if period == 0 {
		period = 365 * day
	}
	to.Purpose = check.Scope
	to.Unused = &check.Unused{
		DataEvents: c.Unused.DataEvents, Days: int(c.Unused.Window / day), Period: int(period / day),
		Gaps: unique(c.Unused.Gaps), Unclear: unique(c.Unused.Unclear), Used: unique(c.Unused.Actions),
	}
	return to.Fill(c.Old, c.New, c.Beside)
}

func unique(list []string) []string { return slices.Compact(sorted(list)) }
