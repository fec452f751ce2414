package dera

import (
	"encoding/json"
	"time"
)

// Event is a hint that something may have changed. It is never taken as a fact
// about a resource: the resource is re-read. Actor, Name and Time are kept for
// the record only.
type Event struct {
	Source    string    `json:"source"` // which source delivered it, for example sqs or sweep
	ID        string    `json:"id,omitempty"`
	Name      string    `json:"name"`
	Scope     Scope     `json:"scope"`
	Actor     string    `json:"actor,omitempty"`
	UserAgent string    `json:"user_agent,omitempty"`
	Time      time.Time `json:"time"`
	// Authenticated is true only where the delivery path proves that the event
	// is CloudTrail's; the actor of any other event is hearsay.
	Authenticated bool `json:"authenticated,omitempty"`
	// Now says that a person asked for a look in another tool, which authenticated
	// delivery proves and no more: it goes before what waits, and a plan that nobody answered
	// is made again. It approves nothing.
	Now bool `json:"now,omitempty"`
	// Leans is what the words of the call suggest. It decides in which order dera looks, and
	// nothing else.
	Leans Leaning `json:"leans,omitempty"`
	// Document is the whole document that the call wrote, where it wrote one, such
	// as a bucket policy. It can hold secrets and is never stored with the event.
	Document string `json:"-"`
}

// Leaning is what a call may have done to exposure, by its words, which prove nothing.
type Leaning int

// The leanings, the first to be looked at first.
const (
	LeansOpen    Leaning = iota - 1 // it names everybody
	LeansNowhere                    // it does not say
	LeansClosed                     // it takes something away
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
	// Claim tells a claim of a job from every other; 0 where it is not claimed.
	Claim int64 `json:"claim,omitzero"`
}
