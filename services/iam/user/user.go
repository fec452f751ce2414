// Package user is IAM users with the policies that decide what they may do, by their
// groups too: their configuration, reads, events and controls.
package user

import (
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/escalation"
)

// User is an IAM user. Documents are texts as they were written.
type User struct {
	iam.Identity
	Account string `json:"account,omitempty"`
	// Groups are those that it is a member of, by name.
	Groups []Group `json:"groups,omitempty"`
	// Use is what the usage ledger says.
	Use *resource.Use `json:"use,omitempty"`
	// Peers are the principals to which ways of getting more permissions lead.
	Peers []escalation.Peer `json:"peers,omitempty"`
	// Explained is which of its use an incident explains.
	Explained *resource.Explained `json:"explained,omitempty"`
}

// Group is a group with the policies that its members have by it. They are a resource of
// their own.
type Group struct {
	Name     string         `json:"name"`
	Inline   []iam.Inline   `json:"inline,omitempty"`
	Attached []iam.Attached `json:"attached,omitempty"`
}
