package resource

import (
	"encoding/json"
	"errors"
	"fmt"

	"dera.example/dera"
)

// UndoOf is the undo that an operation with the input makes.
func UndoOf(operation string, input any) (*dera.Undo, error) {
	text, err := json.Marshal(input)
	return &dera.Undo{Operation: operation, Version: 1, Input: text}, err
}

// NewChange puts a change together of values that marshal.
func NewChange(operation string, input, before, after any, undo string, undoInput any, diff []string) (dera.Change, error) {
	c := dera.Change{Operation: operation, Version: 1, Diff: diff}
	var errs [4]error
	c.Input, errs[0] = json.Marshal(input)
	if before != nil {
		c.Before, errs[1] = json.Marshal(before)
	}
	if after != nil {
		c.After, errs[2] = json.Marshal(after)
	}
	c.Undo, errs[3] = UndoOf(undo, undoInput)
	if err := errors.Join(errs[:]...); err != nil {
		return dera.Change{}, fmt.Errorf("change with %s: %w", operation, err)
	}
	return c, nil
}
