package reason

import (
	"slices"

	"dera/iam/lang"
)

// question is a claim under one reading, as it is searched: whether some
// request is allowed by fresh, lies in the assumptions, and is not allowed by
// known.
type question struct {
	*prepared
	*search
	fresh, known *compiled
	assume       []lit           // on all dimensions but the action
	acts         map[*source]lit // the literals of actions, once they were asked for
}

// leaf is a box in which the search ended without an emptiness proof.
type leaf struct {
	source *source
	status lang.Status
	box    box
	group  *group
}

// of returns the translations of one allowing statement of fresh.
func (q *question) of(src *source) []*statement {
	var out []*statement
	for _, st := range q.fresh.allow {
		if st.source == src {
			out = append(out, st)
		}
	}
	return out
}

// statement answers for one allowing statement: a request that it allows is a
// violation when no denial of fresh applies and either no allowance of known
// applies or a denial of known does.
func (q *question) statement(st *statement, visit func(leaf) bool) bool {
	start := q.boxOf(st.lits)
	for _, l := range q.assume {
		start = start.with(q.dimOfLit(l), l)
	}
	if q.certainty(start) == lang.Empty {
		return true
	}
	for _, g := range q.groupsOf(st.source, q.budget) {
		if !q.group(st, start, g, visit) {
			return false
		}
	}
	return true
}

// group answers for one group of the actions of a statement.
func (q *question) group(st *statement, start box, g *group, visit func(leaf) bool) bool {
	if q.actions != nil && g.relations[len(g.relations)-1] == apart {
		return true
	}
	if g.crosses() || g.atoms[0].set != nil && g.atoms[0].set.Outside() {
		start = start.with(actionDim, q.own(actionDim, g.language())).with(actionDim, q.namedAction())
		if q.actions != nil && g.relations[len(g.relations)-1] == crossed {
			start = start.with(actionDim, q.own(actionDim, q.actions))
		}
		if q.sat(actionDim, start[actionDim]) == lang.Empty {
			return true
		}
	}
	refusals, covered := q.clauses(start, q.fresh.deny, g)
	if covered {
		return true
	}
	grants, covered := q.clauses(start, q.known.allow, g)
	if !covered {
		got := q.solve(start, slices.Concat(refusals, grants))
		if got.status != lang.Empty && !visit(leaf{st.source, got.status, got.box, g}) {
			return false
		}
	}
	for _, d := range q.known.deny {
		r := g.relations[d.at]
		if r == apart {
			continue
		}
		b := start
		for _, l := range d.lits {
			b = b.with(q.dimOfLit(l), l)
		}
		if r == crossed {
			b = b.with(actionDim, q.act(d.source))
		}
		if q.certainty(b) == lang.Empty {
			continue
		}
		got := q.solve(b, refusals)
		if got.status != lang.Empty && !visit(leaf{st.source, got.status, got.box, g}) {
			return false
		}
	}
	return true
}

// clauses says, for each statement that the actions of the group touch, that
// it must not apply. It reports true when one of them plainly applies to the
// whole box.
func (q *question) clauses(b box, list []*statement, g *group) (out []clause, covered bool) {
	for _, o := range list {
		r := g.relations[o.at]
		if r == apart {
			continue
		}
		if r == within && q.plainly(b, o.lits) {
			return nil, true
		}
		c := make(clause, 0, len(o.lits)+1)
		for _, l := range o.lits {
			c = append(c, l.not())
		}
		if r == crossed {
			c = append(c, q.act(o.source).not())
		}
		out = append(out, c)
	}
	return out, false
}

// plainly reports whether the box has all the literals.
func (q *question) plainly(b box, lits []lit) bool {
	for _, l := range lits {
		if !slices.Contains(b[q.dimOfLit(l)], l) {
			return false
		}
	}
	return true
}

// act returns the literal of a statement's actions.
func (q *question) act(s *source) lit {
	l, ok := q.acts[s]
	if !ok {
		l = q.own(actionDim, s.action)
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

func (q *question) boxOf(lits []lit) box {
	b := make(box, len(q.dims))
	for _, l := range lits {
		d := q.dimOfLit(l)
		b[d] = append(b[d], l)
	}
	return b
}
