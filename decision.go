package dera

// Reason is the result of one guardrail (or of the control itself, under the
// name control): the disposition up to which it lets the finding through, and
// why in words that the owner of the resource understands.
type Reason struct {
	Guardrail   string      `json:"guardrail"`
	Disposition Disposition `json:"disposition"`
	Why         string      `json:"why"`
	Error       bool        `json:"error,omitempty"` // the guardrail itself failed
	Ref         string      `json:"ref,omitempty"`   // what it rests on: an exemption's ID and commit, a stop's ID …
}

// Decision is what the gate decided and the result of every guardrail, also of
// those that let the finding pass.
type Decision struct {
	Disposition Disposition `json:"disposition"`
	Mode        Mode        `json:"mode"`
	Reasons     []Reason    `json:"reasons"`
}

// Lowered returns the reasons that stand below auto: the ones that an approval
// must name to waive them.
func (d Decision) Lowered() []Reason {
	var out []Reason
	for _, r := range d.Reasons {
		if r.Disposition > Auto {
			out = append(out, r)
		}
	}
	return out
}
