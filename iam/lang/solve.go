package lang

import "context"

// Status is the answer of [Solve].
type Status uint8

const (
	// Empty: no value lies in all sets, whatever the variables stand for.
	Empty Status = iota
	// Nonempty: Answer.Word lies in all sets.
	Nonempty
	// Maybe: there may be a value, for some values of the variables.
	Maybe
	// Exhausted: the budget ended or the context was cancelled first.
	Exhausted
)

// String returns the name of the status in lower case.
func (s Status) String() string {
	switch s {
	case Empty:
		return "empty"
	case Nonempty:
		return "nonempty"
	case Maybe:
		return "maybe"
	case Exhausted:
		return "exhausted"
	}
	return "invalid status"
}

// Answer is what [Solve] found.
type Answer struct {
	Status Status
	Word   string // a shortest member of one of the globs; only with Nonempty
}

// Budget limits the work of one question. It is not safe for concurrent use:
// each question has its own.
type Budget struct {
	ctx    context.Context
	states int
}

// NewBudget returns a budget that lasts for the given number of automaton
// states or until ctx is done.
func NewBudget(ctx context.Context, states int) *Budget {
	return &Budget{ctx: ctx, states: states}
}

// Spend takes n states from the budget and reports whether it still lasts.
func (b *Budget) Spend(n int) bool {
	before := b.states
	b.states -= n
	if b.states <= 0 {
		return false
	}
	if before>>10 != b.states>>10 && b.ctx.Err() != nil {
		b.states = 0
		return false
	}
	return true
}

// Done reports whether the budget has ended or its context was cancelled.
func (b *Budget) Done() bool { return b.states <= 0 || b.ctx.Err() != nil }

// Solve decides whether some string lies in all the sets.
func Solve(b *Budget, sets []*Set) Answer {
	var p problem
	for _, s := range sets {
		switch {
		case s.Nothing():
			return Answer{Status: Empty}
		case s.Everything():
		case s.outside:
			p.out = append(p.out, s)
		default:
			p.in = append(p.in, s)
		}
	}
	if len(p.in) == 0 {
		if len(p.out) == 0 {
			return Answer{Status: Nonempty}
		}
		p.in = []*Set{Union(Universal())}
	}
	p.choosePivot()
	found := Answer{Status: Empty}
	pivot := p.in[0]
	for _, t := range pivot.texts {
		found = better(found, p.check(t))
		if found.Status == Nonempty {
			return found
		}
	}
	for _, g := range pivot.globs {
		if !b.Spend(1) {
			return Answer{Status: Exhausted}
		}
		found = better(found, p.solvePivot(b, g))
		if found.Status == Nonempty {
			return found
		}
	}
	return found
}

// problem is one question: some string in every set of in and in no union of out.
type problem struct {
	in  []*Set // unions; in[0] is the pivot, whose globs are tried one by one
	out []*Set // the unions behind complements
}

// choosePivot puts the union first that is cheapest to try one by one: a
// literal one, else one with variables (only the pivot is read exactly), else
// the smallest.
func (p *problem) choosePivot() {
	cost := func(s *Set) int {
		switch {
		case len(s.globs) == 0:
			return len(s.texts)
		case s.vars:
			return 1<<20 + len(s.globs)
		}
		return 1<<24 + len(s.globs) + len(s.texts)
	}
	for i, s := range p.in {
		if cost(s) < cost(p.in[0]) {
			p.in[0], p.in[i] = s, p.in[0]
		}
	}
}

// check decides for one given text, a literal member of the pivot.
func (p *problem) check(text string) Answer {
	status := Nonempty
	for _, s := range p.in[1:] {
		yes, maybe := s.holds(text)
		if !yes && !maybe {
			return Answer{Status: Empty}
		}
		if !yes {
			status = Maybe
		}
	}
	for _, s := range p.out {
		yes, maybe := s.holds(text)
		if yes {
			return Answer{Status: Empty}
		}
		if maybe {
			status = Maybe
		}
	}
	if status == Maybe {
		return Answer{Status: Maybe}
	}
	return Answer{Status: Nonempty, Word: text}
}

// solvePivot decides for the members of one glob of the pivot.
func (p *problem) solvePivot(b *Budget, g *Glob) Answer {
	var m machine
	m.pivot(g)
	for _, s := range p.in[1:] {
		if !m.require(g, s.near(g)) {
			return Answer{Status: Empty}
		}
	}
	out := make([]*Set, len(p.out))
	for i, s := range p.out {
		out[i] = s.near(g)
	}
	for _, covers := range []func(*Set, *Glob) bool{(*Set).includes, (*Set).coversByGlob} {
		for _, s := range out {
			if covers(s, g) {
				return Answer{Status: Empty}
			}
		}
	}
	for _, s := range out {
		m.exclude(g, s)
	}
	if w, ok := sample(g); ok && p.check(w).Status == Nonempty {
		return Answer{Status: Nonempty, Word: w}
	}
	return m.run(b)
}

// sample returns a shortest member of a glob without variables.
func sample(g *Glob) (string, bool) {
	if g.vars {
		return "", false
	}
	if g.exact {
		return g.text, true
	}
	buf := make([]rune, len(g.elems))
	for i, e := range g.elems {
		buf[i] = e.r
		if e.kind == anyElem || e.kind == anySegElem {
			buf[i] = rune(fresh[0])
		}
	}
	return string(buf), true
}

// better keeps the more useful of two answers about parts of one question:
// one value is enough, and emptiness must hold for all parts.
func better(a, b Answer) Answer {
	rank := [...]int{Empty: 0, Maybe: 1, Exhausted: 2, Nonempty: 3}
	if rank[b.Status] > rank[a.Status] {
		return b
	}
	return a
}
