package bucket

import (
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"dera.example/dera/cloudtrail"
	"dera.example/dera/services/s3"
)

// changes says what each call does to a bucket, under the names that
// CloudTrail has for them.
func changes() map[string]func(*bucket, cloudtrail.Call) error {
	set := func(part string, to func(*bucket)) func(*bucket, cloudtrail.Call) error {
		return func(b *bucket, _ cloudtrail.Call) error {
			to(b)
			b.report(part, true)
			return nil
		}
	}
	return map[string]func(*bucket, cloudtrail.Call) error{
		"CreateBucket":                  (*bucket).create,
		"DeleteBucket":                  func(b *bucket, _ cloudtrail.Call) error { b.Deleted = true; return nil },
		"PutBucketPolicy":               (*bucket).putPolicy,
		"DeleteBucketPolicy":            set(PartPolicy, func(b *bucket) { b.config.Policy = "" }),
		"PutBucketAcl":                  (*bucket).putACL,
		"PutBucketPublicAccessBlock":    (*bucket).putBlock,
		"DeleteBucketPublicAccessBlock": set(PartBlock, func(b *bucket) { b.config.Block = nil }),
		"PutBucketOwnershipControls":    (*bucket).putOwnership,
		"DeleteBucketOwnershipControls": set(PartOwnership, func(b *bucket) { b.config.Ownership = "" }),
		"PutBucketWebsite":              set(PartWebsite, func(b *bucket) { b.config.Website = true }),
		"DeleteBucketWebsite":           set(PartWebsite, func(b *bucket) { b.config.Website = false }),
		"PutBucketTagging":              (*bucket).putTags,
		"DeleteBucketTagging":           set(PartTags, func(b *bucket) { b.config.Tags = nil }),
		"CreateAccessPoint": func(b *bucket, c cloudtrail.Call) error {
			b.report(PartAccessPoints, false)
			return c.Lost("what an access point permits is not followed")
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
func (b *bucket) create(c cloudtrail.Call) error {
	b.Created, b.config.Unread = true, nil
	if region := regionOf(c); region != "" {
		b.config.Region = region
	}
	day := c.Time.UTC().Format(time.DateOnly)
	if full := s3.FullBlock(); day >= lastOpenBuckets {
		b.config.Block, b.config.Ownership = &full, "BucketOwnerEnforced"
	} else if day >= firstSafeBuckets {
		b.report(PartBlock, false)
		b.report(PartOwnership, false)
		b.Doubt("", "it was made while AWS changed the settings of new buckets")
	}
	if o := c.Parameters.Value("x-amz-object-ownership", "objectOwnership"); o != "" {
		b.config.Ownership = o
		b.report(PartOwnership, true)
	}
	if grants, ok := headerGrants(c.Parameters); ok {
		b.config.Grants = grants
	}
	return nil
}

// putPolicy takes the policy in every form that events have it in: an object, a
// JSON text, or one that is URL-encoded. An empty one tells nothing.
func (b *bucket) putPolicy(c cloudtrail.Call) error {
	text := statementText(c.Parameters.Get("bucketPolicy"))
	if text == "" {
		text = statementText(c.Parameters.Get("policy"))
	}
	b.config.Policy = text
	b.report(PartPolicy, text != "")
	if text == "" {
		return c.Lost("it does not say the policy")
	}
	return nil
}

func statementText(v any) string {
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
			return statementText(v[0])
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

func (b *bucket) putBlock(c cloudtrail.Call) error {
	to, ok := s3.BlockOf(c.Parameters)
	b.config.Block = to
	b.report(PartBlock, ok)
	if !ok {
		return c.Lost("it does not say the block")
	}
	return nil
}

func (b *bucket) putOwnership(c cloudtrail.Call) error {
	b.config.Ownership = ""
	for _, rule := range c.Parameters.Object("OwnershipControls").List("Rule") {
		b.config.Ownership = rule.Value("ObjectOwnership")
	}
	b.report(PartOwnership, b.config.Ownership != "")
	if b.config.Ownership == "" {
		return c.Lost("it does not say the object ownership")
	}
	return nil
}

func (b *bucket) putTags(c cloudtrail.Call) error {
	if b.config.Tags = map[string]string{}; c.Parameters.Object("Tagging") == nil {
		b.report(PartTags, false)
		return c.Lost("it does not say the tags")
	}
	for _, t := range c.Parameters.Object("Tagging").Object("TagSet").List("Tag") {
		b.config.Tags[t.Value("Key")] = t.Value("Value")
	}
	b.report(PartTags, true)
	return nil
}
