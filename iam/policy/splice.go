package policy

import (
	"slices"
	"strings"
)

// splice edits a text by marks on the entries of lists and objects.
type splice struct {
	text  string
	marks map[*node]map[int][]string // list -> entry -> replacement, empty to drop
}

func newSplice(text string) *splice {
	return &splice{text: text, marks: map[*node]map[int][]string{}}
}

// change marks an entry of an array or object and reports whether it was not
// marked before. A plain string counts as an array of one.
func (s *splice) change(list *node, i int, with []string) bool {
	if s.marks[list] == nil {
		s.marks[list] = map[int][]string{}
	}
	_, marked := s.marks[list][i]
	s.marks[list][i] = with
	return !marked
}

// dropped reports whether an entry of a list is to go.
func (s *splice) dropped(list *node, i int) bool {
	with, marked := s.marks[list][i]
	return marked && len(with) == 0
}

// emptied reports whether nothing of a list stays. Nulls do not count.
func (s *splice) emptied(list *node) bool {
	kept := 0
	for i := range s.length(list) {
		null := list.kind == nodeArray && list.items[i].kind == nodeNull
		if !null && !s.dropped(list, i) {
			kept++
		}
	}
	return kept == 0
}

func (s *splice) length(list *node) int {
	switch list.kind {
	case nodeArray:
		return len(list.items)
	case nodeObject:
		return len(list.members)
	default:
		return 1
	}
}

// entry returns the span of an entry of a list.
func (s *splice) entry(list *node, i int) Span {
	switch list.kind {
	case nodeArray:
		return Span{list.items[i].start, list.items[i].end}
	case nodeObject:
		return Span{list.members[i].keyStart, list.members[i].value.end}
	default:
		return Span{list.start, list.end}
	}
}

// patch replaces a span of the text.
type patch struct {
	Span
	with string
}

// run applies the marks. A patch that starts inside another one is dropped.
func (s *splice) run() (string, error) {
	var patches []patch
	for list, marks := range s.marks {
		if s.emptied(list) {
			if s.inside(list) {
				continue
			}
			return "", ErrLast
		}
		patches = append(patches, s.patches(list, marks)...)
	}
	slices.SortFunc(patches, func(a, b patch) int {
		if a.Start != b.Start {
			return a.Start - b.Start
		}
		return b.End - a.End
	})
	var b strings.Builder
	at := 0
	for _, p := range patches {
		if p.Start < at {
			continue
		}
		b.WriteString(s.text[at:p.Start])
		b.WriteString(p.with)
		at = p.End
	}
	b.WriteString(s.text[at:])
	return b.String(), nil
}

// inside reports whether a list stands within an entry that is to go.
func (s *splice) inside(list *node) bool {
	for outer, marks := range s.marks {
		for i := range marks {
			span := s.entry(outer, i)
			if outer != list && span.Start <= list.start && list.end <= span.End {
				return true
			}
		}
	}
	return false
}

// patches turns the marks of one list into patches. An entry that goes takes
// along all from the last entry that stays, or, at the head of the list, all
// up to the next one. Patches of neighbours overlap; run drops the shorter.
func (s *splice) patches(list *node, marks map[int][]string) []patch {
	var all []patch
	kept := -1 // the last entry that stays
	for i := range s.length(list) {
		span := s.entry(list, i)
		switch with, marked := marks[i]; {
		case !marked:
			kept = i
		case len(with) > 0:
			all = append(all, patch{span, s.replacement(list, with)})
			kept = i
		case kept >= 0:
			all = append(all, patch{Span{s.entry(list, kept).End, span.End}, ""})
		default:
			all = append(all, patch{Span{span.Start, s.entry(list, i+1).Start}, ""})
		}
	}
	return all
}

// replacement writes the entries that stand in the place of one, in the
// layout of their list.
func (s *splice) replacement(list *node, with []string) string {
	quoted := make([]string, len(with))
	for i, v := range with {
		quoted[i] = quote(v)
	}
	if list.kind == nodeArray {
		return strings.Join(quoted, s.separator(list))
	}
	if len(quoted) == 1 {
		return quoted[0]
	}
	return s.array(list.start, quoted)
}

// array writes a new array at a place of the text: over several lines where
// the place has a line, with the indentation of the document, to itself.
func (s *splice) array(at int, entries []string) string {
	newline := strings.LastIndexByte(s.text[:at], '\n')
	if newline < 0 {
		return "[" + strings.Join(entries, ", ") + "]"
	}
	line := s.text[newline:at]
	outer := line[:1+len(line[1:])-len(strings.TrimLeft(line[1:], " \t"))]
	inner := outer + s.indentation()
	return "[" + inner + strings.Join(entries, ","+inner) + outer + "]"
}

// indentation returns the white space before the first indented line.
func (s *splice) indentation() string {
	for line := range strings.SplitSeq(s.text, "\n") {
		if rest := strings.TrimLeft(line, " \t"); len(rest) < len(line) && rest != "" {
			return line[:len(line)-len(rest)]
		}
	}
	return "    "
}

// separator returns what stands between two entries of a list.
func (s *splice) separator(list *node) string {
	if len(list.items) > 1 {
		return s.text[list.items[0].end:list.items[1].start]
	}
	before := s.text[list.start+1 : list.items[0].start]
	if strings.Contains(before, "\n") {
		return "," + before
	}
	return ", "
}
