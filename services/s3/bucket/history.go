package bucket

import (
	"context"
	"maps"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/resource"
	"dera.example/dera/services/s3"
)

// history is what buckets and the blocks of their accounts were set to.
type history struct {
	buckets map[resource.Place]*bucket
	blocks  s3.Blocks
}

var _ resource.History = (*history)(nil)

// History returns an empty history of buckets.
func History() resource.History {
	return &history{map[resource.Place]*bucket{}, s3.Blocks{}}
}

// bucket is an S3 bucket as far as calls reported it: the parts that none reported
// are in its Unread.
type bucket struct {
	resource.Origin
	config Bucket
}

// Read implements resource.History. Which distributions have a bucket as an origin
// stands in no event of S3.
func (h *history) Read(_ context.Context, scope dera.Scope, _ resource.Near) (found []dera.Resource, missing []string) {
	for at, b := range resource.Within(h.buckets, scope) {
		switch {
		case b.config.Region != scope.Region && scope.Region != dera.EveryRegion:
		case b.Deleted:
			missing = append(missing, at.ID)
		default:
			c := b.config
			c.Tags, c.Grants, c.Unread = maps.Clone(c.Tags), slices.Clone(c.Grants), slices.Clone(c.Unread)
			account := h.blocks[at.Account]
			if account != nil {
				c.AccountBlock = account.Block
			}
			if account == nil || account.Partly() != "" {
				c.Unread = append(c.Unread, PartAccountBlock)
			}
			c.Unread = append(c.Unread, PartOrigins)
			slices.Sort(c.Unread)
			found = append(found, dera.Resource{
				ARN: ARNOf(scope.Partition, c.Name), Region: c.Region, ID: c.Name, Name: c.Name, Tags: c.Tags, Config: &c,
			})
		}
	}
	return found, missing
}

// Origin implements resource.History.
func (h *history) Origin(config any) (*resource.Origin, []string) {
	if c, ok := config.(*Bucket); ok {
		if b := h.buckets[resource.Place{Account: c.Owner, ID: c.Name}]; b != nil {
			return &b.Origin, c.Unread
		}
	}
	return nil, nil
}

// parts are those that the events of a bucket report one by one.
func parts() []string {
	return []string{PartPolicy, PartACL, PartOwnership, PartBlock, PartTags, PartWebsite, PartAccessPoints}
}

// report sets whether a part is known now.
func (b *bucket) report(part string, known bool) {
	b.Settle(part)
	b.config.Unread = slices.DeleteFunc(b.config.Unread, func(p string) bool { return p == part })
	if !known {
		b.config.Unread = append(b.config.Unread, part)
	}
}

// named is the bucket that a call names.
func named(c cloudtrail.Call) resource.Place {
	return resource.Place{Account: c.Account, ID: c.Parameters.Value("bucketName", "bucket")}
}

// bucketOf returns the bucket that a call names, and makes a partly known one of
// what no event reported before.
func (h *history) bucketOf(c cloudtrail.Call) *bucket {
	at := named(c)
	b := h.buckets[at]
	if b == nil || b.Deleted {
		b = &bucket{resource.Origin{Since: c.Time}, Bucket{Name: at.ID, Owner: c.Account, Region: c.Region, Unread: parts()}}
		h.buckets[at] = b
	}
	return b
}

// Apply implements resource.History.
func (h *history) Apply(c cloudtrail.Call) error {
	if c.Source != s3.Source || c.Failed() {
		return nil
	}
	if err := h.blocks.Apply(c); err != nil {
		return err
	}
	change := changes()[c.Name]
	switch {
	case change == nil && strings.Contains(c.Name, "AccessPoint"):
		return c.Lost("what an access point permits is not followed")
	case change == nil:
		return nil
	case named(c).ID == "":
		return c.Lost("it does not say the bucket")
	}
	return change(h.bucketOf(c), c)
}
