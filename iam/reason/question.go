package reason

import (
	"slices"

	"dera.example/dera/iam/lang"
)

// question is a claim under one reading, as it is searched: whether some
// request is allowed by fresh, lies in the assumptions, and is not allowed by
// known.
type question struct {
	*prepared
	*search
	compiler                         *compiler
	freshDeny, knownAllow, knownDeny []*source
	assume                           []lit                    // on all dimensions but the action
	acts                             map[*source]lit          // the literals of actions, once they were asked for
	forms                            map[*source][]*statement // the translations, once they were asked for
}

// leaf is a box in which the search ended without an emptiness proof.
type leaf struct {
	source *source
	status lang.Status
	box    box
	group  *group
}

// form returns the translation of a statement.
func (q *question) form(src *source) []*statement {
	f, ok := q.forms[src]
	if !ok {
		q.compiler.variables = src.variables
		f = q.compiler.statement(src)
		q.forms[src] = f
	}
	return f
}

// source answers for one allowing statement: a request that it allows is a
// violation when no denial of fresh applies and either no allowance of known
// applies or a denial of known does.
func (q *question) source(src *source, visit func(leaf) bool) bool {
	for _, st := range q.form(src) {
		start := box{}.and(q.table, st.lits).and(q.table, q.assume)
		if q.certainty(start) == lang.Empty {
			continue
		}
		for _, g := range q.groupsOf(src, q.budget) {
			if !q.group(src, start, g, visit) {
				return false
			}
		}
	}
	return true
}

// group answers for one group of the actions of a statement.
func (q *question) group(from *source, start box, g *group, visit func(leaf) bool) bool {
	if q.actions != nil && g.relations[len(g.relations)-1] == apart {
		return true
	}
	if g.crosses() || g.atoms[0].set != nil && g.atoms[0].set.Outside() {
		start = start.with(actionDim, q.own(actionDim, g.language())).with(actionDim, q.namedAction())
		if q.actions != nil && g.relations[len(g.relations)-1] == crossed {
			start = start.with(actionDim, q.own(actionDim, q.actions))
		}
		if q.sat(actionDim, start.at(actionDim)) == lang.Empty {
			return true
		}
	}
	refusals, covered := q.clauses(start, q.freshDeny, g)
	if covered {
		return true
	}
	grants, covered := q.clauses(start, q.knownAllow, g)
	if !covered {
		got := q.solve(start, slices.Concat(refusals, grants))
		if got.status != lang.Empty && !visit(leaf{from, got.status, got.box, g}) {
			return false
		}
	}
	for _, src := range q.knownDeny {
		r := g.relations[src.at]
		if r == apart {
			continue
		}
		for _, d := range q.form(src) {
			b := start.and(q.table, d.lits)
			if r == crossed {
				b = b.with(actionDim, q.act(src))
			}
			if q.certainty(b) == lang.Empty {
				continue
			}
			got := q.solve(b, refusals)
			if got.status != lang.Empty && !visit(leaf{from, got.status, got.box, g}) {
				return false
			}
		}
	}
	return true
}

// clauses says, for each statement that the actions of the group touch, that
// it must not apply. It reports true when one of them plainly applies to the
// whole box.
func (q *question) clauses(b box, list []*source, g *group) (out []clause, covered bool) {
	for _, src := range list {
		r := g.relations[src.at]
		if r == apart {
			continue
		}
		for _, o := range q.form(src) {
			if r == within && q.plainly(b, o.lits) {
				return nil, true
			}
			c := make(clause, 0, len(o.lits)+1)
			for _, l := range o.lits {
				c = append(c, l.not())
			}
			if r == crossed {
				c = append(c, q.act(src).not())
			}
			out = append(out, c)
		}
	}
	return out, false
}

// plainly reports whether the box has all the literals.
func (q *question) plainly(b box, lits []lit) bool {
	for _, l := range lits {
		if !slices.Contains(b.at(q.dimOfLit(l)), l) {
			return false
		}
	}
	return true
}

// act returns the literal of a statement's actions.
func (q *question) act(s *source) lit {
	l, ok := q.acts[s]
	if !ok {
		l = q.own(actionDim, s.action())
		q.acts[s] = l
	}
	return l
}

// namedAction returns the literal that the action is one that a request can have.
func (q *question) namedAction() lit {
	l, ok := q.acts[nil]
	if !ok {
		l = q.own(actionDim, namedActions())
		q.acts[nil] = l
	}
	return l
}
