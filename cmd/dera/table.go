package main

import (
	"io"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
)

// narrow is the width below which a table that does not fit as it is becomes a
// list of cards.
const narrow = 100

// table is rows of cells under a head. On a terminal it keeps to the width: it
// breaks cells between words, and a word of more than 60 characters within, so that one
// long name does not change the table of all; then it puts columns together, and at
// last makes a card of each row. It cuts nothing. Elsewhere it is plain, a line a row.
type table struct {
	head []string
	rows [][]string
	// merged are the columns of a table that is too wide, each of one or more of
	// those in head; empty means that none go together.
	merged [][]int
	// card is a card's lines, each of one or more columns; empty means all columns
	// after the first, with their names. Cards of a table that has this are made below 100
	// columns in any case.
	card [][]int
	// named are the columns that a card shows with their name.
	named []int
}

// row adds a row. Cells hold no line breaks.
func (t *table) row(cells ...string) {
	for i, c := range cells {
		cells[i] = strings.NewReplacer("\n", " ", "\r", " ", "\t", " ").Replace(strings.TrimSpace(c))
	}
	t.rows = append(t.rows, cells)
}

func (t *table) print(w io.Writer) {
	width, tty := terminal(w)
	if !tty {
		width = 0
	}
	_, _ = io.WriteString(w, t.render(width, newPaint(w))) // a closed pipe ends the program
}

// render is the table for a terminal of that width; 0 is none.
func (t *table) render(width int, p paint) string {
	for _, row := range t.rows {
		for i := range row {
			row[i] = visible(row[i], p.seal) // so that columns are as wide as what is shown
		}
	}
	whole := grid(t.head, t.rows)
	switch {
	case width == 0:
		return draw(whole, natural(whole), p)
	case width < narrow && len(t.card) > 0:
		return t.cards(width, p)
	case total(natural(whole)) <= width:
		return draw(whole, natural(whole), p)
	}
	if width >= narrow || len(t.card) == 0 {
		if widths, ok := fit(whole, width); ok {
			return draw(whole, widths, p)
		}
	}
	if len(t.merged) > 0 {
		together := t.together()
		if widths, ok := fit(together, width); ok {
			return draw(together, widths, p)
		}
	}
	return t.cards(width, p)
}

// grid is the head and the rows as one: of each cell its lines.
func grid(head []string, rows [][]string) [][][]string {
	var out [][][]string
	for _, row := range append([][]string{head}, rows...) {
		var line [][]string
		for _, cell := range row {
			line = append(line, []string{cell})
		}
		out = append(out, line)
	}
	return out
}

// together is the grid of the merged columns, one line of a cell for each column.
func (t *table) together() [][][]string {
	var out [][][]string
	for n, row := range append([][]string{t.head}, t.rows...) {
		var line [][]string
		for _, columns := range t.merged {
			var cell []string
			for _, c := range columns {
				cell = append(cell, row[c])
			}
			if n > 0 && len(cell) > 1 {
				cell = slices.DeleteFunc(cell, func(s string) bool { return s == "-" || s == "" })
			}
			line = append(line, cell)
		}
		out = append(out, line)
	}
	return out
}

const gap = 2

func natural(g [][][]string) []int {
	widths := make([]int, len(g[0]))
	for _, row := range g {
		for i, cell := range row {
			for _, line := range cell {
				widths[i] = max(widths[i], lipgloss.Width(line))
			}
		}
	}
	return widths
}

func total(widths []int) int {
	sum := gap * (len(widths) - 1)
	for _, w := range widths {
		sum += w
	}
	return sum
}

// fit finds widths of columns that fit and that break no word; false where there
// are none, or none that would be read with pleasure.
func fit(g [][][]string, width int) ([]int, bool) {
	const readable, title = 12, 24
	want := natural(g)
	least := make([]int, len(want))
	for _, row := range g {
		for i, cell := range row {
			for _, line := range cell {
				for _, word := range strings.Fields(line) {
					least[i] = max(least[i], leastWidth(word))
				}
			}
		}
	}
	for i := range least {
		short := readable
		if i == len(least)-1 {
			short = title
		}
		least[i] = max(least[i], min(want[i], short))
	}
	if total(least) > width {
		return nil, false
	}
	most := slices.Max(want)
	for ; most > 0; most-- { // what is longer than this is broken
		widths := make([]int, len(want))
		for i := range widths {
			widths[i] = max(least[i], min(want[i], most))
		}
		if total(widths) <= width {
			return widths, true
		}
	}
	return least, true
}

// draw writes the grid in columns of these widths, the head in bold.
func draw(g [][][]string, widths []int, p paint) string {
	var b strings.Builder
	for n, row := range g {
		cells := make([][]string, len(row))
		height := 1
		for i, cell := range row {
			for _, line := range cell {
				cells[i] = append(cells[i], p.broken(softened(line, widths[i]), widths[i])...)
			}
			height = max(height, len(cells[i]))
		}
		for h := range height {
			line, used, due := "", 0, 0 // due is where the next cell begins
			for i, cell := range cells {
				if h < len(cell) && cell[h] != "" {
					text := cell[h]
					if n == 0 {
						text = p.bold(text)
					}
					line += strings.Repeat(" ", due-used) + text
					used = due + lipgloss.Width(cell[h])
				}
				due += widths[i] + gap
			}
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

// cards is a block for each row, the first line of which is bold.
func (t *table) cards(width int, p paint) string {
	lines := t.card
	named := t.named
	if len(lines) == 0 {
		rest := []int{}
		for i := 1; i < len(t.head); i++ {
			rest = append(rest, i)
		}
		lines, named = [][]int{{0}, rest}, rest
	}
	var b strings.Builder
	for n, row := range t.rows {
		if n > 0 {
			b.WriteString("\n")
		}
		for i, columns := range lines {
			var cells []string
			for _, c := range columns {
				switch cell := row[c]; {
				case cell == "" || cell == "-":
				case slices.Contains(named, c):
					cells = append(cells, strings.ToLower(t.head[c])+" "+cell)
				default:
					cells = append(cells, cell)
				}
			}
			for _, line := range p.packed(cells, width, i > 0) {
				if i == 0 {
					line = p.bold(line)
				}
				b.WriteString(line + "\n")
			}
		}
	}
	return b.String()
}

// packed puts cells beside each other as long as they fit, and breaks those that
// are too long for a line of their own.
func (p paint) packed(cells []string, width int, indented bool) []string {
	indent := ""
	if indented {
		indent = "  "
	}
	var out []string
	line := ""
	for _, cell := range cells {
		switch {
		case line != "" && lipgloss.Width(indent+line)+gap+lipgloss.Width(cell) <= width:
			line += strings.Repeat(" ", gap) + cell
			continue
		case line != "":
			out = append(out, p.broken(line, width-len(indent))...)
		}
		line = cell
	}
	if line != "" {
		out = append(out, p.broken(line, width-len(indent))...)
	}
	for i := range out {
		out[i] = indent + out[i]
	}
	return out
}

// broken breaks text into lines of at most width, between words. A word that is
// longer has a line of its own. A colour ends with its line and begins again on the
// next one.
func (p paint) broken(text string, width int) []string {
	if lipgloss.Width(text) <= width {
		return []string{text}
	}
	var out []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && lipgloss.Width(line)+1+lipgloss.Width(word) > width {
			out = append(out, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	out = append(out, line)
	colour := ""
	for i, s := range out {
		s = colour + s
		colour = p.colourAfter(s)
		if colour != "" {
			s += p.sealed("\x1b[m")
		}
		out[i] = s
	}
	return out
}

// colourAfter is the escape sequence that is in force at the end of the line.
func (p paint) colourAfter(s string) string {
	i := strings.LastIndex(s, p.sealed("\x1b["))
	if i < 0 {
		return ""
	}
	end := strings.IndexByte(s[i:], 'm')
	if end < 0 {
		return ""
	}
	if seq := s[i : i+end+1]; seq != p.sealed("\x1b[m") {
		return seq
	}
	return ""
}
