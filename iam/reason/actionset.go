package reason

import (
	"strings"
	"unicode/utf8"

	"dera.example/dera/iam/lang"
	"dera.example/dera/iam/policy"
)

// memory keeps the action sets of statements, so that several questions about
// the same documents read long lists once.
type memory map[*policy.Statement]*lang.Set

// Remember returns the configuration with a memory for several questions about
// the same documents, which must not change meanwhile. The questions must be
// asked one after the other.
func (c Config) Remember() Config {
	c.memory = memory{}
	return c
}

// of translates the actions of a statement, or remembers them.
func (m memory) of(st *policy.Statement) *lang.Set {
	if s, ok := m[st]; ok {
		return s
	}
	s := actionsOf(st)
	if m != nil {
		m[st] = s
	}
	return s
}

// actionsOf translates Action or NotAction. Services and names are compared
// without case.
func actionsOf(st *policy.Statement) *lang.Set {
	if st.NotActions != nil {
		return actionSet(st.NotActions).Complement()
	}
	return actionSet(st.Actions)
}

// actionSet translates a list of actions.
func actionSet(list []string) *lang.Set {
	all := lowered(list)
	texts := all[:0] // a text never stands behind where it was
	var globs []*lang.Glob
	for _, a := range all {
		switch {
		case strings.HasSuffix(a, ":"): // no request has an action without a name
		case exactAction(a):
			texts = append(texts, a)
		case beginning(a):
			globs = append(globs, lang.Beginning(a[:len(a)-1]))
		default:
			if g := actionGlob(a); g != nil {
				globs = append(globs, g)
			}
		}
	}
	return lang.UnionOf(texts, globs...)
}

// exactAction reports whether an entry is one action, service:Name.
func exactAction(entry string) bool {
	return strings.IndexByte(entry, ':') > 0 && strings.IndexByte(entry, '*') < 0 && strings.IndexByte(entry, '?') < 0
}

// beginning reports whether an entry is a service and the beginning of a name,
// service:Na*.
func beginning(entry string) bool {
	star, colon := strings.IndexByte(entry, '*'), strings.IndexByte(entry, ':')
	return 0 < colon && colon < star && star == len(entry)-1 && strings.IndexByte(entry, '?') < 0
}

// lowered returns a list in lower case, which for a long one are pieces of one
// text.
func lowered(list []string) []string {
	out := make([]string, len(list))
	size := 0
	for _, a := range list {
		size += len(a)
	}
	var b strings.Builder
	b.Grow(size)
	var seen byte
	var piece [4096]byte // in which letters change, as those of a string cannot
	used := 0
	flush := func() {
		for i, c := range piece[:used] {
			seen |= c
			if c-'A' <= 'Z'-'A' {
				piece[i] = c | 0x20
			}
		}
		b.Write(piece[:used])
		used = 0
	}
	for _, a := range list {
		for a != "" {
			n := copy(piece[used:], a)
			a, used = a[n:], used+n
			if used == len(piece) {
				flush()
			}
		}
	}
	flush()
	if seen >= utf8.RuneSelf {
		for i, a := range list {
			out[i] = strings.ToLower(a)
		}
		return out
	}
	all := b.String()
	for i, a := range list {
		out[i], all = all[:len(a)], all[len(a):]
	}
	return out
}
