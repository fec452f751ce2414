package cloudtrail

import (
	"strings"

	"dera.example/dera"
)

// The types of what S3 calls are about: CloudFormation's word for a bucket, and
// the word that package resource uses for what an account has once.
const (
	bucket       = "AWS::S3::Bucket"
	accountBlock = "AWS::S3::AccountPublicAccessBlock"
)

// s3Calls are the S3 and S3 Control calls after which a bucket, or who reaches
// it, may be different. CloudTrail has its own names for some:
// PutBucketPublicAccessBlock is the API's PutPublicAccessBlock. Never written to.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html
var s3Calls = map[string]extractor{
	"CreateBucket":                   createBucket,
	"DeleteBucket":                   bucketCall,
	"PutBucketPolicy":                bucketCall,
	"DeleteBucketPolicy":             bucketCall,
	"PutBucketAcl":                   bucketCall,
	"PutBucketPublicAccessBlock":     bucketCall,
	"DeleteBucketPublicAccessBlock":  bucketCall,
	"PutBucketOwnershipControls":     bucketCall,
	"DeleteBucketOwnershipControls":  bucketCall,
	"PutBucketTagging":               bucketCall,
	"DeleteBucketTagging":            bucketCall,
	"PutBucketWebsite":               bucketCall,
	"DeleteBucketWebsite":            bucketCall,
	"PutAccountPublicAccessBlock":    accountBlockCall,
	"DeleteAccountPublicAccessBlock": accountBlockCall,
	"CreateAccessPoint":              createAccessPoint,
	// These name the access point and not its bucket.
	"DeleteAccessPoint":       allBuckets,
	"PutAccessPointPolicy":    allBuckets,
	"DeleteAccessPointPolicy": allBuckets,
}

// cloudFrontCalls are the calls after which other buckets may be the origin of
// a distribution. Its origins may be in every region. Never written to.
//
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_Operations.html
var cloudFrontCalls = map[string]extractor{
	"CreateDistribution":                  bucketsEverywhere,
	"CreateDistributionWithTags":          bucketsEverywhere,
	"CopyDistribution":                    bucketsEverywhere,
	"UpdateDistribution":                  bucketsEverywhere,
	"UpdateDistributionWithStagingConfig": bucketsEverywhere,
	"DeleteDistribution":                  bucketsEverywhere,
}

func allBuckets(r Record) []dera.Scope { return r.sweep(bucket) }

func bucketsEverywhere(r Record) []dera.Scope {
	r.Region = dera.EveryRegion
	return r.sweep(bucket)
}

// bucketCall finds the bucket in the request; all of the region are looked at
// where it does not stand there.
func bucketCall(r Record) []dera.Scope {
	return r.scopes(bucket, bucketNames(r.request().text("bucketName")))
}

// createBucket looks where the call was made, and where the new bucket is if the
// call named a region: the global endpoint makes buckets in every region.
func createBucket(r Record) []dera.Scope {
	out := bucketCall(r)
	region := r.request().object("CreateBucketConfiguration").text("LocationConstraint")
	if region == "EU" { // its name before there were two regions in Europe
		region = "eu-west-1"
	}
	if region == r.Region || !isRegion(region) {
		return out
	}
	r.Region = region
	return append(out, bucketCall(r)...)
}

// accountBlockCall looks at the block itself, and at every bucket that it held
// back or holds back now.
func accountBlockCall(r Record) []dera.Scope {
	own := r
	own.Region = dera.GlobalRegion
	return append(own.scopes(accountBlock, []string{r.Account}), bucketsEverywhere(r)...)
}

func createAccessPoint(r Record) []dera.Scope {
	return r.scopes(bucket, bucketNames(r.request().text("Bucket")))
}

// bucketNames returns those texts that can be names of buckets; before 2018 they
// could have capitals, underscores and 255 characters.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
func bucketNames(texts ...string) []string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	var out []string
	for _, s := range texts {
		if len(s) >= 3 && len(s) <= 255 && strings.Trim(s, letters+"._-") == "" && strings.Trim(s, ".") != "" {
			out = append(out, s)
		}
	}
	return out
}

// isRegion reports whether the text has the form of a region's name.
func isRegion(s string) bool {
	return len(s) <= 32 && strings.Count(s, "-") >= 2 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
