package cloudtrail

import (
	"slices"
	"strings"

	"dera.example/dera"
)

// Named are the calls of a service that name a resource in one of their members: by its
// ID, its URL or its ARN.
type Named struct {
	// Source is the service's, for example sqs.amazonaws.com, and Calls those after which a
	// resource may be different.
	Source string
	Calls  []string
	// Members are those of the parameters, then of the answer, that name it.
	Members []string
	// InARN stands before the ID in the last part of an ARN, for example "repository/".
	InARN string
	// Qualifier is the member that names a part of the resource, whose ID is that of the
	// resource, a colon and the part; empty where there is none.
	Qualifier string
	// ARNOnly says that what is no ARN does not tell the ID.
	ARNOnly bool
}

// Events are the events of the type. A call that does not tell the ID, or by another
// name, has all resources of the region looked at.
func (n Named) Events(typ string) Events {
	service, _, _ := strings.Cut(n.Source, ".")
	find := func(c Call) []dera.Scope {
		var ids []string
		for _, tree := range []Tree{c.Parameters, c.Answer} {
			for _, m := range n.Members {
				if id := n.id(service, tree.Text(m)); id != "" {
					ids = append(ids, id)
				}
			}
		}
		if part := c.Parameters.Text(n.Qualifier); n.Qualifier != "" && part != "" && len(ids) > 0 {
			if id := n.id(service, ids[0]+":"+part); id != "" {
				ids = append(ids, id)
			}
		}
		return c.Scopes(typ, slices.Compact(ids))
	}
	one := func(r Record, text string) []dera.Scope {
		if id := n.id(service, text); id != "" {
			return r.Scopes(typ, []string{id})
		}
		return r.Sweep(typ)
	}
	return Events{Type: typ, Calls: Calls(n.Source, find, n.Calls...), Config: []Configured{{Type: typ, Find: one}}, Analyzed: one}
}

// id is the ID in a text, or nothing.
func (n Named) id(service, text string) string {
	switch arn := dera.ARN(text); {
	case strings.HasPrefix(text, "arn:"):
		if arn.Service() != service {
			return ""
		}
		id, ok := strings.CutPrefix(arn.Resource(), n.InARN)
		if !ok {
			return ""
		}
		text = id
	case n.ARNOnly:
		return ""
	case len(text) > 12 && strings.Trim(text[:12], "0123456789") == "" && n.InARN != "" && strings.HasPrefix(text[12:], ":"+n.InARN):
		text = text[12+1+len(n.InARN):] // Lambda takes a part of the ARN too, from the account on
	case strings.Contains(text, "://"):
		text = text[strings.LastIndex(text, "/")+1:]
	}
	if text == "" || len(text) > 600 || strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune("*?\"'\\", c) }) {
		return ""
	}
	return text
}
