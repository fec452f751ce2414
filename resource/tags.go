package resource

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// newTags sorts out what tagging does: the tags that are not there yet, and for
// the undo the old values of those that are replaced and the keys of those that
// are new.
func newTags(have, want map[string]string) (add, back map[string]string, gone []string) {
	add, back = map[string]string{}, map[string]string{}
	for _, k := range slices.Sorted(maps.Keys(want)) {
		old, ok := have[k]
		switch {
		case ok && old == want[k]:
			continue
		case ok:
			back[k] = old
		default:
			gone = append(gone, k)
		}
		add[k] = want[k]
	}
	return add, back, gone
}

// tagDiff is what tagging changes, for people. Values that were there before are
// the customer's own text and are left out.
func tagDiff(have, add map[string]string) []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(add)) {
		if _, ok := have[k]; ok && strings.HasPrefix(k, TagPrefix) {
			out = append(out, "- tag "+k+"="+strconv.Quote(have[k]))
		}
		out = append(out, "+ tag "+k+"="+strconv.Quote(add[k]))
	}
	return out
}
