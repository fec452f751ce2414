package dera

import "time"

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
	// Document is the whole document that the call wrote, where it wrote one, such
	// as a bucket policy. It can hold secrets and is never stored with the event.
	Document string `json:"-"`
}
