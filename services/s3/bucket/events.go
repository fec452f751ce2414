package bucket

import (
	"encoding/json"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/services/s3"
)

const cloudFront = "cloudfront.amazonaws.com"

// Events are the calls after which a bucket, or who reaches it, may be different.
// CloudTrail has its own names for some: PutBucketPublicAccessBlock is the API's
// PutPublicAccessBlock.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_Operations.html
func Events() cloudtrail.Events {
	policy := cloudtrail.Watched{Source: s3.Source, Name: "PutBucketPolicy", Find: bucketOfCall, Document: writtenPolicy}
	distributions := cloudtrail.Calls(cloudFront, bucketsEverywhere, "CreateDistribution", "CreateDistributionWithTags", "CopyDistribution",
		"UpdateDistribution", "UpdateDistributionWithStagingConfig", "DeleteDistribution")
	for i := range distributions {
		distributions[i].Region = "us-east-1"
	}
	return cloudtrail.Events{Type: Name, Calls: slices.Concat([]cloudtrail.Watched{policy},
		cloudtrail.Calls(s3.Source, createdBucket, "CreateBucket"),
		cloudtrail.Calls(s3.Source, bucketOfCall, "DeleteBucket", "DeleteBucketPolicy", "PutBucketAcl", "PutBucketPublicAccessBlock", "DeleteBucketPublicAccessBlock",
			"PutBucketOwnershipControls", "DeleteBucketOwnershipControls", "PutBucketTagging", "DeleteBucketTagging", "PutBucketWebsite", "DeleteBucketWebsite"),
		// The account's block restricts every bucket of the account.
		cloudtrail.Calls(s3.Source, bucketsEverywhere, "PutAccountPublicAccessBlock", "DeleteAccountPublicAccessBlock"),
		cloudtrail.Calls(s3.Source, bucketOfAccessPoint, "CreateAccessPoint"),
		// These name the access point and not its bucket.
		cloudtrail.Calls(s3.Source, allBuckets, "DeleteAccessPoint", "PutAccessPointPolicy", "DeleteAccessPointPolicy"),
		// Those on multi-region access points arrive in us-west-2 alone and take effect later;
		// the buckets behind are in any region (S3 user guide, "Logging Multi-Region Access
		// Point requests made to S3 by using AWS CloudTrail").
		cloudtrail.Calls(s3.Source, bucketsEverywhere, "CreateMultiRegionAccessPoint", "DeleteMultiRegionAccessPoint", "PutMultiRegionAccessPointPolicy"),
		// Other buckets may be the origin of a distribution, in every region.
		distributions,
	), Config: []cloudtrail.Configured{{Type: Name, Find: func(r cloudtrail.Record, id string) []dera.Scope {
		return r.Scopes(Name, bucketNames(strings.TrimPrefix(id, "arn:"+r.Partition+":s3:::")))
	}}}, Analyzed: func(r cloudtrail.Record, id string) []dera.Scope { return r.Scopes(Name, bucketNames(id)) }}
}

func allBuckets(c cloudtrail.Call) []dera.Scope { return c.Sweep(Name) }

func bucketsEverywhere(c cloudtrail.Call) []dera.Scope { return c.In(dera.EveryRegion).Sweep(Name) }

// bucketOfCall finds the bucket in the request; all of the region are looked at
// where it does not stand there.
func bucketOfCall(c cloudtrail.Call) []dera.Scope {
	return c.Scopes(Name, bucketNames(c.Parameters.Text("bucketName")))
}

// createdBucket looks where the call was made, and where the new bucket is if the
// call named a region: the global endpoint makes buckets in every region.
func createdBucket(c cloudtrail.Call) []dera.Scope {
	out := bucketOfCall(c)
	if region := regionOf(c); region != c.Region && cloudtrail.IsRegion(region) {
		c.Region = region
		return append(out, bucketOfCall(c)...)
	}
	return out
}

// regionOf is the region that a CreateBucket names, or "".
func regionOf(c cloudtrail.Call) string {
	region := c.Parameters.Object("CreateBucketConfiguration").Value("LocationConstraint")
	if region == "EU" { // its name before there were two regions in Europe
		return "eu-west-1"
	}
	return region
}

func bucketOfAccessPoint(c cloudtrail.Call) []dera.Scope {
	return c.Scopes(Name, bucketNames(c.Parameters.Text("Bucket")))
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

// writtenPolicy is the policy of PutBucketPolicy, which stands in the record as an
// object or as text.
func writtenPolicy(c cloudtrail.Call) string {
	var written struct {
		Policy json.RawMessage `json:"bucketPolicy"`
	}
	var text string
	if json.Unmarshal(c.Request, &written) != nil || json.Unmarshal(written.Policy, &text) == nil {
		return text
	}
	return string(written.Policy)
}
