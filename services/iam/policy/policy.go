// Package policy is customer managed policies of IAM with whom they are attached to:
// their configuration, reads, events and controls.
package policy

import (
	"slices"
	"strings"
	"time"

	"dera.example/dera/resource/document"
	"dera.example/dera/services/iam"
)

// Policy is a customer managed policy. Documents are texts as they were written.
type Policy struct {
	Name string `json:"name"`
	Path string `json:"path"`
	// ID is AWS's.
	ID      string            `json:"id,omitempty"`
	Created time.Time         `json:"created,omitzero"`
	Tags    map[string]string `json:"tags,omitempty"`
	// Default is the version in force, and Others are the other ones, the newest first.
	Default Version   `json:"default"`
	Others  []Version `json:"others,omitempty"`
	// Holders are the roles and users that have it, by their groups too, sorted by ARN;
	// a group is one only where it has no members. BoundaryOf are the ARNs of those whose permissions
	// boundary it is.
	Holders    []iam.Holder `json:"holders,omitempty"`
	BoundaryOf []string     `json:"boundary_of,omitempty"`
	// TooMany is how many have it where they are more than iam.MostHolders: of each is
	// then known only who it is.
	TooMany int `json:"too_many,omitempty"`
	// Reported is what AWS itself says of its use; nil where it was not asked.
	Reported *iam.Reported `json:"reported,omitempty"`
	// Staged is how long what it denies for now was denied; nil where that is not known.
	Staged *iam.Staged `json:"staged,omitempty"`
	// Unread are the parts that are not known.
	Unread []string `json:"unread,omitempty"`
}

// Version is one version of a policy.
type Version struct {
	ID       string    `json:"id,omitempty"`
	Document string    `json:"document"`
	Created  time.Time `json:"created,omitzero"`
}

// Read reports whether all of the parts are known.
func (p *Policy) Read(parts ...string) bool {
	return !slices.ContainsFunc(parts, func(part string) bool { return slices.Contains(p.Unread, part) })
}

// Key is the ID of the policy as a resource: its path and name as its ARN has them.
func (p *Policy) Key() string { return strings.TrimPrefix(p.Path, "/") + p.Name }

// Stage is where it is noted since when something of the policy is staged; nil where nothing
// is.
func (p *Policy) Stage() **iam.Staged {
	if iam.HasStage(p.Default.Document) {
		return &p.Staged
	}
	return nil
}

// granted is when the version in force was made; of one that differs from an earlier one in
// nothing but a stage it is that one, since a denial grants nothing.
func (p *Policy) granted() time.Time {
	bare := iam.Bare(p.Default.Document)
	if bare == p.Default.Document {
		return p.Default.Created
	}
	for _, v := range p.Others {
		if v.Created.Before(p.Default.Created) && document.SamePolicy(bare, iam.Bare(v.Document)) {
			return v.Created
		}
	}
	return p.Default.Created
}
