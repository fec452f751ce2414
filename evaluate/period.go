package evaluate

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// everyDay is how long a schedule is looked at for its longest period: with the days of
// all months and weekdays, and two leap days.
const everyDay = 9 * 366

// longestPeriod is how many days lie at most between two starts of a schedule that goes
// on, cron(…) or rate(…); false where that cannot be said.
//
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
func longestPeriod(expression string) (days int, ok bool) {
	kind, body, ok := strings.Cut(strings.TrimSpace(expression), "(")
	body, closed := strings.CutSuffix(body, ")")
	fields := strings.Fields(body)
	switch {
	case !ok || !closed:
		return 0, false
	case kind == "rate" && len(fields) == 2:
		n, ok := positive(fields[0])
		unit := map[string]int{"minute": 24 * 60, "hour": 24, "day": 1}[strings.TrimSuffix(fields[1], "s")]
		if !ok || unit == 0 {
			return 0, false
		}
		return (n + unit - 1) / unit, true
	case kind != "cron" || len(fields) != 6:
		return 0, false
	}
	c := cronDays{ofMonth: fields[2], month: fields[3], ofWeek: fields[4], year: fields[5]}
	if c.year != "*" {
		return 0, false // it ends, or begins, some day
	}
	first := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	last := -1
	for n := range everyDay {
		on, ok := c.on(first.AddDate(0, 0, n))
		switch {
		case !ok:
			return 0, false
		case !on:
			continue
		case last >= 0:
			days = max(days, n-last)
		}
		last = n
	}
	return days, days > 0
}

// cronDays are the fields of a cron expression that say on which days it starts.
type cronDays struct{ ofMonth, month, ofWeek, year string }

// on reports whether something is started on a day; false where a field cannot be read.
func (c cronDays) on(day time.Time) (on, ok bool) {
	months := []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
	month, ok1 := cronField{names: months, least: 1, most: 12}.on(c.month, int(day.Month()), day)
	ofMonth, ok2 := cronField{least: 1, most: 31, marks: "LW", special: ofMonth}.on(c.ofMonth, day.Day(), day)
	weekdays := []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}
	ofWeek, ok3 := cronField{names: weekdays, least: 1, most: 7, marks: "L#", special: ofWeek}.on(c.ofWeek, int(day.Weekday())+1, day)
	return month && ofMonth && ofWeek, ok1 && ok2 && ok3
}

// cronField is what a field of a cron expression can say.
type cronField struct {
	names       []string // of the values, from the least
	least, most int
	// special reads an entry that has one of the marks and is no name.
	marks   string
	special func(f cronField, entry string, day time.Time) (on, ok bool)
}

func (f cronField) number(s string) (int, bool) {
	if i := slices.Index(f.names, strings.ToUpper(s)); i >= 0 {
		return f.least + i, true
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= f.least && n <= f.most
}

// on reports whether one of the entries of a field is about a value: *, ?, a value or its
// name, a range, a step, or what special says of the day.
func (f cronField) on(text string, value int, day time.Time) (on, ok bool) {
	for _, entry := range strings.Split(text, ",") {
		body, step, stepped := strings.Cut(entry, "/")
		if f.special != nil && strings.ContainsAny(body, f.marks) {
			hit, ok := f.special(f, body, day)
			if !ok || stepped {
				return false, false
			}
			on = on || hit
			continue
		}
		from, to, every := f.least, f.most, 1
		if body != "*" && (body != "?" || stepped) {
			a, b, ranged := strings.Cut(body, "-")
			if from, ok = f.number(a); !ok {
				return false, false
			}
			if ranged {
				if to, ok = f.number(b); !ok {
					return false, false
				}
			} else if !stepped {
				to = from
			}
		}
		if stepped {
			if every, ok = positive(step); !ok {
				return false, false
			}
		}
		span := f.most - f.least + 1
		if to < from { // FRI-MON
			to += span
		}
		for n := from; n <= to; n += every {
			on = on || f.least+(n-f.least)%span == value
		}
	}
	return on, true
}

func positive(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n > 0
}

// ofMonth is about L, the last day of the month, and 15W, the weekday next to the 15th.
func ofMonth(f cronField, text string, day time.Time) (on, ok bool) {
	end := time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
	if text == "L" {
		return day.Day() == end, true
	}
	n := end
	if text != "LW" {
		weekday, found := strings.CutSuffix(text, "W")
		if n, ok = f.number(weekday); !ok || !found {
			return false, false
		}
	}
	if n > end {
		return false, true
	}
	at := time.Date(day.Year(), day.Month(), n, 0, 0, 0, 0, time.UTC)
	if at.Weekday() == time.Saturday {
		if n--; n < 1 {
			n += 3
		}
	} else if at.Weekday() == time.Sunday {
		if n++; n > end {
			n -= 3
		}
	}
	return day.Day() == n, true
}

// ofWeek is about FRI#2, the second Friday of the month, 6L, the last one, and L, the
// last day of the week.
func ofWeek(f cronField, text string, day time.Time) (on, ok bool) {
	if text == "L" {
		return day.Weekday() == time.Saturday, true
	}
	name, nth, counted := strings.Cut(text, "#")
	if !counted {
		name, counted = strings.CutSuffix(text, "L")
	}
	weekday, ok := f.number(name)
	if !ok || !counted {
		return false, false
	}
	hit := weekday == int(day.Weekday())+1
	if nth == "" {
		return hit && day.AddDate(0, 0, 7).Month() != day.Month(), true
	}
	n, ok := positive(nth)
	return hit && (day.Day()+6)/7 == n, ok && n <= 5
}
