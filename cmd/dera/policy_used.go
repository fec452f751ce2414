package main

import (
	"bufio"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera/iam/scope"
)

// usedFile is a file of dera policy scope --used.
type usedFile struct {
	scope.Usage
	text     []byte
	from, to time.Time // of its line "window"; zero without one
}

// oldList is how long ago the window of a list may have ended: what was used since
// is in no list.
const oldList = 7 * 24 * time.Hour

// window is for how many days, up to when, use was watched, by the list and by what
// is asked for: the least of both.
func (u usedFile) window(days int, to time.Time) (int, time.Time, error) {
	if u.to.IsZero() {
		return days, to, nil
	}
	own := int(u.to.Sub(u.from) / (24 * time.Hour))
	switch {
	case to.Sub(u.to) > oldList:
		return 0, to, fmt.Errorf("it ends on %s, and what was used since is not known: write it again with dera usage used", u.to.Format(time.DateOnly))
	case days > own:
		return 0, to, fmt.Errorf("it covers %d days, and --days says %d: write it again with dera usage used --window %d", own, days, days)
	case days == 0:
		days = own
	}
	if u.to.Before(to) {
		to = u.to
	}
	return days, to, nil
}

// readUsage reads the actions that a principal used.
func readUsage(path string) (usedFile, error) {
	text, err := readText(path)
	if err != nil {
		return usedFile{}, fmt.Errorf("read what was used: %w", err)
	}
	u := usedFile{Usage: scope.Usage{Principal: path}, text: text}
	lines := bufio.NewScanner(strings.NewReader(string(text)))
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case len(words) == 3 && words[0] == "window":
			var err, err2 error
			u.from, err = time.Parse(time.DateOnly, words[1])
			u.to, err2 = time.Parse(time.DateOnly, words[2])
			if err != nil || err2 != nil || !u.from.Before(u.to) {
				return u, fmt.Errorf("%s:%d: %q are no two days, the earlier one first: window 2026-01-01 2026-04-01", path, n, strings.TrimSpace(line))
			}
		case len(words) == 2 && words[0] == "?":
			u.Unclear = append(u.Unclear, words[1])
		case len(words) >= 2 && words[0] == "!":
			u.Gaps = append(u.Gaps, words[1])
		case len(words) == 1 && strings.Count(words[0], ":") == 1 && !strings.ContainsAny(words[0], "*?") &&
			!slices.Contains(strings.Split(words[0], ":"), ""):
			u.Actions = append(u.Actions, words[0])
		default:
			return u, fmt.Errorf("%s:%d: %q is no action, must be SERVICE:NAME", path, n, strings.TrimSpace(line))
		}
	}
	if err := lines.Err(); err != nil {
		return u, fmt.Errorf("read what was used: %w", err)
	}
	return u, nil
}
