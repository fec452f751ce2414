package reason

import (
	"slices"

	"dera.example/dera/iam/lang"
)

// box is a conjunction of literals, dimension by dimension.
type box [][]lit

// at returns the literals on a dimension.
func (b box) at(dim int) []lit {
	if dim >= len(b) {
		return nil
	}
	return b[dim]
}

// with returns the box with one more literal; the receiver stays as it is.
func (b box) with(dim int, l lit) box {
	next := make(box, max(len(b), dim+1))
	copy(next, b)
	next[dim] = append(slices.Clip(next[dim]), l)
	return next
}

// and returns the box with more literals.
func (b box) and(t *table, lits []lit) box {
	next := make(box, max(len(b), len(t.dims)))
	copy(next, b)
	for _, l := range lits {
		d := t.dimOfLit(l)
		next[d] = append(slices.Clip(next[d]), l)
	}
	return next
}

// clause is a disjunction of literals: what keeps one statement from applying.
type clause []lit

// search looks for a request in a box for which all clauses hold, by unit
// propagation and case splits.
type search struct {
	*theory
	nodes int // case splits left
}

// outcome is the result of a search. Every status but Empty comes with the box
// at which the search ended.
type outcome struct {
	status lang.Status
	box    box
}

// solve decides one node of the search.
func (s *search) solve(b box, clauses []clause) outcome {
	s.nodes--
	s.stats.Nodes++
	if s.nodes < 0 || s.budget.Done() {
		return outcome{lang.Exhausted, b}
	}
	b, clauses, ok := s.propagate(b, clauses)
	if !ok {
		return outcome{status: lang.Empty}
	}
	if len(clauses) == 0 {
		return outcome{s.certainty(b), b}
	}
	i := smallest(clauses)
	rest := slices.Delete(slices.Clone(clauses), i, i+1)
	for _, l := range s.surestFirst(clauses[i]) {
		dim := s.dimOfLit(l)
		if s.sat(dim, append(slices.Clip(b.at(dim)), l)) == lang.Empty {
			continue
		}
		if got := s.solve(b.with(dim, l), rest); got.status != lang.Empty {
			return got
		}
		b = b.with(dim, l.not()) // from here on l is known to lead nowhere
		if s.sat(dim, b.at(dim)) == lang.Empty {
			break
		}
	}
	return outcome{status: lang.Empty}
}

// surestFirst puts the literals last that depend on policy variables or cannot
// be read, so that a doubtful answer is given only where no branch is certain
// to lead somewhere.
func (s *search) surestFirst(c clause) clause {
	if !slices.ContainsFunc(c, s.hasVars) {
		return c
	}
	out := slices.Clone(c)
	slices.SortStableFunc(out, func(a, b lit) int {
		switch x, y := s.hasVars(a), s.hasVars(b); {
		case x == y:
			return 0
		case x:
			return 1
		}
		return -1
	})
	return out
}

// propagate drops the clauses that hold in the whole box and adds the literals
// of the clauses with only one that is possible, until nothing changes. It
// reports false when a clause cannot hold.
func (s *search) propagate(b box, clauses []clause) (box, []clause, bool) {
	for {
		var open []clause
		grown := false
		for _, c := range clauses {
			live, holds := s.reduce(b, c)
			switch {
			case holds:
			case len(live) == 0:
				return nil, nil, false
			case len(live) == 1:
				b, grown = b.with(s.dimOfLit(live[0]), live[0]), true
			default:
				open = append(open, live)
			}
		}
		clauses = open
		if !grown {
			return b, clauses, true
		}
	}
}

// reduce drops the literals of a clause that are impossible in the box, and
// reports whether one of them holds in all of it.
func (s *search) reduce(b box, c clause) (live clause, holds bool) {
	for i, l := range c {
		dim := s.dimOfLit(l)
		have := b.at(dim)
		if slices.Contains(have, l) || s.sat(dim, append(slices.Clip(have), l.not())) == lang.Empty {
			return nil, true
		}
		if slices.Contains(have, l.not()) || s.sat(dim, append(slices.Clip(have), l)) == lang.Empty {
			if live == nil {
				live = append(make(clause, 0, len(c)), c[:i]...)
			}
			continue
		}
		if live != nil {
			live = append(live, l)
		}
	}
	if live == nil {
		return c, false
	}
	return live, false
}

// certainty is how sure it is that the box has a request.
func (s *search) certainty(b box) lang.Status {
	status := lang.Nonempty
	for dim, lits := range b {
		if len(lits) == 0 {
			continue
		}
		got := s.sat(dim, lits)
		if got == lang.Empty {
			return lang.Empty
		}
		status = worse(status, got)
	}
	return status
}

func smallest(clauses []clause) int {
	least := 0
	for i, c := range clauses {
		if len(c) < len(clauses[least]) {
			least = i
		}
	}
	return least
}
