package iam

import (
	"encoding/json"
	"slices"

	"dera.example/dera"
	"dera.example/dera/resource/document"
)

// Redact hides what can be secret in the documents of a plan's changes, for example the
// external ID that a trust policy compares with.
func Redact(p dera.Plan) dera.Plan {
	var r document.Redactor
	hide := func(raw json.RawMessage) json.RawMessage {
		if len(raw) == 0 {
			return raw
		}
		shown, err := r.JSON(raw)
		if err != nil {
			return json.RawMessage(`"(not shown)"`)
		}
		return shown
	}
	p.Changes = slices.Clone(p.Changes)
	for i, c := range p.Changes {
		c.Input, c.Before, c.After = hide(c.Input), hide(c.Before), hide(c.After)
		if c.Undo != nil {
			undo := *c.Undo
			undo.Input = hide(undo.Input)
			c.Undo = &undo
		}
		p.Changes[i] = c
	}
	return p
}
