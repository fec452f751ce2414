package check

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera/iam/policy"
)

// Check checks a certificate: that it is whole, and that every claim that
// its purpose needs is true. It returns what it read.
func Check(data []byte) (*Certificate, error) {
	c, err := Parse(data)
	if err != nil {
		return nil, err
	}
	return c, c.verify()
}

// verify decides the claims, from the documents alone.
func (c *Certificate) verify() error {
	if c.Purpose != Subset && c.Purpose != Narrow && c.Purpose != Scope {
		return fmt.Errorf("the purpose %q is not known", c.Purpose)
	}
	if !slices.Equal(c.Semantics, Semantics()) {
		return errors.New("the semantics are others than those that are checked")
	}
	var names []string
	for _, claim := range c.Claims {
		names = append(names, claim.Claim)
	}
	if want := Claims(c.Purpose, len(c.Beside) > 0); !slices.Equal(names, want) {
		return fmt.Errorf("the claims are %q, want %q", names, want)
	}
	if c.Purpose == Subset && len(c.Kept)+len(c.Removed) > 0 {
		return errors.New("a certificate about nothing but new grants keeps or removes something")
	}
	var lists [3]*policies
	var documents [3][]*policy.Document
	for i, list := range [][]Document{c.Old, c.New, c.Beside} {
		var docs []*policy.Document
		for _, d := range list {
			doc, err := policy.Parse(d.Text)
			if err != nil {
				return fmt.Errorf("a policy cannot be read: %w", err)
			}
			docs = append(docs, doc)
		}
		lists[i], documents[i] = newPolicies(docs), docs
	}
	old, fresh := lists[0].and(lists[2]), lists[1].and(lists[2])
	for _, name := range names {
		var err error
		switch name {
		case NothingNew:
			err = included(fresh, old, nil)
		case NothingNewAlone:
			err = included(lists[1], lists[0], nil)
		case NothingLost:
			err = keeps(old, fresh, c.Kept)
		case Gone:
			err = without(fresh, c.Removed)
		}
		if err != nil {
			return fmt.Errorf("claim %s: %w", name, err)
		}
	}
	if err := c.unused(documents[0], documents[1], documents[2]); err != nil {
		return fmt.Errorf("what was removed was not used: %w", err)
	}
	if c.Witness == nil {
		if c.Purpose != Subset {
			return errors.New("there is no request that was allowed and is not any more")
		}
		return nil
	}
	if !allows(old, c.Witness) || allows(fresh, c.Witness) {
		return errors.New("the request is not one that was allowed and is not any more")
	}
	return nil
}

// Includes checks that known allows all that fresh allows, as the claim
// "nothing-new" of a certificate does.
func Includes(fresh, known []*policy.Document) error {
	return included(newPolicies(fresh), newPolicies(known), nil)
}

// Keeps checks that nothing of the kept actions is lost, as the claim
// "nothing-lost" of a certificate does.
func Keeps(old, fresh []*policy.Document, kept []string) error {
	return keeps(newPolicies(old), newPolicies(fresh), kept)
}

// Without checks that nothing of what was removed is allowed, as the claim "gone"
// of a certificate does.
func Without(fresh []*policy.Document, removed []string) error {
	return without(newPolicies(fresh), removed)
}

// included checks that known allows all that fresh allows of some actions; nil
// stands for all. One region is one entry of a statement and one of its
// resources.
func included(fresh, known *policies, only []action) error {
	loose := slices.DeleteFunc(slices.Clone(known.deny), fresh.restates)
	for _, s := range fresh.allow {
		for _, a := range s.regions(only) {
			resources := s.pieces()
			if hasTwin(s, known, a) {
				resources = []string{""}
			}
			for _, r := range resources {
				if !(region{s, a, r}).covered(fresh, known, loose) && !coveredEach(s.byPrincipal(), a, r, fresh, known, loose) &&
					!(region{s, a, r}).coveredIn(fresh, known, loose) {
					return fmt.Errorf("what statement %q allows of %v %s is not found", s.Sid, a, r)
				}
			}
		}
	}
	return nil
}

// coveredEach reports whether the region is covered for each principal.
func coveredEach(list []*statement, a entry, resource string, fresh, known *policies, loose []*statement) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(s *statement) bool { return !(region{s, a, resource}).covered(fresh, known, loose) })
}

// hasTwin reports whether an allowance of known has the same rest and the
// action: the resources need not be looked at one by one.
func hasTwin(s *statement, known *policies, a entry) bool {
	return slices.ContainsFunc(known.allow, func(k *statement) bool { return k.rest == s.rest && a.in(&k.actions) })
}

// entry is the actions of a region: one entry of a list, or all but a list.
type entry struct {
	action
	but *actions
}

// String names the actions for messages.
func (e entry) String() string {
	switch {
	case e.but != nil:
		return "everything but a list"
	case e.all:
		return "*"
	}
	return e.text
}

// in reports whether an element contains the actions.
func (e entry) in(s *actions) bool {
	if e.but == nil {
		return s.contains(e.action)
	}
	if !s.not {
		return s.all
	}
	// All but the one list is within all but the other if that one is shorter.
	if s.all {
		return false
	}
	return e.but.listAll(s)
}

// apart reports whether an element has none of the actions.
func (e entry) apart(s *actions) bool {
	if e.but == nil {
		return s.excludes(e.action)
	}
	if s.not {
		return false
	}
	if s.all {
		return e.but.all
	}
	return e.but.listAll(s)
}

// listAll reports whether the list contains every entry of another one.
func (s *actions) listAll(o *actions) bool {
	return !slices.ContainsFunc(o.entries, func(a action) bool { return !s.lists(a) })
}

// regions cuts the actions of a statement into entries.
func (s *statement) regions(only []action) []entry {
	var out []entry
	if only != nil {
		for _, a := range only {
			if !s.actions.excludes(a) {
				out = append(out, entry{action: a})
			}
		}
		return out
	}
	if s.NotActions != nil {
		return []entry{{but: &s.actions}}
	}
	out = make([]entry, 0, len(s.actions.entries))
	for _, a := range s.actions.entries {
		out = append(out, entry{action: a})
	}
	return out
}

// region is a set of requests: those of a statement for some of its actions and
// one of its resources.
type region struct {
	*statement
	actions  entry
	resource string // "": all of the statement
}

// covered reports whether every request of the region is refused by fresh or
// allowed by known. The loose denials are those of known that fresh does not
// restate.
func (r region) covered(fresh, known *policies, loose []*statement) bool {
	if r.refused(fresh) {
		return true
	}
	for _, d := range loose {
		if !r.actions.apart(&d.actions) && !r.misses(d) {
			return false
		}
	}
	return slices.ContainsFunc(known.allow, func(k *statement) bool {
		return r.actions.in(&k.actions) && k.holdsFor(r.statement, r.resource)
	})
}

// refused reports whether a denial of fresh applies to the whole region.
func (r region) refused(fresh *policies) bool {
	return slices.ContainsFunc(fresh.deny, func(f *statement) bool {
		return r.actions.in(&f.actions) && f.holdsFor(r.statement, r.resource)
	})
}

// coveredIn reports whether a denial of fresh leaves of the region only single resources,
// and each of these is covered.
func (r region) coveredIn(fresh, known *policies, loose []*statement) bool {
	return slices.ContainsFunc(fresh.deny, func(f *statement) bool {
		return f.Resources == nil && len(f.NotResources) > 0 && !slices.ContainsFunc(f.NotResources, open) &&
			r.actions.in(&f.actions) && f.coversPrincipals(r.statement) && f.coversConditions(r.statement) && f.resolved(r.statement) &&
			!slices.ContainsFunc(f.NotResources, func(on string) bool { return !(region{r.statement, r.actions, on}).covered(fresh, known, loose) })
	})
}

// open reports whether a resource may stand for several, under some reading.
func open(resource string) bool {
	return strings.ContainsAny(resource, "*?$") || !strings.HasPrefix(resource, "arn:") || strings.Count(resource, ":") < arnColons
}

// restates reports whether one denial of the policies applies to all that
// another one applies to.
func (p *policies) restates(d *statement) bool {
	return slices.ContainsFunc(p.deny, func(f *statement) bool { return f.containsAll(d) })
}

// containsAll reports whether a statement applies to all that another one
// applies to.
func (s *statement) containsAll(o *statement) bool {
	if s.rest == o.rest && slices.Equal(s.Actions, o.Actions) && slices.Equal(s.NotActions, o.NotActions) {
		return true
	}
	for _, a := range o.regions(nil) {
		if !a.in(&s.actions) {
			return false
		}
	}
	return !slices.ContainsFunc(o.pieces(), func(r string) bool { return !s.holdsFor(o, r) })
}

// pieces are the resources of a statement, one by one where that is possible.
func (s *statement) pieces() []string {
	if s.Resources == nil || s.NotResources != nil {
		return []string{""}
	}
	return s.Resources
}

// misses reports whether a denial applies to nothing of the region.
func (r region) misses(d *statement) bool {
	if r.resource != "" && d.Resources != nil && d.NotResources == nil &&
		!slices.ContainsFunc(d.Resources, func(other string) bool { return !resourceApart(r.resource, r.statement, other, d) }) {
		return true
	}
	if r.NotPrincipals == nil && d.NotPrincipals == nil && differ(r.Principals, d.Principals) {
		return true
	}
	for i := range d.Conditions {
		for j := range r.Conditions {
			if excludes(&r.Conditions[j], r.variables, &d.Conditions[i], d.variables) {
				return true
			}
		}
	}
	return false
}

// keeps checks that nothing of the kept actions is lost.
func keeps(old, fresh *policies, kept []string) error {
	only := make([]action, 0, len(kept))
	for i, k := range lower(kept) {
		a := newAction(k)
		if a.nothing() || a.all || a.wild() {
			return fmt.Errorf("%q is kept, and no action", kept[i])
		}
		only = append(only, a)
	}
	return included(old, fresh, only)
}

// without checks that nothing of what was removed is allowed.
func without(fresh *policies, removed []string) error {
	if len(removed) == 0 {
		return errors.New("nothing was removed")
	}
	for i, text := range lower(removed) {
		a := newAction(text)
		if a.nothing() {
			return fmt.Errorf("%q is removed, and no action", removed[i])
		}
		for _, s := range fresh.allow {
			if s.actions.excludes(a) {
				continue
			}
			r := region{statement: s, actions: entry{action: a}}
			if !r.refused(fresh) {
				return fmt.Errorf("statement %q still allows some of %s", s.Sid, text)
			}
		}
	}
	return nil
}
