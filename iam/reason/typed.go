package reason

import (
	"net/netip"
	"slices"
	"strings"

	"dera.example/dera/iam/lang"
)

// spaces are the places that a value may have, family by family. A text has a
// place in each family or none, and the spaces say nothing of how the families
// lie to each other: a value that fits is looked for, and only what certainly has
// none is empty.
type spaces struct {
	kind Type
	used bool
	of   [families]lang.Ranges
	set  [families]bool
}

// meet narrows the places of a family.
func (s *spaces) meet(f family, r lang.Ranges) {
	if !s.set[f] {
		s.used, s.set[f] = true, true
		s.of[f] = s.kind.all(f)
	}
	s.of[f] = s.of[f].Meet(r)
}

// all returns the places that the values of a type have in a family.
func (t Type) all(f family) lang.Ranges {
	if t.has(f) {
		return f.places()
	}
	return f.places().Union(nowhere())
}

// needed reports whether a value must be of the family.
func (s *spaces) needed(f family) bool { return s.set[f] && !s.of[f].Contains(none()) }

// impossible reports whether certainly no text has such places: no place is left
// in a family, or an address should be a number or a date.
func (s *spaces) impossible() bool {
	for f := range families {
		if !s.set[f] {
			continue
		}
		if s.kind == Date || s.kind == Epoch {
			s.of[f] = wholeSeconds(s.of[f])
		}
		if s.of[f].Empty() {
			return true
		}
	}
	return s.needed(addresses) && (s.needed(numbers) || s.needed(dates))
}

// wholeSeconds drops the moments between two seconds from spans that have no
// others: AWS's own moments have whole seconds.
func wholeSeconds(r lang.Ranges) lang.Ranges {
	var out []lang.Span
	for _, s := range r.Spans() {
		if from, ok := s.From.NextSecond(); !ok || from.Compare(s.To) <= 0 {
			if ok {
				s.From = from
			}
			out = append(out, s)
		}
	}
	return lang.NewRanges(out...)
}

// fits reports whether a text has its places in the spaces, one of which is
// known to have it, and whether that is certain.
func (s *spaces) fits(text string, known family) (fits, certain bool) {
	certain = true
	for f := range families {
		if !s.set[f] || f == known {
			continue
		}
		p, sure := f.place(text)
		if !s.of[f].Contains(p) {
			if sure {
				return false, true
			}
			certain = false
		}
		certain = certain && sure
	}
	return true, certain
}

// listed returns the texts of a set that lists all of them, shortest list first.
func listed(sets []*lang.Set) (texts []string, ok bool) {
	for _, s := range sets {
		if !s.Outside() && len(s.Globs()) == 0 && (!ok || len(s.Texts()) < len(texts)) {
			texts, ok = s.Texts(), true
		}
	}
	return texts, ok
}

// spellings are some texts for a point, the usual one first.
func spellings(p lang.Point) []string {
	text, ok := p.Text()
	switch {
	case !ok:
		return nil
	case p.Family == lang.Number && !strings.Contains(text, "."):
		return []string{text, text + ".0", "+" + text}
	case p.Family == lang.Number:
		return []string{text, text + "0"}
	case p.Family == lang.Date:
		return []string{text, strings.ToLower(text), strings.TrimSuffix(text, "Z") + "+00:00"}
	case p.Family == lang.IPv6:
		return []string{text, strings.ToUpper(text), netip.MustParseAddr(text).StringExpanded()}
	}
	return []string{text}
}

// letters are texts of which none is part of a number, a date or an address.
const letters = "xkq"

// oneTyped looks for a text that has its places in the spaces and lies in all
// of th.sets. Where neither one is found nor certain that there is none, the
// answer is Maybe.
func (th *theory) oneTyped(sp *spaces, status lang.Status) (lang.Status, []string) {
	sets := th.sets
	doubt := false
	good := func(text string, known family) bool {
		fits, certain := sp.fits(text, known)
		for _, s := range sets {
			if !fits {
				break
			}
			fits, certain = s.Contains(text), certain && !s.HasVars()
		}
		doubt = doubt || fits && !certain
		return fits && certain
	}
	if texts, ok := listed(sets); ok {
		for _, t := range texts {
			if good(t, families) {
				return status, []string{t}
			}
		}
		if doubt {
			return lang.Maybe, nil
		}
		return lang.Empty, nil
	}
	for f := range families {
		if sp.set[f] {
			for _, p := range candidates(sp.of[f]) {
				for _, text := range spellings(p) {
					if good(text, f) {
						return status, []string{text}
					}
				}
			}
		}
	}
	return th.untyped(sp, status, good)
}

// untyped tries texts that are of no family, and then any text.
func (th *theory) untyped(sp *spaces, status lang.Status, good func(string, family) bool) (lang.Status, []string) {
	sets := slices.Clip(th.sets)
	if !slices.ContainsFunc(sets, func(s *lang.Set) bool { return !s.Everything() }) {
		if good("x", families) {
			return status, []string{"x"}
		}
		return lang.Maybe, nil
	}
	for _, letter := range letters {
		if sp.needed(numbers) || sp.needed(dates) || sp.needed(addresses) {
			break
		}
		var b lang.Builder
		b.Many()
		b.Lit(string(letter))
		b.Many()
		answer := lang.Solve(th.budget, append(sets, lang.Union(b.Glob())))
		if answer.Status == lang.Nonempty && good(answer.Word, families) {
			return status, []string{answer.Word}
		}
	}
	switch answer := lang.Solve(th.budget, sets); {
	case answer.Status == lang.Empty, answer.Status == lang.Exhausted:
		return answer.Status, nil
	case answer.Status == lang.Nonempty && good(answer.Word, families):
		return status, []string{answer.Word}
	}
	return lang.Maybe, nil
}
