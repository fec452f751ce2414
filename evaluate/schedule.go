package evaluate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// Schedule declares how often a principal is started by a schedule. It is
// configuration, reviewed like the exemptions.
type Schedule struct {
	Principal string `yaml:"principal" json:"principal" jsonschema_description:"ARN glob of the role or user."`
	Days      int    `yaml:"period_days" json:"period_days" jsonschema:"minimum=1" jsonschema_description:"Longest time between two runs, in days."`
	Owner     string `yaml:"owner" json:"owner" jsonschema_description:"Who answers for the entry."`
	Reason    string `yaml:"reason" json:"reason" jsonschema_description:"What runs, and how that is known."`
}

// Start is something that AWS starts by the clock.
type Start struct {
	Name       string // for people
	Expression string // cron(…), rate(…) or at(…)
	Off        bool
	Until      time.Time // after it nothing is started; zero is no end
	// Since is from when on it has been as it is: nothing was started by it before. Zero
	// where AWS does not tell.
	Since time.Time
	// Roles are the ARNs of roles that act then, and Services those of AWS that act then
	// in roles of their own, which nobody asked for, by the first label of their names:
	// states, ecs-tasks.
	Roles, Services []string
}

// Starts tells what AWS starts by the clock in an account. What it remembers from before
// since it reads again. It is safe for concurrent use.
type Starts interface {
	Starts(ctx context.Context, account string, since time.Time) ([]Start, error)
}

// Scheduled sends to review what takes permissions from a principal that a schedule may
// start less often than the window is long: what it does once a quarter looks unused.
type Scheduled struct {
	Declared []Schedule
	// Read tells the schedules of AWS; nil where nobody can ask, as in a replay.
	Read Starts
	Now  func() time.Time
	// Days is the window; 0 means LeastWindow.
	Days int
}

// scheduling are the services of AWS that start something by a schedule, those that
// Starts tells of first, and those that have schedules of their own.
func scheduling() (read, others []string) {
	return []string{"scheduler", "events", "backup"}, []string{
		"airflow", "airflow-env", "appflow", "databrew", "datapipeline", "datasync", "dlm", "glue", "imagebuilder", "iotanalytics", "kendra",
		"lookoutequipment", "personalize", "qbusiness", "sagemaker", "ssm",
	}
}

// late is how many days later than its period a start can be in the record: a flexible
// window delays it by a day, and the record may end a day ago ([resource.LateRecords]).
const late = 2

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
func (g Scheduled) Check(ctx context.Context, c Case) (dera.Reason, error) {
	principals, none := c.losing()
	if none != "" {
		return pass("%s", none), nil
	}
	known := ""
	for _, p := range principals {
		if len(p.Services) == 0 && len(g.of(p.ARN)) == 0 {
			continue // nothing but a service starts it
		}
		r, err := g.started(ctx, c, p)
		if err != nil || r.Disposition > dera.Auto {
			return r, err
		}
		known = cmp.Or(known, r.Why)
	}
	return pass("%s", cmp.Or(known, "no schedule starts it: no service of AWS may act as it")), nil
}

// started says by which schedules a principal is started.
func (g Scheduled) started(ctx context.Context, c Case, p resource.Principal) (dera.Reason, error) {
	if p.Idle > 0 {
		g.Days = p.Idle
	}
	window, declared := g.window(), g.of(p.ARN)
	if i := slices.IndexFunc(declared, func(s Schedule) bool { return g.long(s.Days) != "" }); i >= 0 {
		r := review("%s runs every %s by %s, which is %s: %s", p.ARN, count(declared[i].Days, "day"), declared[i].Owner, g.long(declared[i].Days), declared[i].Reason)
		r.Ref = declared[i].Principal
		return r, nil
	}
	read, others := scheduling()
	service, unread := ofService(p, others)
	starts, named := []Start(nil), false
	if g.Read == nil {
		service, unread = ofService(p, append(read, others...))
	} else {
		var err error
		if starts, err = g.Read.Starts(ctx, c.Finding.Account, c.decided()); err != nil {
			return dera.Reason{}, fmt.Errorf("read the schedules of account %s: %w", c.Finding.Account, err)
		}
	}
	for _, s := range starts {
		role := slices.ContainsFunc(s.Roles, func(arn string) bool { return sameRole(dera.ARN(arn), dera.ARN(p.ARN)) })
		named = named || role
		if _, acts := ofService(p, s.Services); !role && !acts {
			continue // to read every expression takes long
		}
		// Which role of a service acts nobody asked: a declaration tells.
		if why, certain := g.rare(s); why != "" && (role && certain || len(declared) == 0) {
			return review("%s may be started by %s, %s", p.ARN, s.Name, why), nil
		}
	}
	if len(declared) > 0 {
		return pass("%s runs every %s, as %s declared", p.ARN, count(declared[0].Days, "day"), declared[0].Owner), nil
	}
	if by, ok := ofService(p, read); ok && !unread && !named {
		service, unread = by, true
	}
	if unread {
		return review("%s may start %s by a schedule, and no entry of permissions.schedules says how often", service, p.ARN), nil
	}
	if g.Read == nil {
		return review("what starts %s by a schedule was not read, and no entry of permissions.schedules says how often it runs", p.ARN), nil
	}
	return pass("no schedule of the covered regions starts it less often than every %d days", window), nil
}

// sameRole: the names of an account's roles differ, whatever their paths.
func sameRole(a, b dera.ARN) bool {
	return a.Account() == b.Account() && strings.HasPrefix(b.Resource(), "role/") && a.Name() == b.Name()
}

// long says of a period that the window may not hold a start, or "".
func (g Scheduled) long(days int) string {
	switch window := g.window(); {
	case days > window:
		return fmt.Sprintf("longer than the window of %d days", window)
	case days+late > window:
		return fmt.Sprintf("about as long as the window of %d days", window)
	}
	return ""
}

func (g Scheduled) window() int { return orDefault(g.Days, LeastWindow) }

// Rare reports whether something may be started less often than the window is long.
func (g Scheduled) Rare(s Start) bool {
	why, _ := g.rare(s)
	return why != ""
}

// rare says why something is started less often than the window is long, and whether
// that is certain; "" where it is not, or not any more.
func (g Scheduled) rare(s Start) (why string, certain bool) {
	now := g.Now()
	if !s.Until.IsZero() && s.Until.Before(now) {
		return "", false
	}
	if at, ok := strings.CutPrefix(s.Expression, "at("); ok {
		const day = 24 * time.Hour // the expression names a time of some zone
		when, err := time.Parse("2006-01-02T15:04:05", strings.TrimSuffix(at, ")"))
		if err == nil && when.Add(day).Before(now) {
			return "", false
		}
		return "which runs once: " + s.Expression, true
	}
	if s.Since.After(now) {
		return "which begins only at " + minute(s.Since) + ": " + s.Expression, true
	}
	switch days, ok := longestPeriod(s.Expression); {
	case s.Off:
		return "which is switched off, so that nobody knows when it runs next", false
	case !ok:
		return "and its expression does not say how often that is: " + s.Expression, false
	case g.long(days) != "":
		return fmt.Sprintf("which runs every %s, %s: %s", count(days, "day"), g.long(days), s.Expression), true
	case !s.Since.IsZero() && s.Since.AddDate(0, 0, days+late).After(now):
		return fmt.Sprintf("which is as it is only since %s and may not have run yet: %s", minute(s.Since), s.Expression), false
	}
	return "", false
}

// of are the declarations about a principal.
func (g Scheduled) of(arn string) (out []Schedule) {
	for _, s := range g.Declared {
		if dera.MatchARN(s.Principal, dera.ARN(arn)) {
			out = append(out, s)
		}
	}
	return out
}
