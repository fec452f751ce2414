package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// UnknownActionError says that a name is no action, and what it may be.
type UnknownActionError struct {
	Name string
	// Means are the actions that an event of this name used, if it is one.
	Means []string
	// Nearest are the actions, or the prefixes, that are written most alike.
	Nearest []string
}

// Error says what to write instead.
func (e *UnknownActionError) Error() string {
	prefix, _, _ := strings.Cut(e.Name, ":")
	switch {
	case len(e.Means) > 0:
		return fmt.Sprintf("%s is the name of an event, not of an action: write %s", e.Name, strings.Join(e.Means, ", "))
	case len(e.Nearest) > 0:
		return fmt.Sprintf("%s is no action that the catalogue knows: the nearest are %s; for a use that has no known action write \"? %s\"",
			e.Name, strings.Join(e.Nearest, ", "), prefix)
	}
	return fmt.Sprintf("%s is no action that the catalogue knows: for a use that has no known action write \"? %s\"", e.Name, prefix)
}

// KnownAction returns nil for an action, whatever its case, and else an
// *UnknownActionError.
func (c *Catalog) KnownAction(name string) error {
	if c.Find(name) != nil {
		return nil
	}
	prefix, rest, _ := strings.Cut(name, ":")
	e := &UnknownActionError{Name: name}
	if call, ok := c.Event(prefix, rest); ok {
		e.Means = call.Actions
		if len(e.Means) == 0 {
			e.Means = call.Maybe
		}
	}
	e.Nearest = c.nearest(prefix, rest)
	return e
}

// nearNames is how many names are proposed at most.
const nearNames = 3

// nearest returns the actions, of the service if it is known, that are written
// most like a name.
func (c *Catalog) nearest(prefix, name string) []string {
	type near struct {
		action   string
		distance int
	}
	var all []near
	limit := max(2, len(name)/3)
	for _, s := range c.table().list {
		if c.Known(prefix) && !strings.EqualFold(s.prefix, prefix) {
			continue
		}
		far := distance(strings.ToLower(prefix), s.prefix)
		if far > 2 {
			continue
		}
		for i := range s.actions {
			a := s.action(i)
			if d := far + distance(strings.ToLower(name), strings.ToLower(a.Name)); d <= limit {
				all = append(all, near{a.String(), d})
			}
		}
	}
	slices.SortFunc(all, func(a, b near) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.action, b.action))
	})
	var out []string
	for _, n := range all[:min(nearNames, len(all))] {
		out = append(out, n.action)
	}
	return out
}

// distance counts the letters to add, remove, change or swap between two names.
func distance(a, b string) int {
	if d := len(a) - len(b); d > maxDistance || d < -maxDistance {
		return maxDistance + 1
	}
	before, last, now := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		now[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			now[j] = min(last[j]+1, now[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				now[j] = min(now[j], before[j-2]+1)
			}
		}
		before, last, now = last, now, before
	}
	return last[len(b)]
}

// maxDistance bounds what is still alike.
const maxDistance = 12
