package dera

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The operations of a custom fix, by their IAM actions: an SSM Automation document or a
// Lambda function of the customer, which the configuration names as the fix of a control.
// What they do to a resource nobody knows before: dera reads it afterwards.
const (
	StartAutomation = "ssm:StartAutomationExecution"
	InvokeFunction  = "lambda:InvokeFunction"
)

// CustomInput is version 1 of the input of both operations: what is run, in the account
// and region of the plan. All of it is in the digest of the plan.
type CustomInput struct {
	Document string `json:"document,omitempty"` // its name; of a function empty
	Function string `json:"function,omitempty"`
	Version  string `json:"version"` // a number: one that says the same for ever
	// Hash is what AWS says of the content: the Hash of the document, or the CodeSha256 of
	// the function. Content is the SHA-256 of the document's text, in hex.
	Hash    string `json:"hash"`
	Content string `json:"content_sha256,omitempty"`
	// Role is the role as which the document acts (AutomationAssumeRole), if one is named.
	Role       ARN                 `json:"role,omitempty"`
	Parameters map[string][]string `json:"parameters,omitempty"`
	// Seconds is how long it may run.
	Seconds int `json:"seconds"`
	// Undo is what takes it back; nil where nothing does, and in the input of an undo.
	Undo *CustomInput `json:"undo,omitempty"`
}

// Operation is the IAM action that runs it.
func (c CustomInput) Operation() string {
	if c.Function != "" {
		return InvokeFunction
	}
	return StartAutomation
}

// String names what is run, with its version.
func (c CustomInput) String() string {
	if c.Function != "" {
		return "the Lambda function " + c.Function + " version " + c.Version
	}
	return "the SSM Automation document " + c.Document + " version " + c.Version
}

// Diff says what is run, one line each.
func (c CustomInput) Diff() []string {
	out := []string{fmt.Sprintf("+ run %s (hash %s)", c, c.Hash)}
	out = append(out, c.details("+   ")...)
	if c.Undo != nil {
		out = append(out, fmt.Sprintf("+   undo: %s (hash %s)", c.Undo, c.Undo.Hash))
		out = append(out, c.Undo.details("+     ")...)
	}
	return out
}

// details are what it is run with: an approval is of all of it.
func (c CustomInput) details(indent string) (out []string) {
	if c.Content != "" {
		out = append(out, indent+"content SHA-256 "+c.Content)
	}
	if c.Role != "" {
		out = append(out, indent+"as "+string(c.Role))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Parameters)) {
		out = append(out, indent+name+" = "+strings.Join(c.Parameters[name], ", "))
	}
	return out
}

// Custom reports whether the plan runs a custom fix. Such a plan has that one change.
func (p Plan) Custom() bool {
	return slices.ContainsFunc(p.Changes, func(c Change) bool { return c.Operation == StartAutomation || c.Operation == InvokeFunction })
}

// EarlierFinding is a finding of a resource as it stood at some time.
type EarlierFinding struct {
	Finding  string       `json:"finding"`
	State    FindingState `json:"state"`
	Severity Severity     `json:"severity"`
	Extent   Extent       `json:"extent"`
}

// CustomRun is how far a custom fix is that was started.
type CustomRun struct {
	Execution string // AWS's ID of the execution; empty for a function, which has ended when it answers
	Ended     bool
	Failed    string // how it ended, where it did not report success
}
