package main

import (
	"errors"
	"fmt"
)

// The exit codes of every command (docs/cli.md). Where several fit, error wins
// over undecided, and undecided over no.
const (
	exitGood      = 0 // done, and the answer is yes
	exitFailed    = 1 // could not be done
	exitUsage     = 2 // the command line or the configuration is wrong
	exitNo        = 3 // a negative answer: findings open, refuted, log invalid
	exitUndecided = 4 // could not decide: unknown, denied reads
)

// exitError is an error with the exit code that it leads to. A nil err prints
// nothing: the answer was printed already.
type exitError struct {
	code int
	err  error
}

// Error implements error.
func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

// Unwrap returns the cause.
func (e *exitError) Unwrap() error { return e.err }

// usage is a wrong command line or configuration.
func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// codeOf is the exit code for an error of a command.
func codeOf(err error) int {
	var e *exitError
	switch {
	case err == nil:
		return exitGood
	case errors.As(err, &e):
		return e.code
	}
	return exitFailed
}
