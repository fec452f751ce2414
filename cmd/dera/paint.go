package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"charm.land/lipgloss/v2"

	"dera.example/dera"
)

// paint colours text on a terminal and leaves it alone elsewhere, and where
// NO_COLOR is set (https://no-color.org).
type paint struct {
	on   bool
	seal string // what the screen knows our colours by
}

func newPaint(w io.Writer) paint {
	_, tty := terminal(w)
	p := paint{on: tty && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
	if s, ok := w.(*screen); ok {
		p.seal = s.seal
	}
	return p
}

func (p paint) style(s lipgloss.Style, text string) string {
	if !p.on {
		return text
	}
	const held = "x"
	begin, end, _ := strings.Cut(s.Render(held), held)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if line != "" {
			lines[i] = p.sealed(begin) + line + p.sealed(end)
		}
	}
	return strings.Join(lines, "\n")
}

// sealed is a colour of ours with the seal of the screen.
func (p paint) sealed(colour string) string {
	return strings.ReplaceAll(colour, "\x1b[", "\x1b["+p.seal)
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

// wrapf is printf in lines that fit the terminal.
func (a *cli) wrapf(format string, args ...any) {
	a.printf("%s", fitted(a.out, fmt.Sprintf(format, args...)))
}

// fitted is the text in lines that fit the terminal behind w; a line that is broken
// goes on under its own indent.
func fitted(w io.Writer, text string) string {
	width, _ := terminal(w)
	var b strings.Builder
	for line := range strings.Lines(visible(text, newPaint(w).seal)) {
		if text := strings.TrimRight(line, "\n"); width > 0 && lipgloss.Width(text) > width {
			indent := text[:len(text)-len(strings.TrimLeft(text, " "))]
			line = wrap(text, indent, width) + "\n"
		}
		b.WriteString(line)
	}
	return b.String()
}
