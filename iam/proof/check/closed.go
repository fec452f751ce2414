package check

import (
	"fmt"
	"slices"

	"dera.example/dera/iam/policy"
)

// Trust says who is no external principal, and what is asked about.
type Trust struct {
	// Zoned asks about callers outside of the three lists; otherwise the question
	// is about public access, and what the policies name is trusted.
	Zoned                               bool
	Accounts, Organizations, Principals []string
	Owner                               string   // the account of the resource, where known
	Actions, Resources                  []string // patterns; none stands for all
}

// OpenError names a statement of which the checker cannot say that it lets no
// external principal in.
type OpenError struct{ Document, Statement int }

// Error gives the place.
func (e *OpenError) Error() string {
	return fmt.Sprintf("the checker cannot say that statement %d of document %d allows nobody", e.Statement+1, e.Document+1)
}

// Closed checks that the policies of a resource allow no external principal: that each
// allowing statement names only callers who are trusted, or demands something
// that no external principal has, or can never hold, or is taken back by a denial. An error
// is an *OpenError. It looks at statements one by one and searches nothing, so
// that it says less than the engine and never more.
func Closed(docs []*policy.Document, t Trust) error {
	c := closer{trust: t, wide: networks(docs), asked: &statement{Statement: &policy.Statement{}}}
	for _, a := range lower(t.Actions) {
		c.actions = append(c.actions, newAction(a))
	}
	for _, doc := range docs {
		for i := range doc.Statements {
			if st := &doc.Statements[i]; st.Effect == policy.Deny && (st.Principals != nil || st.NotPrincipals != nil) {
				c.denials = append(c.denials, newPolicies([]*policy.Document{{Version: doc.Version, Statements: doc.Statements[i : i+1]}}).deny...)
			}
		}
	}
	for i, doc := range docs {
		for j := range doc.Statements {
			st := &doc.Statements[j]
			if st.Effect != policy.Allow || st.Principals == nil && st.NotPrincipals == nil {
				continue // a statement that names nobody is about nobody
			}
			if s := newStatement(st, doc.Variables()); !c.closed(s) {
				return &OpenError{i, j}
			}
		}
	}
	return nil
}

// closer checks the statements of some policies.
type closer struct {
	trust   Trust
	actions []action
	denials []*statement
	wide    []span     // the networks that all statements name together
	asked   *statement // stands for the resources of the question
}

func (c *closer) closed(s *statement) bool {
	if c.callers(s) || slices.ContainsFunc(s.Conditions, func(d policy.Condition) bool { return c.excludes(&d, s.variables) }) {
		return true
	}
	for _, a := range s.regions(c.only()) {
		for _, r := range s.pieces() {
			if c.elsewhere(s, r) {
				continue
			}
			if !slices.ContainsFunc(c.denials, func(d *statement) bool { return c.takesBack(d, region{s, a, r}) }) {
				return false
			}
		}
	}
	return true
}

// only are the actions that are asked about, or nil for all.
func (c *closer) only() []action {
	if len(c.actions) == 0 {
		return nil
	}
	return c.actions
}

// elsewhere reports whether a piece of a statement has none of the resources
// that are asked about.
func (c *closer) elsewhere(s *statement, r string) bool {
	if len(c.trust.Resources) == 0 || r == "" && s.NotResources == nil {
		return false
	}
	return !slices.ContainsFunc(c.trust.Resources, func(on string) bool {
		if s.NotResources != nil {
			return !slices.ContainsFunc(s.NotResources, func(n string) bool { return resourceWithin(on, c.asked, n, s) })
		}
		return !resourceApart(on, c.asked, r, s)
	})
}

// takesBack reports whether a denial applies to every external principal in a region.
func (c *closer) takesBack(d *statement, r region) bool {
	if !r.actions.in(&d.actions) || !d.resolved(r.statement) || !c.hitsExternal(d) {
		return false
	}
	everywhere := len(c.trust.Resources) > 0 && d.NotResources == nil && !slices.ContainsFunc(c.trust.Resources, func(on string) bool {
		return !slices.ContainsFunc(d.Resources, func(n string) bool { return resourceWithin(on, c.asked, n, d) })
	})
	if !everywhere && !d.coversResource(r.statement, r.resource) {
		return false
	}
	for i := range d.Conditions {
		want := &d.Conditions[i]
		if !c.hits(want, d.variables) && !slices.ContainsFunc(r.Conditions, func(have policy.Condition) bool {
			return implies(&have, r.variables, want, d.variables)
		}) {
			return false
		}
	}
	return true
}

// hitsExternal reports whether a denial is about every external principal: about
// everybody, or about everybody but those who are trusted.
func (c *closer) hitsExternal(d *statement) bool {
	if d.NotPrincipals != nil {
		return !d.NotPrincipals.Everyone() && c.trusted(d.NotPrincipals)
	}
	return d.Principals.Everyone()
}

// callers reports whether a statement names only callers who are no external principals.
func (c *closer) callers(s *statement) bool {
	return s.NotPrincipals == nil && !s.Principals.Everyone() && c.trusted(s.Principals)
}
