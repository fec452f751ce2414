package reason

import (
	"slices"

	"dera.example/dera/iam/lang"
)

// valueList collects the compiled values of one element, apart by the
// variables that must have a value for them to count.
type valueList struct {
	groups []valueGroup
	lost   bool // a value needs a variable that the request does not have
}

type valueGroup struct {
	needs []int // dimensions of variables without default, ascending
	globs []*lang.Glob
}

func (v *valueList) add(c *compiler, parts []part, fold bool, mode segments, last int) {
	needs, possible := c.needs(parts)
	if !possible {
		v.lost = true
		return
	}
	g := c.glob(parts, fold, mode, last)
	for i := range v.groups {
		if slices.Equal(v.groups[i].needs, needs) {
			v.groups[i].globs = append(v.groups[i].globs, g)
			return
		}
	}
	v.groups = append(v.groups, valueGroup{needs, []*lang.Glob{g}})
}

// languages returns one language for each way in which the variables of the
// list may have values or none. A value without its variables matches nothing;
// under the reading VoidNull it takes the whole statement out of effect.
func (v *valueList) languages(c *compiler, dim int, negated bool) []language {
	if len(v.groups) == 1 && len(v.groups[0].needs) == 0 && !(v.lost && c.reading.VoidNull) {
		return []language{{lit: c.t.some(dim, lang.Union(v.groups[0].globs...))}}
	}
	c.made.VoidNull = c.made.VoidNull || v.lost || slices.ContainsFunc(v.groups, func(g valueGroup) bool { return len(g.needs) > 0 })
	switch {
	case c.reading.VoidNull && v.lost:
		return nil
	case c.reading.VoidNull:
		return []language{v.joined(c, dim)}
	case negated:
		return v.combinations(c, dim)
	}
	var out []language
	for _, g := range v.groups {
		out = append(out, language{lit: c.t.some(dim, lang.Union(g.globs...)), needs: c.presence(g.needs)})
	}
	if out == nil {
		out = append(out, language{lit: c.t.some(dim, lang.Union())})
	}
	return out
}

// joined returns the language of all values for a request that has all
// variables.
func (v *valueList) joined(c *compiler, dim int) language {
	var all []*lang.Glob
	var needs []int
	for _, g := range v.groups {
		all, needs = append(all, g.globs...), append(needs, g.needs...)
	}
	slices.Sort(needs)
	return language{lit: c.t.some(dim, lang.Union(all...)), needs: c.presence(slices.Compact(needs))}
}

// combinations returns the language of the values that count for each choice
// of variables that are absent: a negated operator looks at all values at once.
func (v *valueList) combinations(c *compiler, dim int) []language {
	type choice struct {
		globs []*lang.Glob
		needs []lit
	}
	all := []choice{{}}
	for _, g := range v.groups {
		var next []choice
		for _, left := range all {
			next = append(next, choice{slices.Concat(left.globs, g.globs), slices.Concat(left.needs, c.presence(g.needs))})
			for _, d := range g.needs {
				next = append(next, choice{left.globs, append(slices.Clip(left.needs), c.t.present(d).not())})
			}
		}
		all = next
	}
	out := make([]language, len(all))
	for i, ch := range all {
		out[i] = language{lit: c.t.some(dim, lang.Union(ch.globs...)), needs: ch.needs}
	}
	return out
}

func (c *compiler) presence(dims []int) []lit {
	var out []lit
	for _, d := range dims {
		out = append(out, c.t.present(d))
		if c.t.dims[d].many {
			// With several values the variable has none; the search does not count.
			out = append(out, c.t.opaque(d, "one value"))
		}
	}
	return out
}

// needs lists the dimensions of the variables that have no default. It is
// impossible to fulfil them when the question is asked for a request without
// one of these keys.
func (c *compiler) needs(parts []part) (dims []int, possible bool) {
	for _, p := range parts {
		if p.kind != reference || p.fallback != nil {
			continue
		}
		d := c.t.dim(p.text)
		if given, ok := c.bound[c.t.dims[d].key]; ok {
			if given == nil {
				return nil, false
			}
			continue
		}
		dims = append(dims, d)
	}
	slices.Sort(dims)
	return slices.Compact(dims), true
}

// reference appends a policy variable: its value where the question fixes one,
// else a letter of its own.
// Within a part of an ARN its value must not contain a colon, and under a
// folding operator its case does not matter, so these are letters apart.
func (c *compiler) reference(b *lang.Builder, p part, fold, inside bool) {
	d := c.t.dim(p.text)
	key := c.t.dims[d].key
	if given, ok := c.bound[key]; ok {
		text := ""
		switch {
		case given != nil:
			text = *given
		case p.fallback != nil:
			text = *p.fallback
		}
		if fold {
			c.fold(b, text)
		} else {
			b.Lit(text)
		}
		return
	}
	v := variable{dim: d, fold: fold, inside: inside}
	if p.fallback != nil {
		v.fallback, v.hasDefault = *p.fallback, true
	}
	n, ok := c.t.varOf[v]
	if !ok {
		n = len(c.t.vars)
		c.t.vars = append(c.t.vars, v)
		c.t.varOf[v] = n
	}
	b.Var(n)
}
