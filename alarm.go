package dera

import "time"

// Alarm is what a person must hear of dera itself, and what no finding says: a source that
// fell silent, a log that cannot be signed, an undo that failed.
type Alarm struct {
	// Key says what it is about: while an alarm stands, another one with its key is the same.
	Key      string   `json:"key"`
	Severity Severity `json:"severity"`
	Title    string   `json:"title"`
	// Why says what happened and what to do. It holds no secret and no text of a policy.
	Why     string `json:"why,omitempty"`
	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`
	// Since is when it began, which the engine sets; Ended, in a record, that it is over.
	Since time.Time `json:"since,omitzero"`
	Ended bool      `json:"ended,omitempty"`
}
