package evaluate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"dera.example/dera"
)

// ObservationDays is how long a control is observed in an account before it acts
// automatically (requirement O1).
const ObservationDays = 14

// LookLedger knows when a control was first looked at in an account; the zero
// time if it never was.
type LookLedger interface {
	FirstLook(ctx context.Context, control, account string) (time.Time, error)
}

// Shorter is a named exception from the observation period.
type Shorter struct {
	Match  Where  `yaml:"match,omitempty" json:"match,omitempty" jsonschema_description:"Where it holds. Default: everywhere."`
	Days   int    `yaml:"days" json:"days" jsonschema:"minimum=0,maximum=13" jsonschema_description:"Days of observation there."`
	Who    string `yaml:"who" json:"who" jsonschema_description:"Who answers for it."`
	Reason string `yaml:"reason" json:"reason" jsonschema_description:"Why a shorter observation is enough."`
	Until  string `yaml:"until" json:"until" jsonschema:"pattern=^[0-9]{4}-[0-9]{2}-[0-9]{2}$" jsonschema_description:"Last day, in UTC; after it the whole period counts again."`
}

// Observation sends to review what a control would do automatically before it was
// observed long enough in the account. It counts in mode enforce alone: in the
// other modes nothing is done without a person anyway.
type Observation struct {
	Ledger LookLedger
	Now    func() time.Time
	// Days is the period; 0 means 14, and less only by an entry of Shorter.
	Days    int
	Shorter []Shorter
	// Named says that a person named the mode for this very command.
	Named bool
}

// Validate returns what is wrong, each with its field.
func (g Observation) Validate() error {
	var errs []error
	if g.Days != 0 && (g.Days < ObservationDays || g.Days > 366) {
		errs = append(errs, fmt.Errorf("observation.days: is %d, must be %d to 366; shorter only by observation.shorter, with who, reason and until", g.Days, ObservationDays))
	}
	for i, s := range g.Shorter {
		bad := func(field, format string, args ...any) {
			errs = append(errs, fmt.Errorf("observation.shorter[%d].%s: %s", i, field, fmt.Sprintf(format, args...)))
		}
		if s.Days < 0 || s.Days >= ObservationDays {
			bad("days", "is %d, must be 0 to %d", s.Days, ObservationDays-1)
		}
		if strings.TrimSpace(s.Who) == "" {
			bad("who", "is mandatory")
		}
		if strings.TrimSpace(s.Reason) == "" {
			bad("reason", "is mandatory")
		}
		if _, err := s.end(); err != nil {
			bad("until", "%q is not a day such as 2027-01-31", s.Until)
		}
		if len(s.Match.ResourceTags) > 0 {
			bad("match.resource_tags", "whoever can tag a resource could end its observation")
		}
	}
	return errors.Join(errs...)
}

// end is the moment from which on it holds no more.
func (s Shorter) end() (time.Time, error) {
	day, err := time.Parse(time.DateOnly, s.Until)
	return day.AddDate(0, 0, 1), err
}

// Period is how long the control is observed in the case's account, and the
// exception that makes it so, if any: of those that fit and have not run out the
// last one.
func (g Observation) Period(c Case) (days int, by *Shorter) {
	days = max(g.Days, ObservationDays)
	for i, s := range g.Shorter {
		if end, err := s.end(); err == nil && g.Now().Before(end) && s.Match.Fits(c) {
			days, by = s.Days, &g.Shorter[i]
		}
	}
	return days, by
}

// Name implements Guardrail.
func (Observation) Name() string { return "observation" }

// Check implements Guardrail.
func (g Observation) Check(ctx context.Context, c Case) (dera.Reason, error) {
	switch {
	case c.Mode != dera.Enforce:
		return pass("nothing is done without a person in this mode"), nil
	case g.Named:
		return pass("enforce was named for this very command, so the observation period does not count"), nil
	}
	days, by := g.Period(c)
	because := ""
	if by != nil {
		because = fmt.Sprintf("; shorter until %s by %s: %s", by.Until, by.Who, by.Reason)
	}
	began, err := g.Ledger.FirstLook(ctx, c.Finding.Control, c.Finding.Account)
	if err != nil {
		return dera.Reason{}, err
	}
	if began.IsZero() {
		began = g.Now()
	}
	end := began.Add(time.Duration(days) * 24 * time.Hour)
	if g.Now().Before(end) {
		r := review("this control is only observed in this account until %s, %s from its first look%s", end.UTC().Format("2006-01-02 15:04Z"), count(days, "day"), because)
		r.Ref = began.UTC().Format(time.RFC3339)
		return r, nil
	}
	return pass("observed since %s, %s are wanted%s", began.UTC().Format(time.DateOnly), count(days, "day"), because), nil
}
