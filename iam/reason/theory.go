package reason

import (
	"net/netip"
	"slices"

	"dera.example/dera/iam/lang"
)

// theory decides conjunctions of literals on one dimension.
type theory struct {
	*table
	budget *lang.Budget
	cache  map[string]lang.Status
	key    []byte
	sets   []*lang.Set
	stats  *Stats
}

func newTheory(t *table, b *lang.Budget) *theory {
	return &theory{table: t, budget: b, cache: map[string]lang.Status{}, stats: &Stats{}}
}

// sat decides whether the dimension can have values for which all literals
// hold. Maybe means that this depends on policy variables or on something that
// cannot be read.
func (th *theory) sat(dim int, lits []lit) lang.Status {
	if len(lits) == 1 {
		if s, ok := th.trivial(lits[0]); ok {
			return s
		}
	}
	sorted := slices.Clone(lits)
	slices.Sort(sorted)
	sorted = slices.Compact(sorted)
	th.key = th.key[:0]
	for _, l := range sorted {
		th.key = append(th.key, byte(l), byte(l>>8), byte(l>>16))
	}
	if s, ok := th.cache[string(th.key)]; ok {
		return s
	}
	th.stats.Calls++
	key := string(th.key)
	s, _ := th.values(dim, sorted)
	if s != lang.Exhausted {
		th.cache[key] = s
	}
	return s
}

// trivial answers for the literals that need no search.
func (th *theory) trivial(l lit) (lang.Status, bool) {
	b := &th.bases[l.base()]
	if b.kind != textBase {
		return 0, false
	}
	s := b.text[l.outside()]
	switch {
	case l.all() && b.dim >= firstKeyDim:
		return lang.Nonempty, true // by absence
	case s.Nothing():
		return lang.Empty, true
	case s.Everything():
		return lang.Nonempty, true
	}
	return 0, false
}

// values decides like sat and returns the values that it found, none for an
// absent key.
func (th *theory) values(dim int, lits []lit) (lang.Status, []string) {
	if slices.ContainsFunc(lits, func(l lit) bool { return slices.Contains(lits, l.not()) }) {
		return lang.Empty, nil
	}
	var all, some []lit
	for _, l := range lits {
		if l.all() && dim >= firstKeyDim {
			all = append(all, l)
		} else {
			some = append(some, l)
		}
	}
	switch {
	case len(some) == 0 && dim >= firstKeyDim:
		return th.certain(lits), nil
	case !th.dims[dim].many:
		s, v := th.one(dim, lits)
		return s, v
	}
	status := lang.Nonempty
	var out []string
	for _, l := range some {
		s, v := th.one(dim, append(slices.Clone(all), l))
		if s == lang.Empty {
			return lang.Empty, nil
		}
		status = worse(status, s)
		if len(v) == 1 && !slices.Contains(out, v[0]) {
			out = append(out, v[0])
		}
	}
	return status, out
}

// certain is the answer for a key that may be absent: only what cannot be read
// leaves a doubt.
func (th *theory) certain(lits []lit) lang.Status {
	for _, l := range lits {
		if th.bases[l.base()].kind == opaqueBase {
			return lang.Maybe
		}
	}
	return lang.Nonempty
}

// one looks for a single value for which all literals hold.
func (th *theory) one(dim int, lits []lit) (lang.Status, []string) {
	status := lang.Nonempty
	th.sets = th.sets[:0]
	sp := spaces{kind: th.dims[dim].kind}
	for _, l := range lits {
		b := &th.bases[l.base()]
		switch b.kind {
		case textBase:
			th.sets = append(th.sets, b.text[l.outside()])
		case rangeBase:
			sp.meet(b.family, b.ranges[l.outside()])
		case opaqueBase:
			status = lang.Maybe
		}
	}
	if t := th.dims[dim].texts; t != nil {
		th.sets = append(th.sets, t)
	}
	if !sp.used {
		answer := lang.Solve(th.budget, th.sets)
		if answer.Status == lang.Nonempty {
			return status, []string{answer.Word}
		}
		return answer.Status, nil
	}
	if sp.impossible() {
		return lang.Empty, nil
	}
	return th.oneTyped(&sp, status)
}

// worse keeps the less certain of two answers that are both not Empty.
func worse(a, b lang.Status) lang.Status {
	switch {
	case a == lang.Exhausted || b == lang.Exhausted:
		return lang.Exhausted
	case a == lang.Maybe || b == lang.Maybe:
		return lang.Maybe
	}
	return lang.Nonempty
}

// candidates returns some points of the space, those first that a person finds
// natural.
func candidates(space lang.Ranges) []lang.Point {
	try := []lang.Point{
		lang.AddrPoint(netip.AddrFrom4([4]byte{198, 51, 100, 7})), // reserved for documentation, RFC 5737
		lang.DatePoint(1_798_761_600, 0),                          // 2027-01-01
		{Family: lang.Number, Hi: 1<<63 + 1},                      // 1
	}
	for _, span := range space.Spans() {
		p := span.From
		if p.Family == lang.Number {
			const half, thousandth = 1e18, 2e15
			try = append(try, lang.Point{Family: lang.Number, Hi: p.Hi + 1}, lang.Point{Family: lang.Number, Hi: p.Hi, Lo: half},
				lang.Point{Family: lang.Number, Hi: p.Hi, Lo: p.Lo&^1 + thousandth})
		}
		try = append(try, span.From, span.To)
	}
	return slices.DeleteFunc(try, func(p lang.Point) bool { return !space.Contains(p) })
}
