package reason

import (
	"fmt"
	"slices"
	"strings"

	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
)

// effective returns the policies of a resource without the statements that name
// nobody, where others do: AWS refuses these, and they are about nobody.
func effective(policies Policies) Policies {
	out := slices.Clone(policies)
	for i, doc := range out {
		if unnamed(doc) >= 0 {
			out[i] = with(doc, func(st *policy.Statement) {
				if st.Principals == nil && st.NotPrincipals == nil {
					st.Effect = policy.NoEffect
				}
			})
		}
	}
	return out
}

// unnamed returns the first statement without principals of a document in which
// others have some, or -1.
func unnamed(doc *policy.Document) int {
	first, named := -1, false
	for i := range doc.Statements {
		if st := &doc.Statements[i]; st.Principals != nil || st.NotPrincipals != nil {
			named = true
		} else if first < 0 {
			first = i
		}
	}
	if !named {
		return -1
	}
	return first
}

// with returns a document with changed statements, each in its place.
func with(doc *policy.Document, change func(*policy.Statement)) *policy.Document {
	out := &policy.Document{Version: doc.Version, ID: doc.ID, Statements: slices.Clone(doc.Statements)}
	for i := range out.Statements {
		change(&out.Statements[i])
	}
	return out
}

// recognised returns the policies as they are at least, whatever the condition
// keys mean that are not known: an Allow with one allows nothing, and a Deny with
// one denies as if it were fulfilled. It says of each document which statements
// have such a key.
func recognised(policies Policies, cfg Config) (Policies, map[int]map[int]string) {
	known := cfg.Known
	if known == nil {
		known = KnownKeys(nil)
	}
	foreign := func(c policy.Condition) bool { return !known(c.Key) }
	found := map[int]map[int]string{}
	out := slices.Clone(policies)
	for i, doc := range policies {
		for j := range doc.Statements {
			if at := slices.IndexFunc(doc.Statements[j].Conditions, foreign); at >= 0 {
				if found[i] == nil {
					found[i] = map[int]string{}
				}
				found[i][j] = fmt.Sprintf("nothing is known of the condition key %s", doc.Statements[j].Conditions[at].Key)
			}
		}
		if found[i] == nil {
			continue
		}
		out[i] = with(doc, func(st *policy.Statement) {
			switch before := len(st.Conditions); {
			case !slices.ContainsFunc(st.Conditions, foreign):
			case st.Effect == policy.Allow:
				st.Effect = policy.NoEffect
			default:
				st.Conditions = slices.DeleteFunc(slices.Clone(st.Conditions[:before]), foreign)
			}
		})
	}
	return out, found
}

// KnownKeys returns what knows the keys that AWS documents for every service,
// those of identity providers, which are named after their host, and those of
// the catalogue; without one, the embedded one is opened when it is needed.
func KnownKeys(c *catalog.Catalog) func(key string) bool {
	return func(key string) bool {
		key = strings.ToLower(key)
		service, _, _ := strings.Cut(key, ":")
		switch {
		case GlobalArity(key) != ArityUnknown, trustOf(key) != noTrust, strings.Contains(service, "."), service == "saml":
			return true
		case service == "aws":
			return false
		}
		if c == nil {
			c = catalog.Embedded()
		}
		s, err := c.Service(service)
		return err == nil && slices.ContainsFunc(s.Keys, func(k catalog.ConditionKey) bool { return fits(strings.ToLower(k.Name), key) })
	}
}

// fits reports whether a key is that of the catalogue, which may end with the
// place for the key of a tag.
func fits(name, key string) bool {
	if at := strings.IndexAny(name, "$<"); at > 0 {
		return strings.HasPrefix(key, name[:at])
	}
	return name == key
}

// doubtful reports whether the policies have patterns of which the strict
// external principal has none.
func (s external) doubtful() bool {
	for _, doc := range s.docs {
		for i := range doc.Statements {
			for _, c := range doc.Statements[i].Conditions {
				if op, _ := policy.ParseOperator(c.Operator); s.strict && trustOf(strings.ToLower(c.Key)) == arnKey && strings.HasSuffix(op.Test, "Like") {
					return true
				}
			}
		}
	}
	return false
}
