package app

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// periodDays is how far back a period reaches where nobody says.
const periodDays = 90

// Period is from since on, and before until.
type Period struct{ Since, Until time.Time }

// ParsePeriod reads the ends of a period: so long ago, a day or a time. Without a beginning it has 90
// days, without an end it ends now. One that ends before it begins, or is not over, is an error: it
// would say that nothing happened.
func ParsePeriod(since, until string, now time.Time) (p Period, err error) {
	p.Until = now.UTC()
	if until != "" {
		if p.Until, err = moment("until", until, now); err != nil {
			return p, err
		}
	}
	p.Since = p.Until.AddDate(0, 0, -periodDays)
	if since != "" {
		if p.Since, err = moment("since", since, now); err != nil {
			return p, err
		}
	}
	switch {
	case p.Until.After(now):
		return p, fmt.Errorf("the period would end at %s, which is yet to come", p.Until.Format(time.RFC3339))
	case !p.Since.Before(p.Until):
		return p, fmt.Errorf("the period would end at %s, and begin at %s", p.Until.Format(time.RFC3339), p.Since.Format(time.RFC3339))
	}
	return p, nil
}

// moment reads an end of a period.
func moment(name, text string, now time.Time) (time.Time, error) {
	if n, err := strconv.Atoi(strings.TrimSuffix(text, "d")); err == nil && strings.HasSuffix(text, "d") && n > 0 && n <= 36500 {
		return now.UTC().AddDate(0, 0, -n), nil
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.UTC().Add(-d), nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return now, fmt.Errorf("--%s is %q, must be a length of time such as 90d or 36h, a day such as 2026-10-01, or a time such as 2026-10-01T08:00:00Z", name, text)
}
