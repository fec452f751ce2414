package eval

import "strings"

// Context holds the condition keys of a request and their values. A key
// without values is absent. Names count regardless of case; names in lower
// case are found fastest.
type Context map[string][]string

// key is the name of a condition key, prepared for look-up.
type key struct{ written, lower string }

func newKey(name string) key { return key{written: name, lower: strings.ToLower(name)} }

// of returns the values of the key. Where a context has a name in two
// spellings, lower case comes first, then the spelling of the policy, then
// alphabetical order, so that the answer does not depend on chance.
func (k *key) of(context Context) []string {
	if v, ok := context[k.lower]; ok {
		return v
	}
	if v, ok := context[k.written]; ok {
		return v
	}
	var found string
	var values []string
	for name, v := range context {
		if len(name) == len(k.lower) && strings.EqualFold(name, k.lower) && (found == "" || name < found) {
			found, values = name, v
		}
	}
	return values
}
