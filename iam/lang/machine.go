package lang

// machine is the product of the automata of one pivot glob, of the unions that
// are required besides it and of the globs that are excluded. All positions of
// all globs lie in one bitset; a state is one such set.
type machine struct {
	elems []elem
	loops []loop

	starts []int  // the first position of each glob
	alive  []span // per required union, the pivot's first: its positions
	ends   []int  // the final positions of the required unions, ascending
	refuse []int  // the final positions of the excluded globs
	approx bool   // variables are involved: a word that is found need not exist
}

// span is the half-open interval of the positions of one union.
type span struct{ lo, hi int }

// add appends a glob to the product.
func (m *machine) add(g *Glob) {
	m.starts = append(m.starts, len(m.elems))
	elems, loops := g.parts()
	m.elems = append(append(m.elems, elems...), elem{kind: endElem})
	m.loops = append(m.loops, loops...)
}

// pivot adds the glob whose variables are read as letters of their own.
func (m *machine) pivot(g *Glob) {
	m.add(g)
	m.ends = append(m.ends, len(m.elems)-1)
	m.alive = append(m.alive, span{0, len(m.elems)})
	m.approx = g.vars
}

// require adds a union that the word must be in besides the pivot g. It
// reports false when no member of g can be in it.
func (m *machine) require(g *Glob, s *Set) bool {
	var possible []*Glob
	for _, q := range s.globs {
		if q.Covers(g) {
			return true
		}
		if !clash(q, g) {
			possible = append(possible, q)
		}
	}
	for _, t := range s.texts {
		if g.Match(t) {
			possible = append(possible, Exact(t))
		}
	}
	if len(possible) == 0 {
		return false
	}
	lo := len(m.elems)
	for _, q := range possible {
		if q.vars {
			m.approx = true
			q = q.loose
		}
		m.add(q)
		m.ends = append(m.ends, len(m.elems)-1)
	}
	m.alive = append(m.alive, span{lo, len(m.elems)})
	return true
}

// exclude adds a union that the word must not be in; none of its globs covers g.
func (m *machine) exclude(g *Glob, s *Set) {
	for _, t := range s.texts {
		if g.Match(t) {
			m.deny(Exact(t))
		}
	}
	for _, q := range s.globs {
		if !clash(q, g) {
			m.deny(q)
		}
	}
}

func (m *machine) deny(q *Glob) {
	m.approx = m.approx || q.vars
	m.add(q)
	m.refuse = append(m.refuse, len(m.elems)-1)
}

// node is a visited state: how it was reached.
type node struct {
	state  bitset
	parent int32
	letter rune
}

// run explores the product breadth first.
func (m *machine) run(b *Budget) Answer {
	n := len(m.elems)
	start := newBits(n)
	for _, s := range m.starts {
		start.set(s)
	}
	nodes := []node{{state: start, parent: -1}}
	seen := map[string]struct{}{}
	var key []byte
	key = start.appendKey(key)
	seen[string(key)] = struct{}{}
	next := newBits(n)
	var letters []elem
	for i := 0; i < len(nodes); i++ {
		cur := nodes[i].state
		if m.accepts(cur) {
			return m.found(nodes, i)
		}
		letters = m.letters(cur, letters[:0])
		for _, l := range letters {
			m.step(cur, next, l)
			if !m.hopeful(next) {
				continue
			}
			key = next.appendKey(key[:0])
			if _, ok := seen[string(key)]; ok {
				continue
			}
			if !b.Spend(1) {
				return Answer{Status: Exhausted}
			}
			seen[string(key)] = struct{}{}
			nodes = append(nodes, node{next, int32(i), l.r})
			next = newBits(n)
		}
	}
	return Answer{Status: Empty}
}

// step moves the product over one letter. A variable letter may move a
// required union that is not the pivot anywhere forward, since the value may
// be anything.
func (m *machine) step(cur, next bitset, l elem) {
	stepAll(m.elems, m.loops, cur, next, l)
	if l.kind != varElem {
		return
	}
	for _, s := range m.alive[1:] {
		m.smear(cur, next, s)
	}
}

// smear lets the globs of one union skip any number of letters.
func (m *machine) smear(cur, next bitset, s span) {
	on := false
	for i := s.lo; i < s.hi; i++ {
		on = on || cur.has(i)
		if on {
			next.set(i)
		}
		if m.elems[i].kind == endElem {
			on = false
		}
	}
}

// hopeful reports whether the state can still lead to a word: each required
// union is alive and no excluded glob accepts everything from here on.
func (m *machine) hopeful(s bitset) bool {
	for _, a := range m.alive {
		if !s.any(a.lo, a.hi) {
			return false
		}
	}
	for _, f := range m.refuse {
		if s.has(f) && m.loops[f] == fullLoop {
			return false
		}
	}
	return true
}

// accepts reports whether the word read so far lies in all required unions and
// in no excluded glob.
func (m *machine) accepts(s bitset) bool {
	for _, f := range m.refuse {
		if s.has(f) {
			return false
		}
	}
	next := 0
	for _, a := range m.alive {
		ok := false
		for ; next < len(m.ends) && m.ends[next] < a.hi; next++ {
			ok = ok || s.has(m.ends[next])
		}
		if !ok {
			return false
		}
	}
	return true
}

// found reads the word off the path to nodes[i].
func (m *machine) found(nodes []node, i int) Answer {
	if m.approx {
		return Answer{Status: Maybe}
	}
	var word []rune
	for ; nodes[i].parent >= 0; i = int(nodes[i].parent) {
		word = append(word, nodes[i].letter)
	}
	for l, r := 0, len(word)-1; l < r; l, r = l+1, r-1 {
		word[l], word[r] = word[r], word[l]
	}
	return Answer{Status: Nonempty, Word: string(word)}
}
