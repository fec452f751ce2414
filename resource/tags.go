package resource

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// NewTags sorts out what tagging does: the tags that are not there yet, and for
// the undo the old values of those that are replaced and the keys of those that
// are new.
func NewTags(have, want map[string]string) (add, back map[string]string, gone []string) {
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

// TagDiff is what tagging changes, for people. Values that were there before are
// the customer's own text and are left out.
func TagDiff(have, add map[string]string) []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(add)) {
		if _, ok := have[k]; ok && strings.HasPrefix(k, TagPrefix) {
			out = append(out, "- tag "+k+"="+strconv.Quote(have[k]))
		}
		out = append(out, "+ tag "+k+"="+strconv.Quote(add[k]))
	}
	return out
}

// Retag returns the tags with some added and some taken away.
func Retag(tags, add map[string]string, remove []string) map[string]string {
	out := maps.Clone(tags)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, add)
	for _, k := range remove {
		delete(out, k)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// TagPrefix is the prefix of the tags that dera writes; they are outside Canon.
const TagPrefix = "dera:"

// CanonTags are the tags but for those that dera writes, in one order.
func CanonTags(tags map[string]string) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		if !strings.HasPrefix(k, TagPrefix) {
			fmt.Fprintf(&b, " %s=%s", strconv.Quote(k), strconv.Quote(tags[k]))
		}
	}
	return b.String()
}
