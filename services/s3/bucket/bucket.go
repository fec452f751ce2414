package bucket

import (
	"maps"
	"slices"

	"dera.example/dera/services/s3"
)

// Bucket is an S3 general purpose bucket, as far as it decides who has access.
type Bucket struct {
	Name   string            `json:"name"`
	Owner  string            `json:"owner"` // account ID
	Region string            `json:"region"`
	Tags   map[string]string `json:"tags,omitempty"`
	// Policy is the text of the bucket policy as S3 returns it; empty is none.
	Policy string `json:"policy,omitempty"`
	// Ownership is the object ownership: BucketOwnerEnforced switches ACLs off.
	// Empty is none set, which means ObjectWriter.
	Ownership string `json:"ownership,omitempty"`
	// OwnerID is the owner's canonical user ID, and Grants the bucket ACL.
	OwnerID string     `json:"owner_id,omitempty"`
	Grants  []s3.Grant `json:"grants,omitempty"`
	// Block is the bucket's own public access block, AccountBlock that of its
	// account, which is not part of the bucket.
	Block        *s3.Block `json:"block,omitempty"`
	AccountBlock *s3.Block `json:"account_block,omitempty"`
	// Website is true for a bucket that serves a static website.
	Website bool `json:"website,omitempty"`
	// Origins are the CloudFront distributions of the account that have the bucket
	// as an origin. They and the access points are read only for a full look.
	Origins      []string      `json:"origins,omitempty"`
	AccessPoints []AccessPoint `json:"access_points,omitempty"`
	// Unread names the parts that dera lacks permission to read, see the Part constants.
	// What they hold is unknown.
	Unread []string `json:"unread,omitempty"`
}

// Parts of a bucket that are read by a call of their own.
const (
	PartPolicy       = "policy"
	PartACL          = "acl"
	PartOwnership    = "ownership"
	PartBlock        = "public access block"
	PartAccountBlock = s3.PartAccountBlock
	PartTags         = "tags"
	PartWebsite      = "website"
	PartOrigins      = "CloudFront distributions"
	PartAccessPoints = "access points"
	PartMultiRegion  = "multi-region access points"
)

// Copy is a bucket of its own: reading more of it does not change b.
func (b *Bucket) Copy() *Bucket {
	c := *b
	c.Tags, c.Grants, c.Origins = maps.Clone(b.Tags), slices.Clone(b.Grants), slices.Clone(b.Origins)
	c.AccessPoints, c.Unread = slices.Clone(b.AccessPoints), slices.Clone(b.Unread)
	return &c
}

// Read reports whether all the parts could be read.
func (b *Bucket) Read(parts ...string) bool {
	return !slices.ContainsFunc(b.Unread, func(p string) bool { return slices.Contains(parts, p) })
}

// Blocked is the block that holds for the bucket: its own and the account's.
func (b *Bucket) Blocked() s3.Block { return s3.Strictest(b.Block, b.AccountBlock) }

// ACLsDisabled reports whether ACLs, those of objects too, count for nothing
// (S3 user guide, "Controlling ownership of objects and disabling ACLs").
func (b *Bucket) ACLsDisabled() bool { return b.Ownership == "BucketOwnerEnforced" }

// PublicGrants are the grants of the ACL to the public, whether or not they take
// effect.
func (b *Bucket) PublicGrants() []s3.Grant {
	var out []s3.Grant
	for _, g := range b.Grants {
		if g.Public() {
			out = append(out, g)
		}
	}
	return out
}
