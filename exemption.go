package dera

import "time"

// Exemption is one reviewed entry of the exemption list: findings that it
// matches are left alone until it expires. Owner, reason and expiry are
// mandatory (requirement E1).
type Exemption struct {
	ID       string           `json:"id" yaml:"id"`
	Match    ExemptionMatch   `json:"match" yaml:"match"`
	Owner    string           `json:"owner" yaml:"owner"`
	Reason   string           `json:"reason" yaml:"reason"`
	Expires  time.Time        `json:"expires" yaml:"expires"`
	Position ExemptionFilePos `json:"-" yaml:"-"`
}

// ExemptionMatch says which findings an exemption covers: those that fit every
// field that is set. A match on a tag can only lower to review, since whoever
// changes a resource can tag it.
type ExemptionMatch struct {
	Controls  []string `json:"controls,omitempty" yaml:"controls,omitempty"`
	Accounts  []string `json:"accounts,omitempty" yaml:"accounts,omitempty"`
	OUs       []string `json:"ous,omitempty" yaml:"ous,omitempty"`
	Resources []string `json:"resources,omitempty" yaml:"resources,omitempty"` // ARN globs
	// Keys are finding keys or globs: each port of the finding must be covered. What
	// covers the internet covers bounded networks too.
	Keys        []string          `json:"keys,omitempty" yaml:"keys,omitempty"`
	Sources     []string          `json:"sources,omitempty" yaml:"sources,omitempty"`         // CIDRs that hold every source of the finding
	Permissions []string          `json:"permissions,omitempty" yaml:"permissions,omitempty"` // globs that hold every permission of it
	Tags        map[string]string `json:"tags,omitempty" yaml:"tags,omitempty"`
}

// ExemptionFilePos is where in which version of the file an exemption stands.
type ExemptionFilePos struct {
	File   string
	Line   int
	Commit string // git commit of the file, or the SHA-256 of its text
}
