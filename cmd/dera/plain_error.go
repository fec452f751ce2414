package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	"dera.example/dera/cloud"
	"dera.example/dera/store"
)

// printError writes what went wrong for people: what failed and what to do. The
// words of the SDK are for --log-level debug.
func (a *cli) printError(ctx context.Context, err error) {
	a.alert("dera: %s\n", a.withFlags(plainError(ctx, err)))
	if log := a.askedLog(); log != nil {
		if text := cloud.Detail(err); text != "" {
			log.DebugContext(ctx, "AWS SDK error", "err", text)
		}
	}
}

// plainError is an error without the words of the libraries below: of a call of AWS,
// of the database, of a file, or of a person who ended it.
func plainError(ctx context.Context, err error) string {
	var usage *exitError
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return "interrupted"
	}
	text := err.Error()
	if !errors.As(err, &usage) || usage.code != exitUsage {
		text = cloud.Explain(err)
	}
	if lost, ok := store.Unreached(err); ok {
		return lost + ". Start the database or correct --db; nothing is lost meanwhile"
	}
	var file *fs.PathError
	if errors.As(err, &file) {
		text = strings.Replace(text, file.Error(), fileText(file), 1)
		text = strings.Replace(text, file.Path+": "+file.Path+" ", file.Path+" ", 1)
	}
	return text
}

// fileText says what is wrong with a file.
func fileText(e *fs.PathError) string {
	switch {
	case errors.Is(e.Err, fs.ErrNotExist):
		return e.Path + " does not exist"
	case errors.Is(e.Err, fs.ErrPermission):
		return e.Path + " may not be read or written by this user"
	case errors.Is(e.Err, syscall.EISDIR):
		return e.Path + " is a folder"
	case errors.Is(e.Err, syscall.ENOTDIR):
		return e.Path + " is below something that is no folder"
	}
	return e.Path + ": " + e.Err.Error()
}

// wanted is what a flag takes, in words.
func wanted(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "bool":
		return "must be true or false"
	case "int", "int64", "uint":
		return "must be a whole number"
	case "duration":
		return "must be a duration such as 30s, 15m or 2h"
	}
	return ""
}

// badValue is the answer to a value that a flag does not take; nil where the error is
// another one.
func badValue(err error) error {
	var value *pflag.InvalidValueError
	if !errors.As(err, &value) || wanted(value.GetFlag()) == "" {
		return nil
	}
	return fmt.Errorf("--%s is %q, %s", value.GetFlag().Name, value.GetValue(), wanted(value.GetFlag()))
}
