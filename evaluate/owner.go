package evaluate

import (
	"slices"
	"strings"
	"unicode"

	"dera.example/dera"
)

// Owners finds who should hear of a finding (requirement E10).
type Owners struct {
	// Tags are the keys of tags that name the owner, the first that is set wins;
	// nil means owner and team. Keys are compared without regard to case.
	Tags []string
}

// Of returns the owner and how it is known: by the resource's tag, from the map
// of accounts, or as the one who changed it last by an authenticated event; or
// two empty texts. It is for people: nothing is decided by it.
func (o Owners) Of(r dera.Resource, a dera.Account, lastActor string) (owner, source string) {
	keys := o.Tags
	if keys == nil {
		keys = []string{"owner", "team"}
	}
	for _, want := range keys {
		for _, k := range sortedKeys(r.Tags) {
			if v := plain(r.Tags[k]); strings.EqualFold(k, want) && v != "" {
				return v, "tag"
			}
		}
	}
	if v := plain(a.Owner); v != "" {
		return v, "account"
	}
	if v := plain(lastActor); v != "" {
		return v, "actor"
	}
	return "", ""
}

// plain is foreign text on one line, without what steers a terminal.
func plain(s string) string {
	s = strings.TrimSpace(strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return -1
		}
		return c
	}, strings.ToValidUTF8(s, "")))
	if r := []rune(s); len(r) > 128 {
		s = string(r[:128])
	}
	return s
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
