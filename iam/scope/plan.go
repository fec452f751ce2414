package scope

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
)

// plan is what becomes of each entry.
type plan struct {
	reasons []Reason
	kept    map[string]bool // actions that stay, as written
	dropped []dropped
}

// dropped is an entry that goes, wholly or in part, with its actions that go.
type dropped struct {
	entry   string
	whole   bool
	actions []*catalog.Known
}

// gone are the actions of several entries, in the order of the catalogue.
func gone(all []dropped) (out []*catalog.Known) {
	for _, d := range all {
		out = append(out, d.actions...)
	}
	slices.SortFunc(out, func(a, b *catalog.Known) int { return cmp.Compare(a.Place, b.Place) })
	return slices.Compact(out)
}

func namesOf(actions []*catalog.Known) (out []string) {
	for _, a := range actions {
		out = append(out, a.Name)
	}
	return out
}

// plan decides about every entry. With short, lists that take the place of an
// entry are folded.
func (n *narrower) plan(short bool) *plan {
	p := &plan{kept: map[string]bool{}}
	for i := range n.Policy.Statements {
		st := &n.Policy.Statements[i]
		if st.Effect != policy.Allow {
			continue
		}
		has := map[string]bool{} // introduced into this statement
		seen := map[string]bool{}
		for _, entry := range st.Actions {
			if !seen[entry] { // an edit of an entry is about all its copies
				seen[entry] = true
				p.reasons = append(p.reasons, n.entry(p, i, entry, has, short))
			}
		}
	}
	return p
}

// entry decides about one entry.
func (n *narrower) entry(p *plan, statement int, entry string, has map[string]bool, short bool) Reason {
	st := &n.Policy.Statements[statement]
	r := Reason{Statement: statement, Sid: st.Sid, Entry: entry, Fate: Kept}
	actions, known := n.Catalogue.Matched(entry)
	if !known || len(actions) == 0 {
		r.Why = []string{"the catalogue does not know it: it stays as it is"}
		for _, a := range n.used {
			if catalog.MatchAction(entry, a) {
				p.kept[a] = true
			}
		}
		return r
	}
	stay, go_ := n.divide(entry, actions)
	for _, a := range stay {
		p.kept[a] = true
	}
	if !n.terse {
		r.Why = n.explain(stay, go_)
	}
	if len(go_) == 0 {
		return r
	}
	with := slices.DeleteFunc(slices.Clone(stay), func(a string) bool { return has[a] || n.keptElsewhere(st, entry, a) })
	p.dropped = append(p.dropped, dropped{entry, len(stay) == 0, go_})
	r.Fate = Dropped
	if len(with) == 0 {
		return r
	}
	for _, a := range with {
		has[a] = true
	}
	if short {
		with = fold(with, func(pattern string) bool { return covers(entry, pattern) && n.all(pattern) })
	}
	r.Fate, r.With = Replaced, with
	return r
}

// divide sorts the actions of an entry into those that stay and those that go.
// Actions that were used stay, even if the catalogue does not have them.
func (n *narrower) divide(entry string, actions []*catalog.Known) (stay []string, go_ []*catalog.Known) {
	for _, a := range actions {
		if n.why[a.Lower] != "" {
			stay = append(stay, a.Name)
		} else {
			go_ = append(go_, a)
		}
	}
	for _, a := range n.strange {
		if catalog.MatchAction(entry, a) {
			stay = append(stay, a)
		}
	}
	if len(stay) > 1 {
		slices.SortFunc(stay, compareFold)
	}
	return stay, go_
}

// compareFold orders actions by service and name, whatever their case.
func compareFold(a, b string) int {
	serviceA, nameA, _ := strings.Cut(a, ":")
	serviceB, nameB, _ := strings.Cut(b, ":")
	return cmp.Or(compareLetters(serviceA, serviceB), compareLetters(nameA, nameB))
}

func compareLetters(a, b string) int {
	for i := range min(len(a), len(b)) {
		if c := cmp.Compare(lower(a[i]), lower(b[i])); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// keptElsewhere reports whether another entry of the statement, one that stays
// as it is, has the action.
func (n *narrower) keptElsewhere(st *policy.Statement, entry, action string) bool {
	return slices.ContainsFunc(st.Actions, func(e string) bool {
		return e != entry && catalog.MatchAction(e, action) && n.all(e)
	})
}

// all reports whether everything that the catalogue has of an entry stays.
func (n *narrower) all(entry string) bool {
	actions, _ := n.Catalogue.Matched(entry)
	return !slices.ContainsFunc(actions, func(a *catalog.Known) bool { return n.why[a.Lower] == "" })
}

// explain gathers actions with the same reason.
func (n *narrower) explain(stay []string, go_ []*catalog.Known) []string {
	var order []string
	groups := map[string][]string{}
	add := func(why, action string) {
		if groups[why] == nil {
			order = append(order, why)
		}
		groups[why] = append(groups[why], action)
	}
	for _, a := range stay {
		why := n.why[strings.ToLower(a)]
		if why == "" {
			why = "used"
		}
		add("kept, "+why, a)
	}
	for _, a := range go_ {
		why := "dropped, not used: " + a.Source()
		if len(a.With) > 0 {
			why += ", and nothing stays that it is used with"
		}
		add(why, a.Name)
	}
	out := make([]string, len(order))
	for i, why := range order {
		list := groups[why]
		const some = 5
		text := strings.Join(list[:min(some, len(list))], ", ")
		if more := len(list) - some; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		out[i] = why + ": " + text
	}
	return out
}

// result applies a plan.
func (n *narrower) result(p *plan) (*Result, error) {
	r := &Result{
		Reasons: p.reasons, Kept: slices.SortedFunc(maps.Keys(p.kept), compareFold),
		Broad: slices.Sorted(maps.Keys(n.broad)), Limit: n.Limit, Outcome: Nothing,
	}
	had, left := map[int]bool{}, map[int]bool{} // entries, by statement
	for _, reason := range p.reasons {
		had[reason.Statement] = true
		left[reason.Statement] = left[reason.Statement] || reason.Fate != Dropped
	}
	gone := 0
	for i := range n.Policy.Statements {
		if had[i] && !left[i] {
			r.Edits = append(r.Edits, policy.RemoveStatement(i))
			gone++
		}
	}
	for _, reason := range p.reasons {
		if reason.Fate != Kept && left[reason.Statement] {
			r.Edits = append(r.Edits, policy.ReplaceAction(reason.Statement, reason.Entry, reason.With...))
		}
	}
	switch {
	case len(r.Edits) == 0:
		r.Documents, r.Size = []*policy.Document{n.Policy}, n.Policy.Size(n.Kind)
		return r, nil
	case gone == len(n.Policy.Statements):
		r.Outcome, r.Edits = Detach, nil
	default:
		doc, err := n.Policy.Apply(r.Edits...)
		if err != nil {
			return nil, fmt.Errorf("narrow policy: %w", err)
		}
		r.Outcome, r.Documents, r.Size = Narrowed, []*policy.Document{doc}, doc.Size(n.Kind)
	}
	if r.fits() || r.Size <= maxDocuments*r.Limit {
		r.Removed, r.Unused = removed(p.dropped, r.Documents), n.unused(p.dropped)
	}
	return r, nil
}

// removed writes what was dropped as short as it can be: by patterns, where no
// entry that is left has an action in common with them.
func removed(all []dropped, docs []*policy.Document) []string {
	left := map[string][]string{} // entries by service
	for _, doc := range docs {
		for i := range doc.Statements {
			if st := &doc.Statements[i]; st.Effect == policy.Allow {
				for _, e := range st.Actions {
					service, _, _ := strings.Cut(strings.ToLower(e), ":")
					left[service] = append(left[service], e)
				}
			}
		}
	}
	free := func(pattern string) bool {
		service, _, _ := strings.Cut(strings.ToLower(pattern), ":")
		if everything(pattern) {
			return len(left) == 0
		}
		return !slices.ContainsFunc(left[service], func(e string) bool { return overlap(e, pattern) }) && len(left["*"]) == 0
	}
	out := map[string]bool{}
	for _, d := range all {
		if d.whole && free(d.entry) {
			out[d.entry] = true
			continue
		}
		for _, e := range fold(namesOf(d.actions), free) {
			out[e] = true
		}
	}
	list := slices.CompactFunc(slices.SortedFunc(maps.Keys(out), compareFold), strings.EqualFold)
	patterns := map[string][]string{} // by service
	for _, e := range list {
		if service, _, _ := strings.Cut(strings.ToLower(e), ":"); strings.ContainsAny(e, "*?") {
			patterns[service] = append(patterns[service], e)
		}
	}
	return slices.DeleteFunc(list, func(e string) bool {
		service, _, _ := strings.Cut(strings.ToLower(e), ":")
		return coveredBy(patterns["*"], e) || coveredBy(patterns[service], e)
	})
}

// coveredBy reports whether another of some patterns says the same or more.
func coveredBy(patterns []string, entry string) bool {
	if strings.Count(entry, "*") > 1 {
		return false
	}
	return slices.ContainsFunc(patterns, func(p string) bool { return p != entry && covers(p, entry) })
}
