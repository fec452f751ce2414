package bucket

import "dera.example/dera/resource"

// Parts are what a bucket's configuration is read in. What a quick look leaves
// out, only a plan needs.
func Parts() []resource.Part {
	return []resource.Part{
		{Name: PartAccountBlock, Action: "s3:GetAccountPublicAccessBlock", Absent: []string{"NoSuchPublicAccessBlockConfiguration"}, Cheap: true, Around: true},
		{Name: PartAccessPoints, Action: "s3:ListAccessPoints", Cheap: true},
		{Name: PartMultiRegion, Action: "s3:ListMultiRegionAccessPoints", Cheap: true},
		{Name: PartOrigins, Action: "cloudfront:ListDistributions", Around: true},
		{Name: PartBlock, Action: "s3:GetBucketPublicAccessBlock", Absent: []string{"NoSuchPublicAccessBlockConfiguration"}, Cheap: true},
		{Name: PartPolicy, Action: "s3:GetBucketPolicy", Absent: []string{"NoSuchBucketPolicy"}, Cheap: true},
		{Name: PartOwnership, Action: "s3:GetBucketOwnershipControls", Absent: []string{"OwnershipControlsNotFoundError"}, Cheap: true},
		{Name: PartACL, Action: "s3:GetBucketAcl", Cheap: true},
		{Name: PartTags, Action: "s3:GetBucketTagging", Absent: []string{"NoSuchTagSet"}},
		{Name: PartWebsite, Action: "s3:GetBucketWebsite", Absent: []string{"NoSuchWebsiteConfiguration"}},
	}
}
