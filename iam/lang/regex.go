package lang

import (
	"fmt"
	"strings"
	"unicode"
)

// Regex writes the glob as a regular expression of SMT-LIB 2.6. Variables are
// widened to stars.
func (g *Glob) Regex() string {
	if g.vars {
		return g.loose.Regex()
	}
	const inside = `(re.union (re.range "\u{0}" "9") (re.range ";" "\u{2ffff}"))`
	var out []string
	for i, l := range g.loops {
		switch l {
		case noLoop:
		case segLoop:
			out = append(out, "(re.* "+inside+")")
		case fullLoop:
			out = append(out, "re.all")
		}
		if i == len(g.elems) {
			break
		}
		switch e := g.elems[i]; e.kind {
		case anyElem:
			out = append(out, "re.allchar")
		case anySegElem:
			out = append(out, inside)
		case foldElem:
			var b strings.Builder
			for _, r := range e.variants() {
				b.WriteString(" " + smtLetter(r))
			}
			out = append(out, "(re.union"+b.String()+")")
		case litElem, varElem, endElem:
			out = append(out, smtLetter(e.r))
		}
	}
	switch len(out) {
	case 0:
		return `(str.to_re "")`
	case 1:
		return out[0]
	}
	return "(re.++ " + strings.Join(out, " ") + ")"
}

func smtLetter(r rune) string {
	if r == '"' || r == '\\' || r > unicode.MaxASCII || !unicode.IsPrint(r) {
		return fmt.Sprintf(`(str.to_re "\u{%x}")`, r)
	}
	return `(str.to_re "` + string(r) + `")`
}
