package dera

import "time"

// LastUse is how far the recorded use of a principal goes: its last call, denied ones
// included, and when the last known session ends at the latest; zero for none.
type LastUse struct {
	Seen       time.Time `json:"seen,omitzero"`
	SessionEnd time.Time `json:"session_end,omitzero"`
}

// Beyond reports whether there is use that o does not have.
func (u LastUse) Beyond(o LastUse) bool {
	return u.Seen.After(o.Seen) || u.SessionEnd.After(o.SessionEnd)
}

// With is the use of both.
func (u LastUse) With(o LastUse) LastUse {
	if o.Seen.After(u.Seen) {
		u.Seen = o.Seen
	}
	if o.SessionEnd.After(u.SessionEnd) {
		u.SessionEnd = o.SessionEnd
	}
	return u
}

// Text says how far it goes, for people.
func (u LastUse) Text() string {
	switch at := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }; {
	case u.Seen.IsZero() && u.SessionEnd.IsZero():
		return "no use"
	case u.Seen.IsZero():
		return "a session that ends at " + at(u.SessionEnd) + " at the latest"
	default:
		return "the call at " + at(u.Seen)
	}
}

// Incident is the reference that a person attached to a finding about use: it explains
// the use up to what it covers, and none after that.
type Incident struct {
	Finding      string    `json:"finding"`
	Partition    string    `json:"partition"`
	Account      string    `json:"account"`
	Region       string    `json:"region"`
	Resource     ARN       `json:"resource"`
	ResourceType string    `json:"resource_type"`
	Reference    string    `json:"reference"` // for example the number of a ticket
	Reason       string    `json:"reason,omitempty"`
	By           Actor     `json:"by"`
	At           time.Time `json:"at"`
	Covers       LastUse   `json:"covers"`
}

// LongestReference is how many characters a reference has at most, and LongestReason how
// many a reason.
const (
	LongestReference = 200
	LongestReason    = 1000
)
