package scope

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"dera.example/dera/iam/policy"
)

// maxDocuments is into how many documents one is split at most: a role can
// have ten policies, and people must be able to read them.
const maxDocuments = 2

// split cuts a document that is too large into several that together say the
// same. Denials stay in the first.
func split(doc *policy.Document, in Input) ([]*policy.Document, bool) {
	if in.Kind != policy.Identity {
		return nil, false // there is one boundary, and one session policy
	}
	var units []unit
	for i := range doc.Statements {
		if st := &doc.Statements[i]; st.Effect == policy.Allow {
			for _, e := range st.Actions {
				units = append(units, unit{i, e})
			}
		}
	}
	var out []*policy.Document
	for len(units) > 0 {
		if len(out) == maxDocuments {
			return nil, false
		}
		part, n := fill(doc, units, len(out) == 0, in)
		if n == 0 {
			return nil, false
		}
		out = append(out, part)
		units = units[n:]
	}
	return out, len(out) > 0
}

// unit is one entry of a statement.
type unit struct {
	statement int
	entry     string
}

// fill makes a document of as many units as fit, by halving.
func fill(doc *policy.Document, units []unit, denials bool, in Input) (best *policy.Document, n int) {
	low, high := 0, len(units)
	for low < high {
		try := (low + high + 1) / 2
		part, err := only(doc, units[:try], denials)
		if err == nil && part.Size(in.Kind) <= in.Limit {
			best, low = part, try
		} else {
			high = try - 1
		}
	}
	return best, low
}

// only returns the document with nothing but some units, and the denials.
func only(doc *policy.Document, units []unit, denials bool) (*policy.Document, error) {
	var edits []policy.Edit
	in := map[unit]bool{}
	for _, u := range units {
		in[u] = true
	}
	for i := range doc.Statements {
		st := &doc.Statements[i]
		here := func(e string) bool { return in[unit{i, e}] }
		switch {
		case st.Effect != policy.Allow && denials, !slices.ContainsFunc(st.Actions, func(e string) bool { return !here(e) }) && st.Effect == policy.Allow:
		case st.Effect != policy.Allow, !slices.ContainsFunc(st.Actions, here):
			edits = append(edits, policy.RemoveStatement(i))
		default:
			done := map[string]bool{}
			for _, e := range st.Actions {
				if !here(e) && !done[e] {
					done[e] = true
					edits = append(edits, policy.RemoveAction(i, e))
				}
			}
		}
	}
	return doc.Apply(edits...)
}

func largest(docs []*policy.Document, k policy.Kind) int {
	size := 0
	for _, d := range docs {
		size = max(size, d.Size(k))
	}
	return size
}

// broaden gives up the services that take the most space in the lists of a
// plan, one at least and as many as are in the way, and reports whether there
// was one.
func (n *narrower) broaden(p *plan, excess int) bool {
	size := map[string]int{}
	for _, r := range p.reasons {
		for _, e := range r.With {
			service, name, _ := strings.Cut(e, ":")
			if name != "*" && n.Catalogue.Known(service) && !n.broad[service] {
				size[service] += len(e) + len(`"",`)
			}
		}
	}
	services := slices.SortedFunc(maps.Keys(size), func(a, b string) int {
		return cmp.Or(cmp.Compare(size[b], size[a]), cmp.Compare(a, b))
	})
	for i, service := range services {
		if i > 0 && excess <= 0 {
			break
		}
		n.broad[service] = true
		excess -= size[service]
	}
	n.decide()
	return len(services) > 0
}
