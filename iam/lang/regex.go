package lang

import (
	"fmt"
	"strings"
)

// Regex writes the glob as a regular expression of SMT-LIB 2.6. Variables are
// widened to stars.
func (g *Glob) Regex() string {
	if g.vars {
		return g.loose.Regex()
	}
	const inside = `(re.union (re.range "\u{0}" "9") (re.range ";" "\u{2ffff}"))`
	var out []string
	var run strings.Builder // of literal letters
	flush := func() {
		if run.Len() > 0 {
			out = append(out, `(str.to_re "`+run.String()+`")`)
			run.Reset()
		}
	}
	elems, loops := g.parts()
	for i, l := range loops {
		switch l {
		case noLoop:
		case segLoop:
			flush()
			out = append(out, "(re.* "+inside+")")
		case fullLoop:
			flush()
			out = append(out, "re.all")
		}
		if i == len(elems) {
			break
		}
		e := elems[i]
		if e.kind != litElem {
			flush()
		}
		switch e.kind {
		case anyElem:
			out = append(out, "re.allchar")
		case anySegElem:
			out = append(out, inside)
		case foldElem, asciiElem:
			var b strings.Builder
			for _, r := range e.variants() {
				b.WriteString(` (str.to_re "` + smtLetter(r) + `")`)
			}
			out = append(out, "(re.union"+b.String()+")")
		case litElem, varElem, endElem:
			run.WriteString(smtLetter(e.r))
		}
	}
	flush()
	switch len(out) {
	case 0:
		return `(str.to_re "")`
	case 1:
		return out[0]
	}
	return "(re.++ " + strings.Join(out, " ") + ")"
}

// smtLetter writes a character inside a string constant.
func smtLetter(r rune) string {
	if r == '"' || r == '\\' || r < ' ' || r > '~' {
		return fmt.Sprintf(`\u{%x}`, r)
	}
	return string(r)
}
