package scope

import (
	"slices"
	"strings"
)

// fold shortens a sorted list of actions of any services: where ok allows it,
// several that begin with the same words become one pattern that ends in a
// star. A star never stands within a word. The shortest pattern that ok allows
// is taken.
func fold(actions []string, ok func(pattern string) bool) []string {
	var out []string
	for i := 0; i < len(actions); {
		took := 1
		entry := actions[i]
		for _, prefix := range words(actions[i]) {
			n := i + 1
			for n < len(actions) && hasPrefixFold(actions[n], prefix) {
				n++
			}
			if n-i < 2 {
				break // longer prefixes match less
			}
			if ok(prefix + "*") {
				took, entry = n-i, prefix+"*"
				break
			}
		}
		out = append(out, entry)
		i += took
	}
	return slices.Compact(out)
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// words returns the beginnings of an action that end where a word does, the
// service alone first.
func words(action string) []string {
	start := strings.IndexByte(action, ':') + 1
	out := []string{action[:start]}
	for i := start + 1; i < len(action); i++ {
		if upper(action[i]) && (!upper(action[i-1]) || i+1 < len(action) && !upper(action[i+1])) {
			out = append(out, action[:i])
		}
	}
	return out
}

func upper(c byte) bool { return 'A' <= c && c <= 'Z' }
