package evaluate

import (
	"fmt"
	"strings"
)

// ExemptionProblem is one fault of an exemption list, or one thing to look at.
type ExemptionProblem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`   // from 1
	Column  int    `json:"column"` // in characters, from 1
	Message string `json:"message"`
	// Source is the line of the file.
	Source string `json:"source"`
}

// String is file:line:column, the message, and below it the line with a caret
// under the fault.
func (p ExemptionProblem) String() string {
	head := fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
	if strings.TrimSpace(p.Source) == "" {
		return head
	}
	line, column := p.excerpt()
	number := fmt.Sprintf("%5d | ", p.Line)
	return fmt.Sprintf("%s\n%s%s\n%*s| %*s^", head, number, line, len(number)-2, "", column-1, "")
}

// excerptWidth is how much of a line is shown, in characters.
const excerptWidth = 160

// excerpt returns the part of the source line around the column, and where in it
// the column is.
func (p ExemptionProblem) excerpt() (string, int) {
	line := []rune(strings.ReplaceAll(p.Source, "\t", " "))
	column := min(max(p.Column, 1), len(line)+1)
	if len(line) > excerptWidth {
		start := min(max(0, column-excerptWidth/2), len(line)-excerptWidth)
		line, column = line[start:start+excerptWidth], column-start
	}
	return string(line), column
}

// short bounds a value that a message quotes.
func short(s string) string {
	const limit = 100
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + "…"
	}
	return s
}

// ExemptionError holds everything that is wrong with an exemption list.
type ExemptionError struct{ Problems []ExemptionProblem }

// maxExemptionProblems bounds how many problems an error message spells out.
const maxExemptionProblems = 50

// Error tells the problems in the order of the file, each over several lines.
func (e *ExemptionError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the exemption list has %d faults, so nothing in it counts:", len(e.Problems))
	if len(e.Problems) == 1 {
		b.Reset()
		b.WriteString("the exemption list has a fault, so nothing in it counts:")
	}
	for i, p := range e.Problems {
		if i == maxExemptionProblems {
			fmt.Fprintf(&b, "\nand %d more", len(e.Problems)-i)
			break
		}
		b.WriteString("\n" + p.String())
	}
	return b.String()
}
