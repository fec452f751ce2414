package cloud

import "slices"

// alwaysOn reports whether a region is on in every account and cannot be switched
// off, so that an answer that speaks of credentials is about credentials. These are
// the regions of AWS Account Management, "Regions that are enabled by default"; the
// other partitions have no others.
func alwaysOn(region string) bool {
	return slices.Contains([]string{
		"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1", "eu-central-1",
		"eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
		"cn-north-1", "cn-northwest-1", "us-gov-east-1", "us-gov-west-1",
	}, region)
}
