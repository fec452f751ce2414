package policy

import (
	"slices"
	"strings"
)

// splice edits a text by marks on the entries of lists and objects.
type splice struct {
	text  string
	lists map[*node]*listEdit
}

func newSplice(text string) *splice {
	return &splice{text: text, lists: map[*node]*listEdit{}}
}

// list returns what is to happen to a list, which may be nothing yet.
func (s *splice) list(n *node) *listEdit {
	l := s.lists[n]
	if l == nil {
		l = newListEdit(n)
		s.lists[n] = l
	}
	return l
}

// listEdit is what is to happen to the entries of an array or object. A plain
// string counts as an array of one.
type listEdit struct {
	node  *node
	marks map[int][]string // entry -> replacement, empty to drop
	left  int              // entries that stay; nulls do not count
	at    map[string][]int // string entries by what they say
}

func newListEdit(n *node) *listEdit {
	l := &listEdit{node: n, marks: map[int][]string{}, at: map[string][]int{}, left: len(n.members)}
	if n.kind == nodeObject {
		return l
	}
	for i, e := range n.elements() {
		if e.kind == nodeString {
			l.at[e.str] = append(l.at[e.str], i)
		}
		if e.kind != nodeNull {
			l.left++
		}
	}
	return l
}

// change marks an entry and reports whether it was not marked before.
func (l *listEdit) change(i int, with []string) bool {
	if _, marked := l.marks[i]; marked {
		return false
	}
	l.marks[i] = with
	if len(with) == 0 {
		l.left--
	}
	return true
}

// dropped reports whether an entry is to go.
func (l *listEdit) dropped(i int) bool {
	with, marked := l.marks[i]
	return marked && len(with) == 0
}

func (l *listEdit) length() int {
	switch l.node.kind {
	case nodeArray:
		return len(l.node.items)
	case nodeObject:
		return len(l.node.members)
	case nodeString, nodeNumber, nodeBool, nodeNull:
	}
	return 1
}

// entry returns the span of an entry.
func (l *listEdit) entry(i int) Span {
	switch n := l.node; n.kind {
	case nodeArray:
		return Span{n.items[i].start, n.items[i].end}
	case nodeObject:
		return Span{n.members[i].keyStart, n.members[i].value.end}
	case nodeString, nodeNumber, nodeBool, nodeNull:
	}
	return Span{l.node.start, l.node.end}
}

// patch replaces a span of the text.
type patch struct {
	Span
	with string
}

// run applies the marks. A patch that starts inside another one is dropped.
func (s *splice) run() (string, error) {
	var patches []patch
	for _, l := range s.lists {
		switch {
		case l.left > 0:
			patches = append(patches, s.patches(l)...)
		case !s.inside(l.node):
			return "", ErrLast
		}
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
	for _, outer := range s.lists {
		for i := range outer.marks {
			span := outer.entry(i)
			if outer.node != list && span.Start <= list.start && list.end <= span.End {
				return true
			}
		}
	}
	return false
}

// patches turns the marks of one list into patches. An entry that goes takes
// along all from the last entry that stays, or, at the head of the list, all
// up to the next one. Patches of neighbours overlap; run drops the shorter.
func (s *splice) patches(l *listEdit) []patch {
	var all []patch
	kept := -1 // the last entry that stays
	for i := range l.length() {
		span := l.entry(i)
		switch with, marked := l.marks[i]; {
		case !marked:
			kept = i
		case len(with) > 0:
			all = append(all, patch{span, s.replacement(l.node, with)})
			kept = i
		case kept >= 0:
			all = append(all, patch{Span{l.entry(kept).End, span.End}, ""})
		default:
			all = append(all, patch{Span{span.Start, l.entry(i + 1).Start}, ""})
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
