package reason

import (
	"slices"

	"dera/iam/lang"
)

// question asks whether some request is allowed by fresh, lies in the
// assumptions, and is not allowed by known. With no known statements it asks
// whether fresh allows anything under the assumptions.
type question struct {
	*search
	fresh, known *compiled
	assume       []lit     // on all dimensions but the action
	actions      *lang.Set // nil for all
	named        lit       // the action is a service and a name
}

// leaf is a box in which the search ended without an emptiness proof.
type leaf struct {
	ref    Ref
	status lang.Status
	box    box
	group  *group
}

// each runs the search for every allowing statement and every group of its
// actions, and calls visit for each leaf until visit returns false.
func (q *question) each(visit func(leaf) bool) {
	for _, st := range q.fresh.allow {
		if !q.statement(st, visit) {
			return
		}
	}
}

// statement answers for one allowing statement: a request that it allows is a
// violation when no denial of fresh applies and either no allowance of known
// applies or a denial of known does.
func (q *question) statement(st *statement, visit func(leaf) bool) bool {
	nd, ka, kd := q.fresh.deny, q.known.allow, q.known.deny
	others := make([]*lang.Set, 0, len(nd)+len(ka)+len(kd)+1)
	for _, list := range [][]*statement{nd, ka, kd} {
		for _, o := range list {
			others = append(others, o.action)
		}
	}
	if q.actions != nil {
		others = append(others, q.actions)
	}
	for _, g := range groups(q.budget, st.action, others) {
		if q.actions != nil && g.relations[len(others)-1] == apart {
			continue
		}
		if !q.group(st, g, visit) {
			return false
		}
	}
	return true
}

func (q *question) group(st *statement, g *group, visit func(leaf) bool) bool {
	nd, ka, kd := q.fresh.deny, q.known.allow, q.known.deny
	start := q.boxOf(st.lits)
	for _, l := range q.assume {
		start = start.with(q.dimOfLit(l), l)
	}
	if g.crosses() || g.atoms[0].set != nil && g.atoms[0].set.Outside() {
		start = start.with(actionDim, q.own(actionDim, g.language())).with(actionDim, q.named)
		if q.actions != nil && g.relations[len(g.relations)-1] == crossed {
			start = start.with(actionDim, q.own(actionDim, q.actions))
		}
	}
	if q.certainty(start) == lang.Empty {
		return true
	}
	refusals, covered := q.clauses(start, nd, g.relations)
	if covered {
		return true
	}
	grants, covered := q.clauses(start, ka, g.relations[len(nd):])
	if !covered {
		got := q.solve(start, slices.Concat(refusals, grants))
		if got.status != lang.Empty && !visit(leaf{st.ref, got.status, got.box, g}) {
			return false
		}
	}
	for i, d := range kd {
		r := g.relations[len(nd)+len(ka)+i]
		if r == apart {
			continue
		}
		b := start
		for _, l := range d.lits {
			b = b.with(q.dimOfLit(l), l)
		}
		if r == crossed {
			b = b.with(actionDim, q.act(d))
		}
		if q.certainty(b) == lang.Empty {
			continue
		}
		got := q.solve(b, refusals)
		if got.status != lang.Empty && !visit(leaf{st.ref, got.status, got.box, g}) {
			return false
		}
	}
	return true
}

// clauses says, for each statement that the actions of the group touch, that
// it must not apply. It reports true when one of them plainly applies to the
// whole box.
func (q *question) clauses(b box, list []*statement, relations []relation) (out []clause, covered bool) {
	for i, o := range list {
		if relations[i] == apart {
			continue
		}
		c := make(clause, 0, len(o.lits)+1)
		same := relations[i] == within
		for _, l := range o.lits {
			c = append(c, l.not())
			same = same && slices.Contains(b[q.dimOfLit(l)], l)
		}
		if same {
			return nil, true
		}
		if relations[i] == crossed {
			c = append(c, q.act(o).not())
		}
		out = append(out, c)
	}
	return out, false
}

// act returns the literal of a statement's actions.
func (q *question) act(s *statement) lit {
	if !s.hasAct {
		s.act, s.hasAct = q.own(actionDim, s.action), true
	}
	return s.act
}

func (q *question) boxOf(lits []lit) box {
	b := make(box, len(q.dims))
	for _, l := range lits {
		d := q.dimOfLit(l)
		b[d] = append(b[d], l)
	}
	return b
}
