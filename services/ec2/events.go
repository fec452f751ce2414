// Package ec2 is what the resource types of EC2 share that no AWS call is needed for:
// which resources an event names.
package ec2

import (
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
)

// Source is the name of EC2 in CloudTrail.
const Source = "ec2.amazonaws.com"

// Named are the calls whose resources of a type are found by their IDs, which begin with
// the prefix (such as "subnet-"), wherever request and answer name them. A call that names
// none, such as one on an association, is a look at all.
func Named(typ, prefix string, calls ...string) []cloudtrail.Watched {
	return cloudtrail.Calls(Source, func(c cloudtrail.Call) []dera.Scope { return c.Scopes(typ, IDs(c, prefix)) }, calls...)
}

// NamedOnly are calls that are about many other things too: one that names no resource of
// the type gives no hint.
func NamedOnly(typ, prefix string, calls ...string) []cloudtrail.Watched {
	return cloudtrail.Calls(Source, func(c cloudtrail.Call) []dera.Scope {
		ids := IDs(c, prefix)
		if len(ids) == 0 {
			return nil
		}
		return c.Scopes(typ, ids)
	}, calls...)
}

// Tagged are the calls that tag: those of other types are no hint, and one of a shape that is
// not known is a look at all.
func Tagged(typ, prefix string) []cloudtrail.Watched {
	return cloudtrail.Calls(Source, func(c cloudtrail.Call) []dera.Scope {
		ids := IDs(c, prefix)
		if tagged := c.Parameters.List("resourcesSet"); len(ids) == 0 && len(tagged) > 0 && !slices.ContainsFunc(tagged, func(t cloudtrail.Tree) bool { return t.Text("resourceId") == "" }) {
			return nil
		}
		return c.Scopes(typ, ids)
	}, "CreateTags", "DeleteTags")
}

// Configured is how AWS Config names the resources of a type that it has by the same name.
func Configured(typ, prefix string) []cloudtrail.Configured {
	return []cloudtrail.Configured{{Type: typ, Find: func(r cloudtrail.Record, id string) []dera.Scope {
		if !IsID(id, prefix) {
			return r.Sweep(typ)
		}
		return r.Scopes(typ, []string{id})
	}}}
}

// IDs are the IDs that begin with the prefix in the request and answer of a call.
func IDs(c cloudtrail.Call, prefix string) []string {
	return idsIn(map[string]any(c.Answer), prefix, idsIn(map[string]any(c.Parameters), prefix, nil))
}

func idsIn(v any, prefix string, ids []string) []string {
	switch v := v.(type) {
	case map[string]any:
		for _, x := range v {
			ids = idsIn(x, prefix, ids)
		}
	case []any:
		for _, x := range v {
			ids = idsIn(x, prefix, ids)
		}
	case string:
		if IsID(v, prefix) {
			ids = append(ids, v)
		}
	}
	return ids
}

// IsID reports whether a text has the form of an ID with the prefix.
func IsID(text, prefix string) bool {
	rest, ok := strings.CutPrefix(text, prefix)
	return ok && rest != "" && len(rest) <= 32 && strings.Trim(rest, "0123456789abcdefghijklmnopqrstuvwxyz") == ""
}
