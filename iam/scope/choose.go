package scope

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
)

// Choice is what narrowing several policies together comes to: an action that stays
// in one of them makes others stay in all.
type Choice struct {
	// Refused says why a person must narrow them; nothing goes then.
	Refused string
	// Gone are the actions that go and Kept those that stay, both sorted.
	Gone, Kept []string
	// Broad are the services that are kept as a whole for want of room.
	Broad []string

	n    *narrower
	docs []*policy.Document
	plan *plan
}

// Choose decides like Narrow about several policies together. in.Policy is not looked
// at, and in.Limit is that of all the documents; 0 is no limit.
func Choose(in Input, docs ...*policy.Document) (*Choice, error) {
	c, err := decided(in, docs)
	if err != nil || c.Refused != "" {
		return c, err
	}
	if err := c.fit(); err != nil || c.Refused != "" {
		return c, err
	}
	for _, a := range gone(c.plan.dropped) {
		c.Gone = append(c.Gone, a.Name)
	}
	c.Kept = slices.SortedFunc(maps.Keys(c.plan.kept), compareFold)
	c.Broad = slices.Sorted(maps.Keys(c.n.broad))
	return c, nil
}

// Goes is Choose without a limit and without its lists: it tells of an action in lower
// case whether it goes.
func Goes(in Input, docs ...*policy.Document) (func(lower string) bool, error) {
	c, err := decided(in, docs)
	if err != nil || c.Refused != "" {
		return func(string) bool { return false }, err
	}
	return func(lower string) bool {
		why, allowed := c.n.why[lower]
		return allowed && why == ""
	}, nil
}

// decided is a choice without its lists.
func decided(in Input, docs []*policy.Document) (*Choice, error) {
	if len(docs) == 0 {
		return nil, errors.New("narrow policies: there are none")
	}
	limit, together := in.Limit, &policy.Document{Version: docs[0].Version}
	for _, d := range docs {
		together.Statements = append(together.Statements, d.Statements...)
	}
	in.Policy = together
	refused, err := in.ready()
	if err != nil || refused != "" {
		return &Choice{Refused: refused}, err
	}
	in.Limit = limit
	c := &Choice{n: newNarrower(in), docs: docs}
	c.n.terse = true
	return c, nil
}

// fit finds lists that AWS stores. Services whose lists have no room stay as a whole,
// those with the longest lists first, so that what is left has no room either when the
// result is narrowed again.
func (c *Choice) fit() error {
	for {
		c.plan = c.n.plan(false)
		if c.n.Limit == 0 {
			return nil
		}
		most, lists := 0, map[string]int{}
		for _, r := range c.plan.reasons {
			for _, e := range r.With {
				service, _, _ := strings.Cut(e, ":")
				lists[service] += len(e) + len(`"",`)
				most += len(e) + len(`"",`)
			}
		}
		if len(lists) == 0 {
			return nil // at most as long as before
		}
		for _, d := range c.docs {
			most += d.Size(policy.Identity)
		}
		if most <= c.n.Limit {
			return nil
		}
		excess, err := c.excess()
		if err != nil || excess <= 0 {
			return err
		}
		services := slices.SortedFunc(maps.Keys(lists), func(a, b string) int {
			return cmp.Or(cmp.Compare(lists[b], lists[a]), cmp.Compare(a, b))
		})
		grown := false
		for _, s := range services {
			if grown && excess <= 0 {
				break
			}
			if c.n.Catalogue.Known(s) && !c.n.broad[s] {
				c.n.broad[s], grown = true, true
				excess -= lists[s]
			}
		}
		if !grown {
			c.Refused = fmt.Sprintf("what stays is %d characters longer than AWS stores", excess)
			return nil
		}
		c.n.decide()
	}
}

// excess is by how many characters the documents are longer than AWS stores.
func (c *Choice) excess() (int, error) {
	docs, err := c.Documents()
	if err != nil {
		return 0, err
	}
	size := 0
	for _, d := range docs {
		if d != nil {
			size += d.Size(policy.Identity)
		}
	}
	return size - c.n.Limit, nil
}

// Documents are the policies as they become, in order; nil where nothing is left of
// one, and the same where it stays as it is.
func (c *Choice) Documents() ([]*policy.Document, error) {
	if c.Refused != "" {
		return nil, errors.New(c.Refused)
	}
	had, left := map[int]bool{}, map[int]bool{}
	for _, r := range c.plan.reasons {
		had[r.Statement] = true
		left[r.Statement] = left[r.Statement] || r.Fate != Dropped
	}
	var out []*policy.Document
	first := 0
	for _, d := range c.docs {
		var edits []policy.Edit
		gone := 0
		for i := range d.Statements {
			if had[first+i] && !left[first+i] {
				edits = append(edits, policy.RemoveStatement(i))
				gone++
			}
		}
		for _, r := range c.plan.reasons {
			if at := r.Statement - first; r.Fate != Kept && left[r.Statement] && at >= 0 && at < len(d.Statements) {
				edits = append(edits, policy.ReplaceAction(at, r.Entry, r.With...))
			}
		}
		first += len(d.Statements)
		switch {
		case len(edits) == 0:
			out = append(out, d)
		case gone == len(d.Statements):
			out = append(out, nil)
		default:
			fresh, err := d.Apply(edits...)
			if err != nil {
				return nil, fmt.Errorf("narrow policies: %w", err)
			}
			out = append(out, fresh)
		}
	}
	return out, nil
}

// With are actions, or entries of other policies, that an action may be used with:
// those of them that were used, and those that stay although nobody used them.
func (c *Choice) With(action string) (used, stay []string) {
	if c.n == nil {
		return nil, nil
	}
	add := func(found string) {
		to := &stay
		if c.n.used[strings.ToLower(found)] != "" {
			to = &used
		}
		if !slices.Contains(*to, found) {
			*to = append(*to, found)
		}
	}
	if a := c.n.Catalogue.Find(action); a != nil {
		for i := range a.Companions {
			with := &a.Companions[i]
			if found := c.n.present(with); found != "" {
				add(found)
			}
			for _, doc := range c.n.Beside {
				if entry := c.n.allowedBy(doc, with.Entry); entry != "" && !slices.Contains(used, with.Entry) {
					add(entry + " of another policy")
				}
			}
		}
	}
	if action == catalog.PassRole && c.n.unseen != "" {
		add(c.n.unseen)
	}
	if action == catalog.PassRole && c.n.doubtful && len(stay) == 0 {
		add("an action that the catalogue does not know")
	}
	return used, stay
}
