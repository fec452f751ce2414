package evaluate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
)

// Schedule declares how often a principal is started by a schedule. It is
// configuration, reviewed like the exemptions.
type Schedule struct {
	Principal string `yaml:"principal" json:"principal" jsonschema_description:"ARN glob of the role or user."`
	Days      int    `yaml:"period_days" json:"period_days" jsonschema:"minimum=1" jsonschema_description:"Longest time between two runs, in days."`
	Owner     string `yaml:"owner" json:"owner" jsonschema_description:"Who answers for the entry."`
	Reason    string `yaml:"reason" json:"reason" jsonschema_description:"What runs, and how that is known."`
}

// Scheduled sends to review what takes permissions from a principal that a schedule may
// start less often than the window is long: what it does once a quarter looks unused.
type Scheduled struct {
	Declared []Schedule
	// Days is the window; 0 means LeastWindow.
	Days int
}

// scheduling are the services of AWS that start something by a schedule.
func scheduling() []string {
	return []string{"scheduler", "events", "backup", "dlm", "datasync", "ssm"}
}

// Validate returns what is wrong, each with its field.
func (g Scheduled) Validate() error {
	var errs []error
	for i, s := range g.Declared {
		bad := func(field, format string, args ...any) {
			errs = append(errs, fmt.Errorf("permissions.schedules[%d].%s: %s", i, field, fmt.Sprintf(format, args...)))
		}
		if strings.Count(s.Principal, ":") < 5 || !strings.HasPrefix(s.Principal, "arn:") || matchesAll(s.Principal) {
			bad("principal", "%q is not an ARN with six parts, of which one leaves something out", s.Principal)
		}
		if s.Days < 1 || s.Days > 3660 {
			bad("period_days", "is %d, write a number from 1 to 3660", s.Days)
		}
		for _, f := range []struct{ name, text string }{{"owner", s.Owner}, {"reason", s.Reason}} {
			if err := PlainText(f.text); err != nil {
				bad(f.name, "%v", err)
			}
		}
	}
	return errors.Join(errs...)
}

// Name implements Guardrail.
func (Scheduled) Name() string { return "schedule" }

// Check implements Guardrail.
func (g Scheduled) Check(_ context.Context, c Case) (dera.Reason, error) {
	principals, none := c.losing()
	if none != "" {
		return pass("%s", none), nil
	}
	window := orDefault(g.Days, LeastWindow)
	known := ""
	for _, p := range principals {
		declared := g.of(p.ARN)
		if i := slices.IndexFunc(declared, func(s Schedule) bool { return s.Days > window }); i >= 0 {
			r := review("%s runs every %s by %s, which is longer than the window of %d days: %s", p.ARN, count(declared[i].Days, "day"), declared[i].Owner, window, declared[i].Reason)
			r.Ref = declared[i].Principal
			return r, nil
		}
		service, ok := ofService(p, scheduling())
		switch {
		case ok && len(declared) == 0:
			return review("%s may start %s by a schedule, and no entry of permissions.schedules says how often", service, p.ARN), nil
		case ok:
			known = fmt.Sprintf("%s runs every %s, as %s declared", p.ARN, count(declared[0].Days, "day"), declared[0].Owner)
		}
	}
	if known != "" {
		return pass("%s", known), nil
	}
	return pass("no schedule starts it"), nil
}

// of are the declarations about a principal.
func (g Scheduled) of(arn string) (out []Schedule) {
	for _, s := range g.Declared {
		if matchARN(s.Principal, dera.ARN(arn)) {
			out = append(out, s)
		}
	}
	return out
}
