// Package group is IAM groups with the policies that decide what their members may do:
// their configuration, reads, events and controls.
package group

import "dera.example/dera/services/iam"

// Group is an IAM group. Documents are texts as they were written.
type Group struct {
	iam.Identity
	// Members are its users, sorted by ARN, with what else they may do.
	Members []iam.Holder `json:"members,omitempty"`
	// TooMany is how many members it has where they are more than iam.MostHolders: of
	// each is then known only who it is.
	TooMany int `json:"too_many,omitempty"`
}
