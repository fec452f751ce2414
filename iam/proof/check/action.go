package check

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// actions is the Action or NotAction element of a statement.
type actions struct {
	not     bool
	all     bool
	entries []action            // as listed, without those that are nothing
	exact   map[string]bool     // in lower case
	names   map[string][]string // those of exact, by service, once they were asked for
	globs   map[string][]action // by service
}

// action is one entry, in lower case. Its zero value is no action at all.
type action struct {
	all     bool
	text    string // all of it
	service string
	name    string
	head    string // of the name, before the first wildcard
	glob    glob   // of the name, if it has a wildcard
}

func (a *action) wild() bool { return a.glob != nil }

// matches reports whether the entry, with a wildcard, matches a name.
func (a *action) matches(name string) bool {
	return strings.HasPrefix(name, a.head) && (len(a.head) == len(a.name)-1 && a.name[len(a.head)] == '*' || a.glob.matches(name))
}

// apart reports whether two entries with wildcards have no name in common.
func (a *action) apart(b *action) bool {
	n := min(len(a.head), len(b.head))
	return a.head[:n] != b.head[:n] || a.glob.apart(b.glob)
}

// newAction reads an entry in lower case.
func newAction(entry string) action {
	service, name, ok := strings.Cut(entry, ":")
	switch {
	case entry == "*" || entry == "*:*":
		return action{all: true}
	case !ok || service == "" || strings.ContainsAny(service, "*?"):
		return action{}
	}
	a := action{text: entry, service: service, name: name, head: name}
	if at := strings.IndexAny(name, "*?"); at >= 0 {
		a.head, a.glob = name[:at], newGlob(name, 0)
	}
	return a
}

func (a action) nothing() bool { return !a.all && a.service == "" }

// lower puts the entries of a list into lower case, all at once where they are
// ASCII and of one line each.
func lower(list []string) []string {
	text := []byte(strings.Join(list, "\n"))
	plain := true
	for i, c := range text {
		if 'A' <= c && c <= 'Z' {
			text[i] = c - 'A' + 'a'
		}
		plain = plain && c < utf8.RuneSelf
	}
	if out := strings.Split(string(text), "\n"); plain && len(out) == len(list) {
		return out
	}
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = strings.ToLower(e)
	}
	return out
}

func newActions(list []string, not bool) actions {
	s := actions{not: not, entries: make([]action, 0, len(list)), exact: make(map[string]bool, len(list)), globs: map[string][]action{}}
	for _, e := range lower(list) {
		a := newAction(e)
		if a.nothing() {
			continue
		}
		s.entries = append(s.entries, a)
		switch {
		case a.all:
			s.all = true
		case a.wild():
			s.globs[a.service] = append(s.globs[a.service], a)
		default:
			s.exact[a.text] = true
		}
	}
	return s
}

// namesOf returns the names that are listed of a service.
func (s *actions) namesOf(service string) []string {
	if s.names == nil {
		s.names = map[string][]string{}
		for i := range s.entries {
			if a := &s.entries[i]; !a.all && !a.wild() {
				s.names[a.service] = append(s.names[a.service], a.name)
			}
		}
	}
	return s.names[service]
}

// lists reports whether one entry of the list contains an action entry.
func (s *actions) lists(a action) bool {
	switch {
	case s.all || a.nothing():
		return true
	case a.all:
		return false
	case !a.wild() && s.exact[a.text]:
		return true
	}
	for i := range s.globs[a.service] {
		g := &s.globs[a.service][i]
		switch {
		case g.name == "*", g.name == a.name,
			!a.wild() && g.matches(a.name),
			a.wild() && strings.HasPrefix(a.head, g.head) && a.glob.within(g.glob):
			return true
		}
	}
	return false
}

// misses reports whether no entry of the list has an action in common.
func (s *actions) misses(a action) bool {
	switch {
	case a.nothing():
		return true
	case s.all:
		return false
	case a.all:
		return len(s.exact) == 0 && len(s.globs) == 0
	case !a.wild() && s.exact[a.text]:
		return false
	}
	if a.wild() && slices.ContainsFunc(s.namesOf(a.service), a.matches) {
		return false
	}
	for i := range s.globs[a.service] {
		if g := &s.globs[a.service][i]; !a.wild() && g.matches(a.name) || a.wild() && !a.apart(g) {
			return false
		}
	}
	return true
}

// contains reports whether the element allows every action of an entry.
func (s *actions) contains(a action) bool {
	if s.not {
		return s.misses(a)
	}
	return s.lists(a)
}

// excludes reports whether the element allows no action of an entry.
func (s *actions) excludes(a action) bool {
	if s.not {
		return s.lists(a)
	}
	return s.misses(a)
}
