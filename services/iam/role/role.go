// Package role is IAM roles with the policies that decide what they may do and who
// assumes them: their configuration, reads and events. No control looks at them yet.
package role

import (
	"cmp"
	"slices"
	"time"

	"dera.example/dera/resource"
)

// Role is an IAM role. Documents are texts as they were written.
type Role struct {
	Name string `json:"name"`
	Path string `json:"path"`
	// ID is AWS's, by which policies still name a role that was deleted.
	ID       string     `json:"role_id,omitempty"`
	Trust    string     `json:"trust"`
	Inline   []Inline   `json:"inline,omitempty"`
	Attached []Attached `json:"attached,omitempty"`
	Boundary *Attached  `json:"boundary,omitempty"`
	// MaxSession is the longest session, in seconds.
	MaxSession int32             `json:"max_session,omitempty"`
	Tags       map[string]string `json:"tags,omitempty"`
	// LastUsed is what IAM says of the last 400 days; nil is no use in them.
	LastUsed *LastUsed `json:"last_used,omitempty"`
	// Use is what the usage ledger says.
	Use *resource.Use `json:"use,omitempty"`
	// Unread are the parts that are not known.
	Unread []string `json:"unread,omitempty"`
}

// Inline is a policy of the role alone.
type Inline struct {
	Name     string `json:"name"`
	Document string `json:"document"`
}

// Attached is a managed policy, a resource of its own, in its default version.
type Attached struct {
	ARN      string `json:"arn"`
	Version  string `json:"version,omitempty"`
	Document string `json:"document,omitempty"` // "" is not known
}

// LastUsed is the last use of the role that IAM knows.
type LastUsed struct {
	At     time.Time `json:"at"`
	Region string    `json:"region,omitempty"`
}

// Read reports whether all of the parts are known.
func (r *Role) Read(parts ...string) bool {
	return !slices.ContainsFunc(parts, func(p string) bool { return slices.Contains(r.Unread, p) })
}

// Managed are the managed policies that decide what the role may do.
func (r *Role) Managed() []*Attached {
	var out []*Attached
	for i := range r.Attached {
		out = append(out, &r.Attached[i])
	}
	if r.Boundary != nil {
		out = append(out, r.Boundary)
	}
	return out
}

// Sort puts the policies in order: that in which IAM lists them means nothing.
func (r *Role) Sort() {
	slices.SortFunc(r.Inline, func(a, b Inline) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(r.Attached, func(a, b Attached) int { return cmp.Compare(a.ARN, b.ARN) })
}

// edit returns a copy of which a managed policy can be changed, and that policy in
// all its places.
func (r *Role) edit(arn string) (out *Role, found []*Attached) {
	next := *r
	next.Attached = slices.Clone(r.Attached)
	if r.Boundary != nil {
		boundary := *r.Boundary
		next.Boundary = &boundary
	}
	for _, p := range next.Managed() {
		if p.ARN == arn {
			found = append(found, p)
		}
	}
	return &next, found
}
