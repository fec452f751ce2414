package evaluate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
)

// Window is a time in which changes are frozen, or outside of which they are.
// It is weekly (Days, From, To) or once (From, Until), in the clock of Zone.
type Window struct {
	Name  string   `yaml:"name" json:"name" jsonschema_description:"For people; stands in decisions."`
	Days  []string `yaml:"days,omitempty" json:"days,omitempty" jsonschema_description:"mon to sun; of a weekly window the days on which it begins. Default: every day."`
	From  string   `yaml:"from,omitempty" json:"from,omitempty" jsonschema_description:"Clock (18:00) of a weekly window; day (2026-12-20), with or without T and a clock, of a single one. Default: 00:00."`
	To    string   `yaml:"to,omitempty" json:"to,omitempty" jsonschema_description:"Clock at which a weekly window ends; on the next day if it is not after from. Default: 24:00."`
	Until string   `yaml:"until,omitempty" json:"until,omitempty" jsonschema_description:"Day, to its end, or day, T and clock at which a single window ends."`
	Zone  string   `yaml:"zone" json:"zone" jsonschema_description:"IANA time zone, for example Europe/Berlin or UTC."`
	Match Where    `yaml:"match,omitempty" json:"match,omitempty" jsonschema_description:"Where the window holds. Default: everywhere."`
}

// window is a Window as it was understood. Times of a week are compared on the
// wall clock of the zone, so that they hold also on days with 23 or 25 hours.
type window struct {
	Window
	zone         *time.Location
	days         [7]bool
	from, to     int // minutes of the day
	begin, until time.Time
}

// dayNames are the names of days as they are configured, by time.Weekday.
func dayNames() []string { return []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} }

// parse understands the window; the error names the field.
func (w Window) parse() (window, error) {
	p := window{Window: w, to: 24 * 60}
	var errs []error
	bad := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
	}
	if strings.TrimSpace(w.Name) == "" {
		bad("name", "is mandatory")
	}
	var err error
	if p.zone, err = time.LoadLocation(w.Zone); err != nil || w.Zone == "" || w.Zone == "Local" {
		bad("zone", "%q is not an IANA time zone such as Europe/Berlin or UTC", w.Zone)
		p.zone = time.UTC
	}
	if w.Until != "" {
		if len(w.Days) > 0 || w.To != "" {
			bad("until", "a window with until happens once: it has from, and neither days nor to")
		}
		if p.begin, err = moment(w.From, p.zone, false); err != nil {
			bad("from", "%v", err)
		}
		if p.until, err = moment(w.Until, p.zone, true); err != nil {
			bad("until", "%v", err)
		}
		if len(errs) == 0 && !p.begin.Before(p.until) {
			bad("until", "is not after from")
		}
		return p, errors.Join(errs...)
	}
	for i, d := range w.Days {
		n := slices.Index(dayNames(), strings.ToLower(d))
		if n < 0 {
			bad(fmt.Sprintf("days[%d]", i), "%q is not one of mon, tue, wed, thu, fri, sat, sun", d)
			continue
		}
		p.days[n] = true
	}
	if len(w.Days) == 0 {
		p.days = [7]bool{true, true, true, true, true, true, true}
	}
	if p.from, err = clock(w.From, 0); err != nil || p.from == 24*60 {
		bad("from", "%q is not a clock such as 18:00", w.From)
	}
	if p.to, err = clock(w.To, 24*60); err != nil {
		bad("to", "%v", err)
	}
	if len(w.Days) == 0 && w.From == "" && w.To == "" {
		bad("days", "the window has neither days nor a time: it would hold for ever")
	}
	return p, errors.Join(errs...)
}

// clock reads hours and minutes as minutes of the day.
func clock(text string, unset int) (int, error) {
	if text == "" {
		return unset, nil
	}
	if text == "24:00" {
		return 24 * 60, nil
	}
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != 5 {
		return 0, fmt.Errorf("%q is not a clock such as 18:00", text)
	}
	return t.Hour()*60 + t.Minute(), nil
}

// moment reads a day, which means its beginning or its end, or a day with a clock.
func moment(text string, zone *time.Location, end bool) (time.Time, error) {
	if day, err := time.ParseInLocation(time.DateOnly, text, zone); err == nil {
		if end {
			day = day.AddDate(0, 0, 1)
		}
		return day, nil
	}
	if t, err := time.ParseInLocation("2006-01-02T15:04", text, zone); err == nil {
		return t, nil
	}
	return time.Time{}, fmt.Errorf("%q is not a day such as 2026-12-20 or 2026-12-20T18:00", text)
}

// holds reports whether the window is open at t.
func (w window) holds(t time.Time) bool {
	if w.Until != "" {
		return !t.Before(w.begin) && t.Before(w.until)
	}
	t = t.In(w.zone)
	minute, day := t.Hour()*60+t.Minute(), int(t.Weekday())
	if w.from < w.to {
		return w.days[day] && minute >= w.from && minute < w.to
	}
	return w.days[day] && minute >= w.from || w.days[(day+6)%7] && minute < w.to
}

// when says in words when the window is open.
func (w window) when() string {
	if w.Until != "" {
		return fmt.Sprintf("until %s %s", w.until.Format("2006-01-02 15:04"), w.Zone)
	}
	days := "every day"
	if len(w.Days) > 0 {
		days = strings.ToLower(strings.Join(w.Days, ", "))
	}
	return fmt.Sprintf("%s %02d:%02d to %02d:%02d %s", days, w.from/60, w.from%60, w.to/60, w.to%60, w.Zone)
}

// Windows sends to review what comes in a freeze window, or where there are
// change windows, outside of all of them. The gate is asked again right before
// the first write, so what was decided before a freeze is held back in it.
type Windows struct {
	freeze, change []window
	now            func() time.Time
}

// NewWindows understands the windows; every error names its field, such as
// freeze_windows[0].zone.
func NewWindows(freeze, change []Window, now func() time.Time) (Windows, error) {
	g := Windows{now: now}
	var errs []error
	read := func(field string, list []Window) (out []window) {
		for i, w := range list {
			p, err := w.parse()
			for _, e := range split(err) {
				errs = append(errs, fmt.Errorf("%s[%d].%w", field, i, e))
			}
			if len(w.Match.ResourceTags) > 0 && field == "change_windows" {
				errs = append(errs, fmt.Errorf("%s[%d].match.resource_tags: whoever can tag a resource could choose its window; only freeze_windows may have them", field, i))
			}
			out = append(out, p)
		}
		return out
	}
	g.freeze, g.change = read("freeze_windows", freeze), read("change_windows", change)
	return g, errors.Join(errs...)
}

// split takes joined errors apart.
func split(err error) []error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return many.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// Name implements Guardrail.
func (Windows) Name() string { return "window" }

// Check implements Guardrail.
func (g Windows) Check(_ context.Context, c Case) (dera.Reason, error) {
	if len(g.freeze)+len(g.change) == 0 {
		return pass("there are no freeze or change windows"), nil
	}
	now := g.now()
	for _, w := range g.freeze {
		if w.Match.Fits(c) && w.holds(now) {
			r := review("changes are frozen by %q, %s", w.Name, w.when())
			r.Ref = w.Name
			return r, nil
		}
	}
	var outside *window
	for i, w := range g.change {
		if !w.Match.Fits(c) {
			continue
		}
		if w.holds(now) {
			return pass("the change window %q is open", w.Name), nil
		}
		outside = &g.change[i]
	}
	if outside != nil {
		r := review("it is outside of the change window %q, %s", outside.Name, outside.when())
		r.Ref = outside.Name
		return r, nil
	}
	return pass("no freeze window holds now"), nil
}
