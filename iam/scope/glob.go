package scope

import (
	"strings"

	"dera.example/dera/iam/catalog"
)

// overlap reports whether two entries of Action lists have an action in common.
func overlap(a, b string) bool {
	switch {
	case !strings.ContainsAny(a, "*?"):
		return catalog.MatchAction(b, a)
	case !strings.ContainsAny(b, "*?"):
		return catalog.MatchAction(a, b)
	}
	a, b = strings.ToLower(a), strings.ToLower(b)
	if everything(a) || everything(b) {
		return true
	}
	serviceA, nameA, okA := strings.Cut(a, ":")
	serviceB, nameB, okB := strings.Cut(b, ":")
	return okA && okB && serviceA == serviceB && meet(nameA, nameB)
}

func everything(entry string) bool { return entry == "*" || entry == "*:*" }

// meet reports whether some text matches both patterns. It keeps the set of the
// places in q that the part of p read so far can have led to.
func meet(p, q string) bool {
	at := make([]bool, len(q)+1)
	at[0] = true
	skip(at, q)
	for i := range len(p) {
		next := make([]bool, len(q)+1)
		for j, here := range at {
			switch {
			case !here:
			case p[i] == '*':
				for k := j; k <= len(q); k++ {
					next[k] = true
				}
			case j == len(q):
			case q[j] == '*':
				next[j] = true
			case p[i] == '?' || q[j] == '?' || p[i] == q[j]:
				next[j+1] = true
			}
		}
		skip(next, q)
		at = next
	}
	return at[len(q)]
}

// skip adds the places that a star lets pass without a character.
func skip(at []bool, q string) {
	for j := range len(q) {
		if at[j] && q[j] == '*' {
			at[j+1] = true
		}
	}
}

// covers reports whether entry allows all that a pattern with at most one star
// allows. A character that no entry has stands for any text in the place of
// the star; what matches for every length up to that of the entry matches for
// every length.
func covers(entry, pattern string) bool {
	if !strings.ContainsAny(pattern, "*?") {
		return catalog.MatchAction(entry, pattern)
	}
	entry, pattern = strings.ToLower(entry), strings.ToLower(pattern)
	if everything(entry) {
		return true
	}
	service, name, ok := strings.Cut(entry, ":")
	serviceP, nameP, okP := strings.Cut(pattern, ":")
	if !ok || !okP || service != serviceP {
		return false
	}
	for n := range len(name) + 2 {
		if !meet(name, strings.Replace(nameP, "*", strings.Repeat("\x00", n), 1)) {
			return false
		}
	}
	return true
}
