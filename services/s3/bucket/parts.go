package bucket

import "dera.example/dera/resource"

// Parts are what a bucket's configuration is read in. What a quick look leaves
// out, only a plan needs.
func Parts() []resource.Part {
	return []resource.Part{
		{Name: resource.PartAccountBlock, Action: "s3:GetAccountPublicAccessBlock", Absent: []string{"NoSuchPublicAccessBlockConfiguration"}, Cheap: true, Around: true},
		{Name: resource.PartAccessPoints, Action: "s3:ListAccessPoints", Cheap: true},
		{Name: resource.PartMultiRegion, Action: "s3:ListMultiRegionAccessPoints", Cheap: true},
		{Name: resource.PartOrigins, Action: "cloudfront:ListDistributions", Around: true},
		{Name: resource.PartBlock, Action: "s3:GetBucketPublicAccessBlock", Absent: []string{"NoSuchPublicAccessBlockConfiguration"}, Cheap: true},
		{Name: resource.PartPolicy, Action: "s3:GetBucketPolicy", Absent: []string{"NoSuchBucketPolicy"}, Cheap: true},
		{Name: resource.PartOwnership, Action: "s3:GetBucketOwnershipControls", Absent: []string{"OwnershipControlsNotFoundError"}, Cheap: true},
		{Name: resource.PartACL, Action: "s3:GetBucketAcl", Cheap: true},
		{Name: resource.PartTags, Action: "s3:GetBucketTagging", Absent: []string{"NoSuchTagSet"}},
		{Name: resource.PartWebsite, Action: "s3:GetBucketWebsite", Absent: []string{"NoSuchWebsiteConfiguration"}},
	}
}
