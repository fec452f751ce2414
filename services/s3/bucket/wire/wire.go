// Package wire reads and writes buckets on S3, and their context on S3
// Control and CloudFront.
package wire

import (
	"context"
	"maps"
	"slices"

	"dera.example/dera/cloud"
	"dera.example/dera/services/s3/bucket"
	shared "dera.example/dera/services/s3/wire"
)

// Wire returns how buckets are read and written.
func Wire() cloud.Wire {
	one := func(part, call string, read func(context.Context, *cloud.Reading, *bucket.Bucket) error) cloud.Reader {
		return cloud.Reader{Parts: []string{part}, Call: call, One: func(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
			defer func() { x.Tags = config(x).Tags }()
			return read(ctx, r, config(x))
		}}
	}
	answers := shared.Answers()
	answers["CloudFront ListDistributions"] = cloud.Shape{Root: "DistributionList", Space: "http://cloudfront.amazonaws.com/doc/"}
	return cloud.Wire{
		Type: bucket.Name, Parts: bucket.Parts(), Operations: bucket.Type().Operations, AtOnce: bucketsAtOnce,
		Find: find, Sample: sample, Gone: gone, Recall: func(c any) any { return c.(*bucket.Bucket).Copy() },
		Unread: func(c any, part string) {
			b := c.(*bucket.Bucket)
			if !slices.Contains(b.Unread, part) {
				b.Unread = append(b.Unread, part)
				slices.Sort(b.Unread)
			}
		},
		Readers: []cloud.Reader{
			{Parts: []string{bucket.PartAccountBlock}, Many: readAccountBlock},
			{Parts: []string{bucket.PartAccessPoints}, Many: readAccessPoints},
			{Parts: []string{bucket.PartMultiRegion}, Many: readMultiRegion},
			{Parts: []string{bucket.PartOrigins}, Many: readOrigins},
			one(bucket.PartBlock, "s3:GetPublicAccessBlock", readBlock),
			one(bucket.PartPolicy, "s3:GetBucketPolicy", readPolicy),
			one(bucket.PartOwnership, "s3:GetBucketOwnershipControls", readOwnership),
			one(bucket.PartACL, "s3:GetBucketAcl", readACL),
			one(bucket.PartTags, "s3:GetBucketTagging", readTags),
			one(bucket.PartWebsite, "s3:GetBucketWebsite", readWebsite),
		},
		Do: map[string]func(context.Context, *cloud.Writing) error{
			bucket.PutBucketPolicy: write(putPolicy), bucket.DeleteBucketPolicy: write(putPolicy), bucket.PutBucketACL: write(putACL),
			bucket.PutBucketBlock: write(putBlock), bucket.PutBucketTagging: write(putTags),
		},
		Answers: answers, Actions: maps.Clone(shared.Actions()),
		ConfigRules: []string{"S3_*"},
	}
}
