package lang

import "slices"

// fresh holds the characters that are tried, in this order, where a word needs
// one that no glob mentions.
const fresh = "xyzabcdefghijklmnopqrstuvw0123456789-_ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// letters lists one letter for each way to leave the state: one character that
// stands for all that are not mentioned, the characters that are mentioned at
// its positions, the colon where a segment ends at it, and the variables.
func (m *machine) letters(s bitset, out []elem) []elem {
	wild, colon := false, false
	s.each(func(i int) {
		e := m.elems[i]
		wild = wild || m.loops[i] != noLoop
		colon = colon || m.loops[i] == segLoop
		switch e.kind {
		case litElem:
			out = addLetter(out, e)
		case varElem:
			if i < m.alive[0].hi {
				out = addLetter(out, e)
			}
		case foldElem, asciiElem:
			for _, r := range e.variants() {
				out = addLetter(out, elem{litElem, r})
			}
		case anyElem:
			wild = true
		case anySegElem:
			wild, colon = true, true
		case endElem:
		}
	})
	if colon {
		out = addLetter(out, elem{litElem, ':'})
	}
	if wild {
		out = slices.Insert(out, 0, elem{litElem, other(out)})
	}
	return out
}

func addLetter(out []elem, e elem) []elem {
	if slices.Contains(out, e) {
		return out
	}
	return append(out, e)
}

// other returns a character that is not among the letters. At this state it
// stands for every character that is not.
func other(letters []elem) rune {
	for _, r := range fresh {
		if !slices.Contains(letters, elem{litElem, r}) {
			return r
		}
	}
	r := rune(0x4E00)
	for slices.Contains(letters, elem{litElem, r}) {
		r++
	}
	return r
}
