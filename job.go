package dera

import (
	"encoding/json"
	"time"
)

// Job is one piece of durable work. Kind and Key identify it: enqueuing the
// same one again coalesces with the waiting one and makes a running one run
// once more, so that no hint is lost.
type Job struct {
	Kind     string          `json:"kind"`
	Key      string          `json:"key"`
	Priority int             `json:"priority"` // lower runs first
	RunAt    time.Time       `json:"run_at"`
	Payload  json.RawMessage `json:"payload,omitempty"`
	// Seq counts how often the job was asked for; Attempts how often it was
	// begun since it last succeeded. The store sets both.
	Seq      int64 `json:"seq"`
	Attempts int   `json:"attempts"`
	// LeasedUntil is until when a claimed job is its claimer's.
	LeasedUntil time.Time `json:"leased_until,omitzero"`
}
