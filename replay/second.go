package replay

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"

	"dera.example/dera/cloudtrail"
	"dera.example/dera/resource"
)

// CloudTrail reports the second of a call and nothing finer, and delivers records in
// any order. The order within a second is therefore found by AWS's own rules:
// nothing happens to a resource before it is created or after it is deleted, a
// rule that exists cannot be added, one that does not exist cannot be removed. An
// order under which every call could have had its recorded outcome is possible.
// Where the possible orders end in one configuration, that is what holds; where
// they end in several, or none is possible, it is a doubt. Which record came first
// in the files decides nothing.

// Second takes in the records of one second, each once, and yields the index of
// each after it was applied, in an order that depends on the records alone. The
// error is that of Apply.
func (s *State) Second(records []cloudtrail.Record) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		all := make([]cloudtrail.Call, len(records))
		for i, r := range records {
			all[i] = r.Call()
		}
		calls := make([]moment, len(records))
		for i, c := range all {
			turn := s.turn(c, all)
			calls[i] = moment{Call: c, index: i, turn: turn, key: sortKey(c.Record, turn)}
		}
		slices.SortStableFunc(calls, func(a, b moment) int { return strings.Compare(a.key, b.key) })
		var first, between, last []moment
		for _, m := range calls {
			switch {
			case m.Failed():
				between = append(between, m)
			case m.turn == resource.TurnFirst:
				first = append(first, m)
			case m.turn == resource.TurnLast:
				last = append(last, m)
			default:
				between = append(between, m)
			}
		}
		for _, stage := range []func() []moment{func() []moment { return first }, func() []moment { return s.arrange(between) }, func() []moment { return last }} {
			for _, m := range stage() {
				err := s.apply(m.Call)
				for _, d := range m.doubts {
					d()
				}
				if !yield(m.index, err) {
					return
				}
			}
		}
	}
}

// moment is a call within a second.
type moment struct {
	cloudtrail.Call
	index  int
	turn   resource.Turn
	key    string   // orders what no rule orders
	doubts []func() // to note once it is applied
}

// sortKey orders calls by what they say: those that failed, then by their turn.
func sortKey(r cloudtrail.Record, turn resource.Turn) string {
	rank := "2"
	switch {
	case r.Failed():
		rank = "0"
	case turn == resource.TurnEarly:
		rank = "1"
	case turn == resource.TurnLate:
		rank = "3"
	}
	return strings.Join([]string{rank, r.Account, r.Region, r.Source, r.Name, string(r.Request), string(r.Response), r.ErrorCode, r.Caller.ARN, r.ID}, "\x00")
}

// arrange orders calls whose order matters, and leaves the others as they are.
func (s *State) arrange(calls []moment) []moment {
	if len(calls) < 2 {
		return calls
	}
	var out []moment
	for _, related := range s.related(calls) {
		out = append(out, s.ordered(related)...)
	}
	return out
}

// related splits calls into those that touch something in common.
func (s *State) related(calls []moment) [][]moment {
	touched := make([][]mark, len(calls))
	type part struct {
		place
		name string
	}
	whole := map[place]bool{} // resources that a call touches as a whole
	added := map[part]bool{}
	for i, m := range calls {
		touched[i] = s.touched(m.Call)
		for _, t := range touched[i] {
			added[part{t.place(), t.Part}] = added[part{t.place(), t.Part}] || t.Adds
		}
	}
	for _, list := range touched {
		for _, t := range list {
			at := t.place()
			whole[at] = whole[at] || t.Part == "" || t.Unless != "" && !added[part{at, t.Unless}]
		}
	}
	group := make([]int, len(calls))
	by := map[part]int{}
	for i := range calls {
		group[i] = i
		for _, t := range touched[i] {
			p := part{t.place(), t.Part}
			if whole[p.place] {
				p.name = ""
			}
			if other, ok := by[p]; ok {
				from, to := group[i], group[other]
				for j := range i + 1 {
					if group[j] == from {
						group[j] = to
					}
				}
			}
			by[p] = i
		}
	}
	found := map[int][]moment{}
	var order []int
	for i, g := range group {
		if len(found[g]) == 0 {
			order = append(order, g)
		}
		found[g] = append(found[g], calls[i])
	}
	out := make([][]moment, 0, len(order))
	for _, g := range order {
		out = append(out, found[g])
	}
	return out
}

// end is a configuration in which a possible order ends.
type end struct {
	state *State
	order []int
	score int
}

// maxTries bounds the search for possible orders.
const maxTries = 2000

// ordered returns related calls in a possible order. Of several ends it takes the
// one in which most is open.
func (s *State) ordered(calls []moment) []moment {
	if len(calls) == 1 {
		return calls
	}
	var marks []mark
	for _, m := range calls {
		marks = append(marks, s.touched(m.Call)...)
	}
	ends, tries := map[string]end{}, 0
	seen := map[string]bool{}
	var try func(at *State, order []int)
	try = func(at *State, order []int) {
		text := at.text()
		if len(order) == len(calls) {
			if _, ok := ends[text]; !ok {
				ends[text] = end{at, slices.Clone(order), at.exposure()}
			}
			return
		}
		left := strings.Join(strings.Fields(intsText(order)), " ") + "|" + text
		if tries++; seen[left] || tries > maxTries {
			return
		}
		seen[left] = true
		same := map[string]bool{} // calls that are alike are tried once
		for i, m := range calls {
			alike := m.Name + string(m.Request) + string(m.Response) + m.ErrorCode
			if slices.Contains(order, i) || same[alike] || !at.possible(m.Call) {
				continue
			}
			same[alike] = true
			next := at.copy(marks)
			_ = next.apply(m.Call) // what it cannot follow, it says when it is applied for good
			try(next, append(order[:len(order):len(order)], i))
		}
	}
	try(s.copy(marks), nil)
	order, why := make([]int, len(calls)), ""
	for i := range order {
		order[i] = i
	}
	switch best := slices.MaxFunc(append(slices.Collect(maps.Values(ends)), end{score: -1 << 30}), compareEnds); {
	case len(ends) == 0 && tries <= maxTries:
		why = "cannot have had the outcomes that are recorded, in any order"
	case len(ends) == 0:
		why = "are too many to order"
	case len(ends) > 1 || tries > maxTries:
		order, why = best.order, "can have come in more than one order"
	default:
		order = best.order
	}
	out := make([]moment, len(calls))
	for i, n := range order {
		out[i] = calls[n]
	}
	if why != "" {
		out[len(out)-1].doubts = s.doubting(marks, "events at "+calls[0].Time.UTC().Format("2006-01-02 15:04:05")+" came within one second and "+why)
	}
	return out
}

// compareEnds puts the end with more open behind; ends that are equal there are
// ordered by how they came to be, which depends on the calls alone.
func compareEnds(a, b end) int {
	return cmp.Or(cmp.Compare(a.score, b.score), slices.Compare(b.order, a.order))
}

// intsText names which calls an order has, whatever their order.
func intsText(order []int) string {
	var b strings.Builder
	for _, i := range slices.Sorted(slices.Values(order)) {
		b.WriteString(string(rune('A'+i)) + " ")
	}
	return b.String()
}

// doubting returns what notes a doubt at everything that calls touch.
func (s *State) doubting(marks []mark, why string) []func() {
	var out []func()
	for _, m := range marks {
		out = append(out, func() { s.types[m.typ].Doubt(m.Mark, why) })
	}
	return out
}
