package reason

import (
	"strings"
	"unicode/utf8"

	"dera/iam/lang"
	"dera/iam/policy"
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

// lowered returns a list in lower case, which for a long one are pieces of one
// text.
func lowered(list []string) []string {
	out := make([]string, len(list))
	size := 0
	for _, a := range list {
		size += len(a)
	}
	text := make([]byte, 0, size)
	for _, a := range list {
		text = append(text, a...)
	}
	var seen byte
	for i, c := range text {
		seen |= c
		if c-'A' <= 'Z'-'A' {
			text[i] = c | 0x20
		}
	}
	if seen >= utf8.RuneSelf {
		for i, a := range list {
			out[i] = strings.ToLower(a)
		}
		return out
	}
	all := string(text)
	for i, a := range list {
		out[i], all = all[:len(a)], all[len(a):]
	}
	return out
}
