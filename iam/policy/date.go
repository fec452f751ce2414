package policy

import (
	"cmp"
	"math"
	"strconv"
	"strings"
)

// Instant is a moment in UTC. Unlike time.Time it reaches as far as the dates
// that AWS accepts: 292 million years either way.
type Instant struct {
	Sec  int64 // since 1970
	Nano int32
}

// Compare returns -1, 0 or +1 as i is before, at or after j.
func (i Instant) Compare(j Instant) int {
	if c := cmp.Compare(i.Sec, j.Sec); c != 0 {
		return c
	}
	return cmp.Compare(i.Nano, j.Nano)
}

// millisFrom is the smallest number of an all-digit date that means
// milliseconds since 1970: as seconds it would lie beyond the year 5138.
const millisFrom = 100_000_000_000

// ParseDate reads a date as IAM condition values have it: a W3C profile of ISO
// 8601 (year, month, day, time and zone, shortened at will from the right, UTC
// where there is no zone) or a number of seconds (with decimals
// if need be) or milliseconds since 1970.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Date
func ParseDate(text string) (Instant, bool) {
	if !strings.ContainsAny(text, "tT-") {
		return parseEpoch(text)
	}
	date, clock := text, ""
	if i := strings.IndexAny(text, "tT"); i >= 0 {
		date, clock = text[:i], text[i+1:]
	}
	days, ok := parseDay(date)
	if !ok {
		return Instant{}, false
	}
	sec, nano, ok := parseClock(clock)
	return Instant{Sec: days*86400 + sec, Nano: nano}, ok
}

// parseEpoch reads digits[.digits].
func parseEpoch(text string) (Instant, bool) {
	whole, fraction, hasFraction := strings.Cut(text, ".")
	n, ok := parseField(whole, 0, math.MaxInt64)
	if n >= millisFrom {
		return Instant{Sec: n / 1000, Nano: int32(n%1000) * 1_000_000}, ok && !hasFraction
	}
	at := Instant{Sec: n}
	if ok && hasFraction {
		at.Nano, ok = parseFraction(fraction)
	}
	return at, ok
}

// The years that fit into 64 bits of milliseconds, which is what AWS accepts.
const minYear, maxYear = -292275054, 292278993

// parseDay reads [-]year[-month[-day]] and returns days since 1970.
func parseDay(text string) (int64, bool) {
	digits, negative := strings.CutPrefix(text, "-")
	y, rest, hasMonth := strings.Cut(digits, "-")
	m, d, hasDay := strings.Cut(rest, "-")
	year, ok := parseField(y, 0, maxYear)
	if negative {
		year = -year
	}
	month, day := int64(1), int64(1)
	if ok && hasMonth {
		month, ok = parseField(m, 1, 12)
	}
	if ok && hasDay {
		day, ok = parseField(d, 1, 31)
	}
	return daysFromCivil(year, month, day), ok && year >= minYear
}

// parseField reads a number of digits only, within bounds.
func parseField(text string, low, high int64) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && isDigit(text[0]) && low <= n && n <= high
}

// daysFromCivil counts days from 1970-01-01 in the proleptic Gregorian
// calendar, with March as the first month so that leap days come last.
func daysFromCivil(year, month, day int64) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	era := year / 400
	if year < 0 {
		era = (year - 399) / 400
	}
	ofEra := year - era*400
	ofYear := (153*(month-3)+2)/5 + day - 1
	return era*146097 + ofEra*365 + ofEra/4 - ofEra/100 + ofYear - 719468
}

// parseClock reads [hour[:minute[:second[.fraction]]]][zone] and returns
// seconds since midnight UTC, which may be negative or beyond a day.
func parseClock(text string) (sec int64, nano int32, ok bool) {
	text, offset, ok := cutZone(text)
	if text == "" || !ok {
		return offset, 0, ok
	}
	h, rest, hasMinute := strings.Cut(text, ":")
	m, s, hasSecond := strings.Cut(rest, ":")
	hour, ok := parseField(h, 0, 23)
	var minute, second int64
	if ok && hasMinute {
		minute, ok = parseField(m, 0, 59)
	}
	if ok && hasSecond {
		whole, fraction, hasFraction := strings.Cut(s, ".")
		second, ok = parseField(whole, 0, 59)
		if ok && hasFraction {
			nano, ok = parseFraction(fraction)
		}
	}
	return hour*3600 + minute*60 + second + offset, nano, ok
}

// parseFraction reads up to nine decimals of a second.
func parseFraction(text string) (int32, bool) {
	n, ok := parseField(text, 0, 999_999_999)
	if len(text) > 9 {
		return 0, false
	}
	for range 9 - len(text) {
		n *= 10
	}
	return int32(n), ok
}

// cutZone takes "Z" or ±hh[:mm] off the end and returns the seconds to add.
func cutZone(text string) (rest string, offset int64, ok bool) {
	if n := len(text); n > 0 && (text[n-1] == 'Z' || text[n-1] == 'z') {
		return text[:n-1], 0, true
	}
	i := strings.IndexAny(text, "+-")
	if i < 0 {
		return text, 0, true
	}
	h, m, hasMinute := strings.Cut(text[i+1:], ":")
	hour, ok := parseField(h, 0, 23)
	ok = ok && len(h) == 2
	var minute int64
	if ok && hasMinute {
		minute, ok = parseField(m, 0, 59)
		ok = ok && len(m) == 2
	}
	offset = hour*3600 + minute*60
	if text[i] == '+' {
		offset = -offset
	}
	return text[:i], offset, ok
}
