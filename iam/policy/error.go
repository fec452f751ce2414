package policy

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// Reasons in AWS's words: the messages of MalformedPolicyDocument errors.
const (
	ReasonSyntax       = "Syntax errors in policy."
	ReasonVersion      = "Policy document must be version 2012-10-17 or greater."
	ReasonLegacy       = "The policy failed legacy parsing"
	ReasonSid          = "Statement IDs (SID) in a single policy must be unique."
	ReasonNoActions    = "Policy statement must contain actions."
	ReasonNoResources  = "Policy statement must contain resources."
	ReasonVendor       = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
	ReasonColon        = "Actions/Condition can contain only one colon."
	ReasonPrincipal    = "Policy document should not specify a principal."
	ReasonNoPrincipal  = "Missing required field Principal"
	ReasonResource     = "Has prohibited field Resource"
	ReasonAssume       = "AssumeRole policy may only specify STS AssumeRole actions."
	ReasonRequirements = "The provided policy document does not meet the requirements of the specified policy type."
)

// Errors that a caller of Edit branches on.
var (
	// ErrLast says that an edit would leave an empty list behind: drop the
	// statement, or the policy, instead.
	ErrLast = errors.New("nothing would be left")
	// ErrNotFound says that the entry to edit is not there.
	ErrNotFound = errors.New("no such entry")
)

// Position is a place in a text. Line and Column count from one, Column in
// characters; Offset counts bytes from zero.
type Position struct{ Line, Column, Offset int }

// String gives the position in words.
func (p Position) String() string { return fmt.Sprintf("line %d, column %d", p.Line, p.Column) }

// Error says why a document is refused and where.
type Error struct {
	Reason string // AWS's message
	Detail string // what is wrong there, more closely; may be empty
	At     Position
	First  *Position // for a duplicate: where the first one stands
}

// Error gives position, AWS's reason and the detail in one line.
func (e *Error) Error() string {
	s := e.At.String() + ": " + e.Reason
	switch {
	case e.First != nil:
		s += fmt.Sprintf(" (%s, first at %s)", e.Detail, e.First)
	case e.Detail != "":
		s += " (" + e.Detail + ")"
	}
	return s
}

// position turns a byte offset into a Position. It walks the text: call it
// for errors only.
func position(text string, offset int) Position {
	p := Position{Line: 1, Column: 1, Offset: offset}
	for i := 0; i < offset; {
		r, n := utf8.DecodeRuneInString(text[i:])
		i += n
		if r == '\n' {
			p.Line++
			p.Column = 1
		} else {
			p.Column++
		}
	}
	return p
}

// fault makes the error for a place in a text.
func fault(text string, offset int, reason, format string, args ...any) *Error {
	return &Error{Reason: reason, Detail: fmt.Sprintf(format, args...), At: position(text, offset)}
}
