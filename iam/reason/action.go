package reason

import (
	"dera.example/dera/iam/lang"
)

// relation is how a group of actions lies to the actions of a statement.
type relation byte

const (
	apart   relation = iota // no action in common
	within                  // all actions of the group are among the statement's
	crossed                 // neither
)

// atom is one action pattern of a statement.
type atom struct {
	text string    // one action, when set is nil
	set  *lang.Set // else
}

// group is the actions of one statement that have the same relation to every
// other statement. Thousands of actions collapse to a handful of groups, and
// within a group the action plays no part in any clause but the crossed ones.
type group struct {
	atoms     []atom
	relations []relation // by the index of the other statement
}

// crosses reports whether the action still matters within the group.
func (g *group) crosses() bool {
	for _, r := range g.relations {
		if r == crossed {
			return true
		}
	}
	return false
}

// language returns the actions of the group as a set.
func (g *group) language() *lang.Set {
	if len(g.atoms) == 1 && g.atoms[0].set != nil {
		return g.atoms[0].set
	}
	var globs []*lang.Glob
	for _, a := range g.atoms {
		if a.set == nil {
			globs = append(globs, lang.Exact(a.text))
			continue
		}
		globs = append(globs, a.set.Globs()...)
	}
	return lang.Union(globs...)
}

// groups sorts the actions of a set by their relation to the others.
func groups(b *lang.Budget, actions *lang.Set, others []*lang.Set) []*group {
	var order []*group
	byKey := map[string]*group{}
	key := make([]byte, len(others))
	put := func(a atom) {
		g, ok := byKey[string(key)]
		if !ok {
			g = &group{relations: make([]relation, len(key))}
			for i, r := range key {
				g.relations[i] = relation(r)
			}
			byKey[string(key)] = g
			order = append(order, g)
		}
		g.atoms = append(g.atoms, a)
	}
	if actions.Outside() {
		for i, o := range others {
			key[i] = byte(relate(b, actions, o))
		}
		put(atom{set: actions})
		return order
	}
	for _, t := range actions.Texts() {
		for i, o := range others {
			key[i] = byte(apart)
			if o.Contains(t) {
				key[i] = byte(within)
			}
		}
		put(atom{text: t})
	}
	for _, g := range actions.Globs() {
		one := lang.Union(g)
		for i, o := range others {
			key[i] = byte(relate(b, one, o))
		}
		put(atom{set: one})
	}
	return order
}

// relate compares two sets of actions; what the budget does not allow to
// decide is crossed, which leaves the question to the search.
func relate(b *lang.Budget, a, o *lang.Set) relation {
	switch {
	case o.Everything():
		return within
	case o.Nothing():
		return apart
	case lang.Solve(b, []*lang.Set{a, o.Complement()}).Status == lang.Empty:
		return within
	case lang.Solve(b, []*lang.Set{a, o}).Status == lang.Empty:
		return apart
	}
	return crossed
}

// namedActions returns the actions that a request can have: service:Name.
func namedActions() *lang.Set {
	var b lang.Builder
	b.One()
	b.Many()
	b.Lit(":")
	b.One()
	b.Many()
	return lang.Union(b.Glob())
}
