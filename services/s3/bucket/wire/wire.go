// Package wire reads and writes buckets on S3, and what stands around them on S3
// Control and CloudFront.
package wire

import (
	"context"
	"maps"
	"slices"

	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	"dera.example/dera/services/s3/bucket"
	shared "dera.example/dera/services/s3/wire"
)

// Wire returns how buckets are read and written.
func Wire() cloud.Wire {
	one := func(part, call string, read func(context.Context, *cloud.Reading, *resource.Bucket) error) cloud.Reader {
		return cloud.Reader{Parts: []string{part}, Call: call, One: func(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
			defer func() { x.Tags = config(x).Tags }()
			return read(ctx, r, config(x))
		}}
	}
	answers := shared.Answers()
	answers["CloudFront ListDistributions"] = cloud.Shape{Root: "DistributionList", Space: "http://cloudfront.amazonaws.com/doc/"}
	return cloud.Wire{
		Type: bucket.Name, Parts: bucket.Parts(), Operations: bucket.Operations(), AtOnce: bucketsAtOnce,
		Find: find, Sample: sample, Gone: gone,
		Unread: func(c any, part string) {
			b := c.(*resource.Bucket)
			if !slices.Contains(b.Unread, part) {
				b.Unread = append(b.Unread, part)
				slices.Sort(b.Unread)
			}
		},
		Readers: []cloud.Reader{
			{Parts: []string{resource.PartAccountBlock}, Many: readAccountBlock},
			{Parts: []string{resource.PartAccessPoints}, Many: readAccessPoints},
			{Parts: []string{resource.PartMultiRegion}, Many: readMultiRegion},
			{Parts: []string{resource.PartOrigins}, Many: readOrigins},
			one(resource.PartBlock, "s3:GetPublicAccessBlock", readBlock),
			one(resource.PartPolicy, "s3:GetBucketPolicy", readPolicy),
			one(resource.PartOwnership, "s3:GetBucketOwnershipControls", readOwnership),
			one(resource.PartACL, "s3:GetBucketAcl", readACL),
			one(resource.PartTags, "s3:GetBucketTagging", readTags),
			one(resource.PartWebsite, "s3:GetBucketWebsite", readWebsite),
		},
		Do: map[string]func(context.Context, *cloud.Writing) error{
			resource.PutBucketPolicy: write(putPolicy), resource.DeleteBucketPolicy: write(putPolicy), resource.PutBucketACL: write(putACL),
			resource.PutBucketBlock: write(putBlock), resource.PutBucketTagging: write(putTags),
		},
		Answers: answers, Actions: maps.Clone(shared.Actions()),
		ConfigRules: []string{"S3_*"},
	}
}
