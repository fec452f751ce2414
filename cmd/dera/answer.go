package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"syscall"
)

// answerTo is standard output. It keeps the first error of a write, so that a command
// whose answer did not arrive does not count as done, whoever wrote it.
type answerTo struct {
	to io.Writer

	mu  sync.Mutex
	err error
}

// Write implements io.Writer.
func (w *answerTo) Write(p []byte) (int, error) {
	n, err := w.to.Write(p)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
	return n, err
}

// failed is why the answer did not arrive. A reader that closed the pipe has read
// enough: that is no error.
func (w *answerTo) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil || errors.Is(w.err, syscall.EPIPE) || errors.Is(w.err, io.ErrClosedPipe) {
		return nil
	}
	return fmt.Errorf("write the answer to standard output: %w", w.err)
}

// ended is the exit code of a command. One whose answer was not written failed.
func (a *cli) ended(ctx context.Context, err error, out *answerTo) int {
	lost := out.failed()
	var e *exitError
	silent := err == nil || errors.As(err, &e) && e.err == nil || errors.Is(err, syscall.EPIPE) || lost != nil && strings.Contains(err.Error(), out.err.Error())
	if !silent {
		a.printError(ctx, err)
	}
	if lost != nil {
		a.printError(ctx, lost)
		return exitFailed
	}
	return codeOf(err)
}
