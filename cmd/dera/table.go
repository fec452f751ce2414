package main

import (
	"io"
	"os"
	"strings"

	"charm.land/lipgloss/v2"

	"dera.example/dera"
)

// paint colours text on a terminal and leaves it alone elsewhere, and where
// NO_COLOR is set (https://no-color.org).
type paint struct{ on bool }

func newPaint(w io.Writer) paint {
	_, tty := terminal(w)
	return paint{tty && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

func (p paint) style(s lipgloss.Style, text string) string {
	if !p.on {
		return text
	}
	return s.Render(text)
}

func (p paint) bold(text string) string  { return p.style(lipgloss.NewStyle().Bold(true), text) }
func (p paint) faint(text string) string { return p.style(lipgloss.NewStyle().Faint(true), text) }

func (p paint) colour(ansi string, text string) string {
	return p.style(lipgloss.NewStyle().Foreground(lipgloss.Color(ansi)), text)
}

func (p paint) severity(s dera.Severity) string {
	return p.colour(map[dera.Severity]string{dera.Critical: "1", dera.High: "3", dera.Medium: "6", dera.Low: "8"}[s], s.String())
}

func (p paint) disposition(d dera.Disposition) string {
	return p.colour(map[dera.Disposition]string{dera.Auto: "2", dera.Review: "3", dera.Alert: "6", dera.Exempt: "8"}[d], d.String())
}

func (p paint) state(s dera.State) string {
	colour := "6"
	switch s {
	case dera.Resolved:
		colour = "2"
	case dera.Failed, dera.UndoFailed, dera.Collateral:
		colour = "1"
	case dera.Waiting:
		colour = "3"
	default: // under way, or of no consequence
	}
	return p.colour(colour, strings.ReplaceAll(string(s), "_", " "))
}

// diff colours the lines of a diff.
func (p paint) diff(line string) string {
	switch {
	case strings.HasPrefix(line, "+"):
		return p.colour("2", line)
	case strings.HasPrefix(line, "-"):
		return p.colour("1", line)
	}
	return line
}

// table is aligned columns with a bold head. Where there is a terminal the last
// column is cut to its width.
type table struct {
	head []string
	rows [][]string
}

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) print(w io.Writer) {
	p := newPaint(w)
	widths := make([]int, len(t.head))
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], lipgloss.Width(cell))
		}
	}
	screen, tty := terminal(w)
	var b strings.Builder
	for n, row := range append([][]string{t.head}, t.rows...) {
		used := 0
		for i, cell := range row {
			if n == 0 {
				cell = p.bold(cell)
			}
			if i == len(row)-1 {
				if room := screen - used; tty && room > 8 && lipgloss.Width(cell) > room {
					cell = lipgloss.NewStyle().MaxWidth(room-1).Render(cell) + "…"
				}
				b.WriteString(cell + "\n")
				continue
			}
			pad := widths[i] - lipgloss.Width(cell) + 2
			b.WriteString(cell + strings.Repeat(" ", pad))
			used += widths[i] + 2
		}
	}
	_, _ = io.WriteString(w, b.String()) // a closed pipe ends the program
}

// wrap breaks text into lines of at most width, each after the first indented.
func wrap(text, indent string, width int) string {
	if width <= 0 {
		return indent + text
	}
	var lines []string
	line := indent
	for _, word := range strings.Fields(text) {
		if line != indent && lipgloss.Width(line)+1+lipgloss.Width(word) > width {
			lines = append(lines, line)
			line = indent + "  "
		} else if line != indent {
			line += " "
		}
		line += word
	}
	return strings.Join(append(lines, line), "\n")
}
