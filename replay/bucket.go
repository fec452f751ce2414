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

	s3bucket "dera.example/dera/services/s3/bucket"

	"dera.example/dera"
	"dera.example/dera/services/s3"
	s3account "dera.example/dera/services/s3/account"
)

// bucket is an S3 bucket as far as events told: the parts that none told are in
// its Unread.
type bucket struct {
	origin
	config s3bucket.Bucket
}

// block is the public access block of an account; once an event tells it, all of
// it is known.
type block struct {
	config *s3.Block
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
		c.Unread = append(c.Unread, s3bucket.PartAccountBlock)
	}
	c.Unread = append(c.Unread, s3bucket.PartOrigins)
	slices.Sort(c.Unread)
	return dera.Resource{
		ARN: s3bucket.ARNOf(scope.Partition, c.Name), Partition: scope.Partition, Account: c.Owner, Region: c.Region,
		Type: s3bucket.Name, ID: c.Name, Name: c.Name, Tags: c.Tags, Config: &c, ReadAt: at, Full: true,
	}
}

// accountBlock is an account's block as a look reads it. Buckets that no event
// names may depend on public access too.
func (s *State) accountBlock(ctx context.Context, scope dera.Scope, b *block) dera.Resource {
	c := &s3account.AccountBlock{Account: scope.Account, Block: b.config}
	for at, known := range s.buckets {
		if at.account != scope.Account || known.gone {
			continue
		}
		c.Buckets++
		read := known.resource(scope, b, s.now()).Config.(*s3bucket.Bucket)
		if why := read.Needs(ctx); len(why) > 0 {
			c.Dependents = append(c.Dependents, s3account.Dependent{Bucket: read.Name, Region: read.Region, Why: why})
		}
	}
	slices.SortFunc(c.Dependents, func(a, b s3account.Dependent) int { return cmp.Compare(a.Bucket, b.Bucket) })
	c.Dependents = append(c.Dependents, s3account.Dependent{Bucket: "(others)", Region: "any region", Why: []string{"buckets that no recorded event names are not known"}})
	return dera.Resource{
		ARN: s3account.ARNOf(scope.Partition, scope.Account), Partition: scope.Partition, Account: scope.Account, Region: dera.GlobalRegion,
		Type: s3account.Name, ID: scope.Account, Name: "S3", Config: c, ReadAt: s.now(), Full: true,
	}
}

// parts are those that the events of a bucket tell one by one.
func parts() []string {
	return []string{s3bucket.PartPolicy, s3bucket.PartACL, s3bucket.PartOwnership, s3bucket.PartBlock, s3bucket.PartTags, s3bucket.PartWebsite, s3bucket.PartAccessPoints}
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
		b = &bucket{origin{since: c.Time}, s3bucket.Bucket{Name: name, Owner: c.Account, Region: c.Region, Unread: parts()}}
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
		"DeleteBucketPolicy":            set(s3bucket.PartPolicy, func(b *bucket) { b.config.Policy = "" }),
		"PutBucketAcl":                  (*bucket).putACL,
		"PutBucketPublicAccessBlock":    (*bucket).putBlock,
		"DeleteBucketPublicAccessBlock": set(s3bucket.PartBlock, func(b *bucket) { b.config.Block = nil }),
		"PutBucketOwnershipControls":    (*bucket).putOwnership,
		"DeleteBucketOwnershipControls": set(s3bucket.PartOwnership, func(b *bucket) { b.config.Ownership = "" }),
		"PutBucketWebsite":              set(s3bucket.PartWebsite, func(b *bucket) { b.config.Website = true }),
		"DeleteBucketWebsite":           set(s3bucket.PartWebsite, func(b *bucket) { b.config.Website = false }),
		"PutBucketTagging":              (*bucket).putTags,
		"DeleteBucketTagging":           set(s3bucket.PartTags, func(b *bucket) { b.config.Tags = nil }),
		"CreateAccessPoint": func(b *bucket, c call) error {
			b.tell(s3bucket.PartAccessPoints, false)
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
	if full := s3.FullBlock(); day >= lastOpenBuckets {
		b.config.Block, b.config.Ownership = &full, "BucketOwnerEnforced"
	} else if day >= firstSafeBuckets {
		b.tell(s3bucket.PartBlock, false)
		b.tell(s3bucket.PartOwnership, false)
		b.doubt("it was made while AWS changed the settings of new buckets")
	}
	if o := c.request.text("x-amz-object-ownership", "objectOwnership"); o != "" {
		b.config.Ownership = o
		b.tell(s3bucket.PartOwnership, true)
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
	b.tell(s3bucket.PartPolicy, text != "")
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
	b.tell(s3bucket.PartBlock, ok)
	if !ok {
		return c.lost("it does not tell the block")
	}
	return nil
}

// blockOf reads a block; a setting that is not there is off, as for S3.
func blockOf(request tree) (*s3.Block, bool) {
	t := request.object("PublicAccessBlockConfiguration")
	if t == nil {
		return nil, false
	}
	return &s3.Block{
		PublicACLs: t.flag("BlockPublicAcls"), IgnorePublicACLs: t.flag("IgnorePublicAcls"),
		PublicPolicy: t.flag("BlockPublicPolicy"), RestrictedBuckets: t.flag("RestrictPublicBuckets"),
	}, true
}

func (b *bucket) putOwnership(c call) error {
	b.config.Ownership = ""
	for _, rule := range c.request.object("OwnershipControls").list("Rule") {
		b.config.Ownership = rule.text("ObjectOwnership")
	}
	b.tell(s3bucket.PartOwnership, b.config.Ownership != "")
	if b.config.Ownership == "" {
		return c.lost("it does not tell the object ownership")
	}
	return nil
}

func (b *bucket) putTags(c call) error {
	if b.config.Tags = map[string]string{}; c.request.object("Tagging") == nil {
		b.tell(s3bucket.PartTags, false)
		return c.lost("it does not tell the tags")
	}
	for _, t := range c.request.object("Tagging").object("TagSet").list("Tag") {
		b.config.Tags[t.text("Key")] = t.text("Value")
	}
	b.tell(s3bucket.PartTags, true)
	return nil
}
