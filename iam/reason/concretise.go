package reason

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"dera.example/dera/iam/lang"
)

// Limits of the search for values of policy variables.
const (
	maxAssignments = 24
	maxConstants   = 4
)

// concretise looks for a request where the search stopped for doubt: it fixes
// the keys that are used as policy variables to chosen values, after which
// nothing is in doubt but what cannot be read, and searches again.
func (r *run) concretise(l leaf) *Witness {
	if r.bound != nil {
		return nil
	}
	var found *Witness
	for _, bound := range r.assignments() {
		if r.ctx.Err() != nil {
			return nil
		}
		again := r.newRun(r.ctx, r.reading, bound)
		again.question.source(l.source, func(l leaf) bool {
			if l.status != lang.Exhausted {
				found = again.confirm(l)
			}
			return found == nil
		})
		if found != nil {
			return found
		}
	}
	return nil
}

// assignments lists values for the keys that are used as variables: first all
// natural ones, then others key by key, then none at all. The others are those
// that the question compares the key with, and those that turn a value with the
// variable into a text that stands elsewhere in the question.
func (r *run) assignments() []map[string]*string {
	t := r.compiler.t
	natural := map[string]*string{}
	for _, v := range t.vars {
		key := t.dims[v.dim].key
		natural[key] = new(naturalValue(key, len(natural)))
	}
	if len(natural) == 0 {
		return nil
	}
	out := []map[string]*string{natural}
	keys := slices.Sorted(maps.Keys(natural))
	for _, key := range keys {
		for _, text := range append(t.constants(t.dim(key)), t.meeting(t.dim(key))...) {
			one := maps.Clone(natural)
			one[key] = &text
			out = append(out, one)
		}
		absent := maps.Clone(natural)
		absent[key] = nil
		out = append(out, absent)
	}
	none := map[string]*string{}
	for _, key := range keys {
		none[key] = nil
	}
	out = append(out, none)
	return out[:min(len(out), maxAssignments)]
}

// constants returns some texts that the question compares the dimension with.
func (t *table) constants(dim int) []string {
	var out []string
	for _, b := range t.bases {
		if b.dim != dim || b.kind != textBase {
			continue
		}
		for _, text := range b.text[0].Texts() {
			if !slices.Contains(out, text) && len(out) < maxConstants {
				out = append(out, text)
			}
		}
	}
	return out
}

// meeting returns values of the dimension that make some value with the
// variable in it equal to a text that the same place is compared with.
func (t *table) meeting(dim int) []string {
	var out []string
	for _, b := range t.bases {
		if b.kind != textBase {
			continue
		}
		for _, g := range b.text[0].Globs() {
			before, v, after, ok := g.Around()
			if !ok || t.vars[v].dim != dim {
				continue
			}
			for _, text := range t.constants(b.dim) {
				rest, ok := strings.CutPrefix(text, before)
				value, same := strings.CutSuffix(rest, after)
				if ok && same && !slices.Contains(out, value) && len(out) < maxConstants {
					out = append(out, value)
				}
			}
		}
	}
	return out
}

// naturalValue returns a value for a key that no policy is likely to mention.
func naturalValue(key string, n int) string {
	switch {
	case strings.HasSuffix(key, "account"):
		return "9999999999" + strconv.Itoa(10+n%90)
	case strings.HasSuffix(key, "region"):
		return "zz-nowhere-" + strconv.Itoa(1+n)
	case strings.HasSuffix(key, "arn"):
		return "arn:aws:iam::999999999999:role/someone-" + strconv.Itoa(n)
	}
	return "someone-" + strconv.Itoa(n)
}
