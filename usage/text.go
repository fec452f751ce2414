package usage

import (
	"bytes"
	"time"
	"unicode"
	"unicode/utf8"
)

// word accepts what AWS uses for names of services, operations and regions.
func word(s []byte) bool {
	for _, c := range s {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return len(s) > 0 && len(s) <= 128
}

// digits accepts an account ID; some records have names of AWS instead.
func digits(s []byte) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(s) == 12
}

// printable keeps control characters and broken text out of the ledger.
func printable(s []byte) bool {
	for _, c := range s {
		if c < ' ' || c > '~' {
			return utf8.Valid(s) && bytes.IndexFunc(s, unicode.IsControl) < 0
		}
	}
	return true
}

// parseTime reads 2006-01-02T15:04:05Z quickly and other RFC 3339 slowly.
func parseTime(s []byte) (uint32, bool) {
	if len(s) < 20 {
		return 0, false
	}
	if len(s) == 20 && s[19] == 'Z' && s[4] == '-' && s[7] == '-' && s[10] == 'T' && s[13] == ':' && s[16] == ':' {
		var n [6]int
		for i, p := range [...][2]int{{0, 4}, {5, 7}, {8, 10}, {11, 13}, {14, 16}, {17, 19}} {
			for _, c := range s[p[0]:p[1]] {
				if c < '0' || c > '9' {
					return 0, false
				}
				n[i] = 10*n[i] + int(c-'0')
			}
		}
		if n[0] < 2006 || n[0] > 2100 || n[1] < 1 || n[1] > 12 || n[2] < 1 || n[2] > daysOf(n[0], n[1]) || n[3] > 23 || n[4] > 59 || n[5] > 60 {
			return 0, false
		}
		return uint32(epochDay(n[0], n[1], n[2])*86400 + n[3]*3600 + n[4]*60 + n[5]), true
	}
	t, err := time.Parse(time.RFC3339, string(s))
	if err != nil || t.Year() < 2006 || t.Year() > 2100 {
		return 0, false
	}
	return uint32(t.Unix()), true
}

// daysOf is the length of a month.
func daysOf(year, month int) int {
	switch {
	case month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0):
		return 29
	case month == 2:
		return 28
	}
	return 30 + (month+month/8)%2
}

// epochDay counts the days from 1970 to a date of the Gregorian calendar.
func epochDay(year, month, day int) int {
	if month <= 2 {
		year--
		month += 12
	}
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - 719468
}
