// Package sink hands messages to receivers outside of AWS and dera: a webhook, Slack,
// Amazon SNS, e-mail, PagerDuty and Jira. It decides from the configuration which
// receiver gets which message when (Routes), and sends (Sink). It keeps nothing: an
// outbox calls it again until a receiver took a message, so that each message has an
// ID that stays the same.
//
// A message holds no secret and no text of a policy. What it holds may have been written
// by others, such as the name of a resource: each sender escapes and bounds it.
package sink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dera.example/dera"
)

// What a message is about.
const (
	WhatFinding    = "finding"     // a new finding
	WhatWaiting    = "waiting"     // a plan waits for an approval
	WhatDecided    = "decided"     // decided: observed only, or begun automatically
	WhatFixed      = "fixed"       // verified by reading again
	WhatResolved   = "resolved"    // it is not found any more, and no remediation did it
	WhatExempt     = "exempt"      // the exemption list covers a finding
	WhatFailed     = "failed"      // a remediation failed, or its undo did
	WhatRolledBack = "rolled_back" // undone on purpose
	WhatExpired    = "expired"     // nobody approved it in time
	WhatRejected   = "rejected"    // a person said no
	WhatDenied     = "denied"      // a principal was denied what a remediation took from it
	WhatAccess     = "access"      // somebody asks to be given back what was taken
	WhatStop       = "stop"        // automation was stopped, or a stop was lifted
	WhatAlarm      = "alarm"       // dera itself needs a person
	WhatEscalation = "escalation"  // nobody answered
	WhatDigest     = "digest"      // several messages as one
	WhatTest       = "test"        // sent by dera notify test
)

// Whats lists what messages can be about, for the configuration.
func Whats() []string {
	return []string{WhatFinding, WhatWaiting, WhatDecided, WhatFixed, WhatResolved, WhatExempt, WhatFailed, WhatRolledBack, WhatExpired, WhatRejected,
		WhatDenied, WhatAccess, WhatStop, WhatAlarm, WhatEscalation, WhatDigest, WhatTest}
}

// Message is one thing that people or systems are notified of. It holds no secret and no
// text of a policy. Its zero fields are left out of what is sent.
type Message struct {
	ID           string           `json:"id"`   // the same message again has the same ID; receivers may drop doubles by it
	What         string           `json:"what"` // one of Whats
	At           time.Time        `json:"at"`
	Severity     dera.Severity    `json:"severity,omitzero"`
	Title        string           `json:"title"`         // one line
	Why          string           `json:"why,omitempty"` // the reason: the guardrails that sent it to review
	Account      string           `json:"account,omitempty"`
	Region       string           `json:"region,omitempty"`
	Control      string           `json:"control,omitempty"`
	Resource     dera.ARN         `json:"resource,omitempty"`
	ResourceType string           `json:"resource_type,omitempty"`
	Findings     []string         `json:"findings,omitempty"`
	Remediation  string           `json:"remediation,omitempty"`
	Digest       string           `json:"digest,omitempty"` // of the plan
	State        dera.State       `json:"state,omitempty"`
	Disposition  dera.Disposition `json:"disposition,omitzero"`
	Owner        string           `json:"owner,omitempty"`
	Diff         []string         `json:"diff,omitempty"`            // what changes, in words
	Commands     []string         `json:"commands,omitempty"`        // "fix now": what to run
	Record       int64            `json:"record,omitempty"`          // index in the audit log
	Principal    string           `json:"principal,omitempty"`       // of a denial
	Action       string           `json:"action,omitempty"`          // of a denial
	Alarm        string           `json:"alarm,omitempty"`           // what an alarm or a stop is about: the same as long as it stands
	Ended        bool             `json:"ended,omitempty"`           // the alarm or the stop is over
	Until        time.Time        `json:"approval_expires,omitzero"` // when an approval is not possible any more
}

// Sink sends messages to one receiver. Safe for concurrent use. More than one message is
// a digest. An error means that they may have arrived or not: the same messages are sent
// again unless it is permanent (Permanent).
type Sink interface {
	Send(ctx context.Context, m []Message) error
}

// Delivery is that a message goes to a sink at a time.
type Delivery struct {
	Sink   string    // its name in the configuration
	Due    time.Time // not before
	Digest string    // messages of one sink with the same key are joined to one; "" for none
}

// Router says which sinks get a message and when. Safe for concurrent use.
type Router interface {
	Route(m Message, now time.Time) []Delivery
}

// PermanentError is that trying again is of no use: the message is a dead letter.
type PermanentError struct{ Err error }

// Error implements error.
func (e *PermanentError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *PermanentError) Unwrap() error { return e.Err }

// Permanent reports whether trying again is of no use.
func Permanent(err error) bool {
	var p *PermanentError
	return errors.As(err, &p)
}

// waitError is that the receiver asked to be tried later.
type waitError struct {
	after time.Duration
	err   error
}

func (e *waitError) Error() string { return fmt.Sprintf("%v; asked to wait %s", e.err, e.after) }
func (e *waitError) Unwrap() error { return e.err }

// RetryAfter is for how long the receiver asked to be left in peace (429, 503), and
// whether it did.
func RetryAfter(err error) (time.Duration, bool) {
	var w *waitError
	if errors.As(err, &w) {
		return w.after, true
	}
	return 0, false
}

// againError is that all was done that can be done now.
type againError struct{ after time.Duration }

func (e *againError) Error() string { return "look again after " + e.after.String() }

// Again is what a sink returns that did what it can do now, and has to be called with the
// same messages once more after a while. It is no failure.
func Again(after time.Duration) error { return &againError{after} }

// AgainAfter is after how long a sink has to be called once more, and whether it has to.
func AgainAfter(err error) (time.Duration, bool) {
	var a *againError
	if errors.As(err, &a) {
		return a.after, true
	}
	return 0, false
}
