package sink

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
)

// Span is a duration as the configuration writes it: 90s, 24h, hourly or daily. Its zero
// value is the default.
type Span time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Span) UnmarshalText(text []byte) error {
	switch t := string(text); t {
	case "hourly":
		*s = Span(time.Hour)
	case "daily":
		*s = Span(24 * time.Hour)
	default:
		d, err := time.ParseDuration(t)
		if err != nil || d <= 0 {
			return fmt.Errorf("%q is not a duration such as 90s, 24h, hourly or daily; leave it out for the default", t)
		}
		*s = Span(d)
	}
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (s Span) MarshalText() ([]byte, error) { return []byte(time.Duration(s).String()), nil }

// Quiet is a time of the day in which people get nothing, but for what is severe. What
// comes then is sent when it ends.
type Quiet struct {
	From   string        `yaml:"from" json:"from" jsonschema:"pattern=^[0-2][0-9]:[0-5][0-9]$" jsonschema_description:"Time of the day, for example 22:00."`
	To     string        `yaml:"to" json:"to" jsonschema:"pattern=^[0-2][0-9]:[0-5][0-9]$" jsonschema_description:"Its end, on the next day where it is not after from; 24:00 is midnight."`
	Zone   string        `yaml:"zone" json:"zone" jsonschema_description:"Time zone, for example Europe/Berlin."`
	Days   []string      `yaml:"days,omitempty" json:"days,omitempty" jsonschema_description:"Days on which it begins: mon, tue, wed, thu, fri, sat, sun. Default: all."`
	Except dera.Severity `yaml:"except,omitempty" json:"except,omitempty" jsonschema:"enum=low,enum=medium,enum=high,enum=critical" jsonschema_description:"What is at least this severe is sent all the same. Default: critical."`
}

// weekdays are the names of days, as time.Weekday counts them.
func weekdays() []string { return []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} }

// validate returns what is wrong, by the name of the member.
func (q Quiet) validate() (errs []error) {
	from, err := clock(q.From)
	if err != nil {
		errs = append(errs, fmt.Errorf("from: %w", err))
	}
	to, err2 := clock(q.To)
	if err2 != nil {
		errs = append(errs, fmt.Errorf("to: %w", err2))
	}
	if err == nil && err2 == nil && from%(24*60) == to%(24*60) && (from == to || len(q.Days) == 0) {
		errs = append(errs, errors.New("to: ends when it begins, so that it would always be quiet: write another time"))
	}
	if _, err := zone(q.Zone); err != nil {
		errs = append(errs, fmt.Errorf("zone: %w", err))
	}
	for i, d := range q.Days {
		if !slices.Contains(weekdays(), d) {
			errs = append(errs, fmt.Errorf("days[%d]: %q is not a day: write mon, tue, wed, thu, fri, sat or sun", i, d))
		}
	}
	return errs
}

// zone is a time zone that says more than where the program runs.
func zone(name string) (*time.Location, error) {
	loc, err := time.LoadLocation(name)
	if name == "" || name == "Local" || err != nil {
		return nil, fmt.Errorf("%q is not a time zone such as Europe/Berlin or UTC", name)
	}
	return loc, nil
}

// clock is a time of the day in minutes, up to 24:00.
func clock(text string) (int, error) {
	if text == "24:00" {
		return 24 * 60, nil
	}
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != 5 {
		return 0, fmt.Errorf("%q is not a time of the day such as 22:00", text)
	}
	return t.Hour()*60 + t.Minute(), nil
}

// until is when the quiet hours that a time is in end. A time that a change of the clock
// leaves out is that much later; one that comes twice is the first.
func (q Quiet) until(t time.Time) (end time.Time, quiet bool) {
	loc, err := zone(q.Zone)
	from, err2 := clock(q.From)
	to, err3 := clock(q.To)
	if err != nil || err2 != nil || err3 != nil {
		return t, false // in doubt nothing is held back
	}
	local := t.In(loc)
	for _, back := range []int{0, 1} {
		day := local.AddDate(0, 0, -back)
		if len(q.Days) > 0 && !slices.ContainsFunc(q.Days, func(d string) bool { return strings.EqualFold(d, weekdays()[day.Weekday()]) }) {
			continue
		}
		next := 0
		if to <= from {
			next = 1
		}
		begin := time.Date(day.Year(), day.Month(), day.Day(), 0, from, 0, 0, loc)
		end := time.Date(day.Year(), day.Month(), day.Day()+next, 0, to, 0, 0, loc)
		if !t.Before(begin) && t.Before(end) {
			return end, true
		}
	}
	return t, false
}
