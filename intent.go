package dera

import "time"

// IntentState is how far one recorded intent has come.
type IntentState string

// The states of an intent. An open one that a crash left behind is settled by
// reading the resource (invariant I2).
const (
	IntentOpen       IntentState = "open"
	IntentApplied    IntentState = "applied"
	IntentNotApplied IntentState = "not_applied"
)

// Intent is the record, committed before the write, that a change or its undo
// is about to be made (invariant I1).
type Intent struct {
	Remediation string            `json:"remediation"`
	Step        int               `json:"step"` // index into the plan's changes
	Undo        bool              `json:"undo"`
	Operation   string            `json:"operation"`
	Version     int               `json:"version"`
	State       IntentState       `json:"state"`
	Token       int64             `json:"token"` // fencing token of the lease it was made under
	Output      map[string]string `json:"output,omitempty"`
	Error       string            `json:"error,omitempty"`
	// Retry is true for an intent that is not applied because nothing was sent or
	// the sender died: the same write may be made again.
	Retry bool `json:"retry,omitempty"`
	// Unclear is true for an intent that is not applied as far as reads show, but
	// that the service did not refuse: it may take effect later.
	Unclear bool `json:"unclear,omitempty"`

	At     time.Time  `json:"at"`
	DoneAt *time.Time `json:"done_at,omitempty"`
}

// Lease is the sole right to write to one resource until Until. Token grows
// with every new holder; a statement that records an intent checks it.
type Lease struct {
	Resource string    `json:"resource"`
	Owner    string    `json:"owner"`
	Token    int64     `json:"token"`
	Until    time.Time `json:"until"`
}
