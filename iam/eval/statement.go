package eval

import "dera.example/dera/iam/policy"

// statement is a compiled policy statement.
type statement struct {
	ref           Ref
	effect        policy.Effect
	actions       []actionPattern
	notAction     bool
	resources     []resourcePattern
	notResource   bool
	anyResource   bool // no Resource element: a trust policy
	principals    *principals
	notPrincipals *principals
	conditions    []condition
	variables     []variable // those without a fallback, for Reading.VoidNull
}

// newStatement compiles a statement: all its actions, or those entries that may
// match one action.
func newStatement(in *policy.Statement, variables bool, ref Ref, only *action) statement {
	st := statement{
		ref:           ref,
		effect:        in.Effect,
		notAction:     in.NotActions != nil,
		notResource:   in.NotResources != nil,
		anyResource:   in.Resources == nil && in.NotResources == nil,
		principals:    newPrincipals(in.Principals),
		notPrincipals: newPrincipals(in.NotPrincipals),
	}
	if ineffective(in) {
		st.effect = policy.NoEffect
	}
	for _, list := range [][]string{in.Actions, in.NotActions} {
		for _, a := range list {
			if only == nil || only.near(a) {
				st.actions = append(st.actions, newActionPattern(a))
			}
		}
	}
	for _, list := range [][]string{in.Resources, in.NotResources} {
		for _, r := range list {
			p := newResourcePattern(r, variables)
			st.resources = append(st.resources, p)
			st.require(p.variables)
		}
	}
	for _, c := range in.Conditions {
		compiled := newCondition(c, variables)
		st.conditions = append(st.conditions, compiled)
		st.require(compiled.variables)
	}
	return st
}

// ineffective reports whether a statement lists no actions or an empty list of
// resources, also under NotAction and NotResource: "When the element is empty,
// the policy statement provides no permissions."
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
func ineffective(in *policy.Statement) bool {
	noActions := len(in.Actions)+len(in.NotActions) == 0
	emptyResources := (in.Resources != nil || in.NotResources != nil) && len(in.Resources)+len(in.NotResources) == 0
	return noActions || emptyResources
}

// require notes the variables that need a value from the request.
func (st *statement) require(variables []variable) {
	for _, v := range variables {
		if !v.optional {
			st.variables = append(st.variables, v)
		}
	}
}

func (st *statement) matchesAction(a *action) bool {
	return matchActions(st.actions, a) != st.notAction
}

// match tests everything but the action and says how closely the statement
// names the caller. A statement without principals, as in an identity policy,
// is about whoever it is attached to.
func (st *statement) match(e *evaluation) grant {
	if !st.matchesResource(e) {
		return noGrant
	}
	g := st.matchPrincipal(e)
	if g == noGrant || e.reading.VoidNull && !st.resolvable(e.request.Context) {
		return noGrant
	}
	for i := range st.conditions {
		if !st.conditions[i].holds(e.request.Context, e.reading) {
			return noGrant
		}
	}
	return g
}

func (st *statement) matchesResource(e *evaluation) bool {
	if st.anyResource {
		return true
	}
	for i := range st.resources {
		if st.resources[i].match(e.request.Resource, e.request.Context, e.reading) {
			return !st.notResource
		}
	}
	return st.notResource
}

// matchPrincipal: NotPrincipal names those that the statement is not about. To
// be left alone by a Deny the caller must be named in every way that it can
// be; to miss an Allow, in any.
func (st *statement) matchPrincipal(e *evaluation) grant {
	switch {
	case st.principals != nil:
		return st.principals.match(e.caller())
	case st.notPrincipals == nil:
		return grantDirect
	case st.effect == policy.Deny && !st.notPrincipals.spares(e.caller()),
		st.effect == policy.Allow && st.notPrincipals.match(e.caller()) == noGrant:
		return grantDirect
	default:
		return noGrant
	}
}

// resolvable reports whether every variable has a value.
func (st *statement) resolvable(context Context) bool {
	for i := range st.variables {
		if _, ok := st.variables[i].resolve(context); !ok {
			return false
		}
	}
	return true
}
