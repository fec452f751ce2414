package replay

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// bucket is an S3 bucket as far as events told: the parts that none told are in
// its Unread.
type bucket struct {
	origin
	config resource.Bucket
}

// block is the public access block of an account; once an event tells it, all of
// it is known.
type block struct {
	config *resource.Block
	doubt  string
}

// resource is the bucket as a look reads it. Which distributions have it as an
// origin stands in no event of S3.
func (b *bucket) resource(scope dera.Scope, account *block, at time.Time) dera.Resource {
	c := b.config
	c.Tags, c.Grants, c.Unread = maps.Clone(c.Tags), slices.Clone(c.Grants), slices.Clone(c.Unread)
	if account != nil {
		c.AccountBlock = account.config
	}
	if account == nil || account.doubt != "" {
		c.Unread = append(c.Unread, resource.PartAccountBlock)
	}
	c.Unread = append(c.Unread, resource.PartOrigins)
	slices.Sort(c.Unread)
	return dera.Resource{
		ARN: resource.BucketARN(scope.Partition, c.Name), Partition: scope.Partition, Account: c.Owner, Region: c.Region,
		Type: resource.BucketType, ID: c.Name, Name: c.Name, Tags: c.Tags, Config: &c, ReadAt: at, Full: true,
	}
}

// accountBlock is an account's block as a look reads it. Buckets that no event
// names may depend on public access too.
func (s *State) accountBlock(ctx context.Context, scope dera.Scope, b *block) dera.Resource {
	c := &resource.AccountBlock{Account: scope.Account, Block: b.config}
	for at, known := range s.buckets {
		if at.account != scope.Account || known.gone {
			continue
		}
		c.Buckets++
		read := known.resource(scope, b, s.now()).Config.(*resource.Bucket)
		if why := read.Needs(ctx); len(why) > 0 {
			c.Dependents = append(c.Dependents, resource.Dependent{Bucket: read.Name, Region: read.Region, Why: why})
		}
	}
	slices.SortFunc(c.Dependents, func(a, b resource.Dependent) int { return cmp.Compare(a.Bucket, b.Bucket) })
	c.Dependents = append(c.Dependents, resource.Dependent{Bucket: "(others)", Region: "any region", Why: []string{"buckets that no recorded event names are not known"}})
	return dera.Resource{
		ARN: resource.AccountBlockARN(scope.Partition, scope.Account), Partition: scope.Partition, Account: scope.Account, Region: dera.GlobalRegion,
		Type: resource.AccountBlockType, ID: scope.Account, Name: "S3", Config: c, ReadAt: s.now(), Full: true,
	}
}

// parts are those that the events of a bucket tell one by one.
func parts() []string {
	return []string{resource.PartPolicy, resource.PartACL, resource.PartOwnership, resource.PartBlock, resource.PartTags, resource.PartWebsite, resource.PartAccessPoints}
}

// tell sets whether a part is known now.
func (b *bucket) tell(part string, known bool) {
	b.settle(part)
	b.config.Unread = slices.DeleteFunc(b.config.Unread, func(p string) bool { return p == part })
	if !known {
		b.config.Unread = append(b.config.Unread, part)
	}
}

// bucketOf returns the bucket that a call names, and makes a partly known one of
// what no event told of before.
func (s *State) bucketOf(c call, name string) *bucket {
	at := place{c.Account, name}
	b := s.buckets[at]
	if b == nil || b.gone {
		b = &bucket{origin{since: c.Time}, resource.Bucket{Name: name, Owner: c.Account, Region: c.Region, Unread: parts()}}
		s.buckets[at] = b
	}
	return b
}

func (s *State) applyS3(c call) error {
	switch c.Name {
	case "PutAccountPublicAccessBlock":
		b, ok := blockOf(c.request)
		if !ok {
			delete(s.blocks, c.Account)
			return c.lost("it does not tell the block")
		}
		s.blocks[c.Account] = &block{config: b}
		return nil
	case "DeleteAccountPublicAccessBlock":
		s.blocks[c.Account] = &block{}
		return nil
	}
	change := bucketChanges()[c.Name]
	switch {
	case change == nil && strings.Contains(c.Name, "AccessPoint"):
		return c.lost("what an access point permits is not followed")
	case change == nil:
		return nil
	}
	name := c.request.text("bucketName", "bucket")
	if name == "" {
		return c.lost("it does not tell the bucket")
	}
	return change(s.bucketOf(c, name), c)
}

// bucketChanges says what each call does to a bucket, under the names that
// CloudTrail has for them.
func bucketChanges() map[string]func(*bucket, call) error {
	set := func(part string, to func(*bucket)) func(*bucket, call) error {
		return func(b *bucket, _ call) error {
			to(b)
			b.tell(part, true)
			return nil
		}
	}
	return map[string]func(*bucket, call) error{
		"CreateBucket":                  (*bucket).create,
		"DeleteBucket":                  func(b *bucket, _ call) error { b.gone = true; return nil },
		"PutBucketPolicy":               (*bucket).putPolicy,
		"DeleteBucketPolicy":            set(resource.PartPolicy, func(b *bucket) { b.config.Policy = "" }),
		"PutBucketAcl":                  (*bucket).putACL,
		"PutBucketPublicAccessBlock":    (*bucket).putBlock,
		"DeleteBucketPublicAccessBlock": set(resource.PartBlock, func(b *bucket) { b.config.Block = nil }),
		"PutBucketOwnershipControls":    (*bucket).putOwnership,
		"DeleteBucketOwnershipControls": set(resource.PartOwnership, func(b *bucket) { b.config.Ownership = "" }),
		"PutBucketWebsite":              set(resource.PartWebsite, func(b *bucket) { b.config.Website = true }),
		"DeleteBucketWebsite":           set(resource.PartWebsite, func(b *bucket) { b.config.Website = false }),
		"PutBucketTagging":              (*bucket).putTags,
		"DeleteBucketTagging":           set(resource.PartTags, func(b *bucket) { b.config.Tags = nil }),
		"CreateAccessPoint": func(b *bucket, c call) error {
			b.tell(resource.PartAccessPoints, false)
			return c.lost("what an access point permits is not followed")
		},
	}
}

// Since April 2023 a new bucket has a full block and no ACLs; the change reached
// all regions in the course of that month (S3 user guide, "Default settings for
// new S3 buckets FAQ").
const (
	firstSafeBuckets = "2023-04-01"
	lastOpenBuckets  = "2023-05-01"
)

// create begins a bucket that is known from its first moment.
func (b *bucket) create(c call) error {
	b.born, b.config.Unread = true, nil
	if region := c.request.object("CreateBucketConfiguration").text("LocationConstraint"); region != "" {
		b.config.Region = region
		if region == "EU" { // its name before there were two regions in Europe
			b.config.Region = "eu-west-1"
		}
	}
	day := c.Time.UTC().Format(time.DateOnly)
	if full := resource.FullBlock(); day >= lastOpenBuckets {
		b.config.Block, b.config.Ownership = &full, "BucketOwnerEnforced"
	} else if day >= firstSafeBuckets {
		b.tell(resource.PartBlock, false)
		b.tell(resource.PartOwnership, false)
		b.doubt("it was made while AWS changed the settings of new buckets")
	}
	if o := c.request.text("x-amz-object-ownership", "objectOwnership"); o != "" {
		b.config.Ownership = o
		b.tell(resource.PartOwnership, true)
	}
	if grants, ok := headerGrants(c.request); ok {
		b.config.Grants = grants
	}
	return nil
}

// putPolicy takes the policy in every form that events have it in: an object, a
// JSON text, or one that is URL-encoded. An empty one tells nothing.
func (b *bucket) putPolicy(c call) error {
	text := policyText(c.request.get("bucketPolicy"))
	if text == "" {
		text = policyText(c.request.get("policy"))
	}
	b.config.Policy = text
	b.tell(resource.PartPolicy, text != "")
	if text == "" {
		return c.lost("it does not tell the policy")
	}
	return nil
}

func policyText(v any) string {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			return ""
		}
		text, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return string(text)
	case []any:
		if len(v) == 1 {
			return policyText(v[0])
		}
	case string:
		text := strings.TrimSpace(v)
		if strings.HasPrefix(text, "%") {
			if decoded, err := url.PathUnescape(text); err == nil {
				text = strings.TrimSpace(decoded)
			}
		}
		if strings.HasPrefix(text, "{") && text != "{}" {
			return text
		}
	}
	return ""
}

func (b *bucket) putBlock(c call) error {
	to, ok := blockOf(c.request)
	b.config.Block = to
	b.tell(resource.PartBlock, ok)
	if !ok {
		return c.lost("it does not tell the block")
	}
	return nil
}

// blockOf reads a block; a setting that is not there is off, as for S3.
func blockOf(request tree) (*resource.Block, bool) {
	t := request.object("PublicAccessBlockConfiguration")
	if t == nil {
		return nil, false
	}
	return &resource.Block{
		PublicACLs: t.flag("BlockPublicAcls"), IgnorePublicACLs: t.flag("IgnorePublicAcls"),
		PublicPolicy: t.flag("BlockPublicPolicy"), RestrictedBuckets: t.flag("RestrictPublicBuckets"),
	}, true
}

func (b *bucket) putOwnership(c call) error {
	b.config.Ownership = ""
	for _, rule := range c.request.object("OwnershipControls").list("Rule") {
		b.config.Ownership = rule.text("ObjectOwnership")
	}
	b.tell(resource.PartOwnership, b.config.Ownership != "")
	if b.config.Ownership == "" {
		return c.lost("it does not tell the object ownership")
	}
	return nil
}

func (b *bucket) putTags(c call) error {
	if b.config.Tags = map[string]string{}; c.request.object("Tagging") == nil {
		b.tell(resource.PartTags, false)
		return c.lost("it does not tell the tags")
	}
	for _, t := range c.request.object("Tagging").object("TagSet").list("Tag") {
		b.config.Tags[t.text("Key")] = t.text("Value")
	}
	b.tell(resource.PartTags, true)
	return nil
}
