package evaluate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"dera.example/dera"
)

// QuietHours are the times in which no permission is changed automatically, since
// nobody would see what breaks. The zero value is Friday from 12:00 and the weekend, in
// UTC.
type QuietHours struct {
	Zone       string    `yaml:"zone,omitempty" json:"zone,omitempty" jsonschema_description:"IANA time zone, for example Europe/Berlin. Default: UTC."`
	FridayFrom string    `yaml:"friday_from,omitempty" json:"friday_from,omitempty" jsonschema_description:"Clock from which Friday is quiet; 24:00: not at all. Default: 12:00."`
	Weekend    *bool     `yaml:"weekend,omitempty" json:"weekend,omitempty" jsonschema_description:"Whether Saturday and Sunday are quiet. Default: true."`
	Holidays   []string  `yaml:"holidays,omitempty" json:"holidays,omitempty" jsonschema_description:"Days such as 2026-12-24; each is quiet, and the day before."`
	Releases   []Release `yaml:"releases,omitempty" json:"releases,omitempty" jsonschema_description:"Release freezes."`
	Off        bool      `yaml:"off,omitempty" json:"off,omitempty" jsonschema_description:"Switches all of it off. Default: false."`
}

// Release is a release freeze, once.
type Release struct {
	Name  string `yaml:"name" json:"name" jsonschema_description:"For people; stands in decisions."`
	From  string `yaml:"from" json:"from" jsonschema_description:"Day (2026-12-20), or day, T and clock."`
	Until string `yaml:"until" json:"until" jsonschema_description:"Day, to its end, or day, T and clock."`
}

// Quiet sends to review what changes permissions in quiet hours. The gate is asked
// again right before the first write, so what was decided before is held back in them.
type Quiet struct {
	off      bool
	now      func() time.Time
	zone     *time.Location
	friday   int // minutes of the day
	weekend  bool
	holidays []time.Time
	releases []release
}

// release is a Release as it was understood.
type release struct {
	name        string
	from, until time.Time
}

// NewQuiet understands the quiet hours; every error names its field, such as
// permissions.quiet_hours.zone.
func NewQuiet(h QuietHours, now func() time.Time) (Quiet, error) {
	g := Quiet{now: now, off: h.Off, weekend: h.Weekend == nil || *h.Weekend, zone: time.UTC}
	var errs []error
	bad := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("permissions.quiet_hours.%s: %s", field, fmt.Sprintf(format, args...)))
	}
	if zone, err := time.LoadLocation(h.Zone); err != nil || h.Zone == "Local" {
		bad("zone", "%q is not an IANA time zone such as Europe/Berlin or UTC", h.Zone)
	} else {
		g.zone = zone
	}
	var err error
	if g.friday, err = clock(h.FridayFrom, 12*60); err != nil {
		bad("friday_from", "%v", err)
	}
	for i, text := range h.Holidays {
		day, err := time.ParseInLocation(time.DateOnly, text, g.zone)
		if err != nil {
			bad(fmt.Sprintf("holidays[%d]", i), "%q is not a day such as 2026-12-24", text)
		}
		g.holidays = append(g.holidays, day)
	}
	for i, r := range h.Releases {
		field := fmt.Sprintf("releases[%d]", i)
		one := release{name: r.Name}
		var fromErr, untilErr error
		if strings.TrimSpace(r.Name) == "" {
			bad(field+".name", "is mandatory")
		}
		if one.from, fromErr = moment(r.From, g.zone, false); fromErr != nil {
			bad(field+".from", "%v", fromErr)
		}
		if one.until, untilErr = moment(r.Until, g.zone, true); untilErr != nil {
			bad(field+".until", "%v", untilErr)
		}
		if fromErr == nil && untilErr == nil && !one.from.Before(one.until) {
			bad(field+".until", "is not after from")
		}
		g.releases = append(g.releases, one)
	}
	return g, errors.Join(errs...)
}

// Name implements Guardrail.
func (Quiet) Name() string { return "quiet-hours" }

// Check implements Guardrail.
func (g Quiet) Check(_ context.Context, c Case) (dera.Reason, error) {
	switch _, none := c.losing(); {
	case none != "":
		return pass("%s", none), nil
	case g.off:
		return pass("permissions.quiet_hours is off"), nil
	}
	if what := g.holds(g.now()); what != "" {
		r := review("it is quiet, so that nobody would see what breaks: %s, %s", what, g.zone)
		r.Ref = what
		return r, nil
	}
	return pass("it is not within quiet hours"), nil
}

// holds says which quiet hours it is, or "".
func (g Quiet) holds(at time.Time) string {
	for _, r := range g.releases {
		if !at.Before(r.from) && at.Before(r.until) {
			return fmt.Sprintf("release %q until %s", r.name, r.until.In(g.zone).Format("2006-01-02 15:04"))
		}
	}
	t := at.In(g.zone)
	today, tomorrow := t.Format(time.DateOnly), t.AddDate(0, 0, 1).Format(time.DateOnly)
	for _, day := range g.holidays {
		switch day.Format(time.DateOnly) {
		case today:
			return "holiday " + today
		case tomorrow:
			return "the day before the holiday " + tomorrow
		}
	}
	switch day := t.Weekday(); {
	case day == time.Friday && t.Hour()*60+t.Minute() >= g.friday:
		return fmt.Sprintf("Friday from %02d:%02d", g.friday/60, g.friday%60)
	case g.weekend && (day == time.Saturday || day == time.Sunday):
		return "the weekend"
	}
	return ""
}
