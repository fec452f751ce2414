package s3

import (
	"slices"

	"dera.example/dera/control"
)

// Refs are the references that all controls on public buckets share.
func Refs(hub, config string) []control.Ref {
	return []control.Ref{
		{Standard: "CIS AWS Foundations 5.0.0", ID: "2.1.4", URL: "https://www.cisecurity.org/benchmark/amazon_web_services"},
		{Standard: "Security Hub", ID: hub, URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html"},
		{Standard: "AWS Config", ID: config, URL: "https://docs.aws.amazon.com/config/latest/developerguide/managed-rules-by-aws-config.html"},
		{Standard: "NIST SP 800-53 Rev. 5", ID: "AC-3, AC-6, SC-7", URL: "https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final"},
		{Standard: "PCI DSS 4.0.1", ID: "1.4.4, 7.2.1", URL: "https://www.pcisecuritystandards.org/"},
	}
}

// Keys are the keys of the failures.
func Keys(failures []control.Failure) []string {
	var out []string
	for _, f := range failures {
		out = append(out, f.Key)
	}
	return out
}

// CannotPlan is the refusal of a plan that an error prevents.
func CannotPlan(err error) *control.Refusal {
	return &control.Refusal{Code: "cannot-plan", Why: err.Error()}
}

// Sorted sorts the list in place and returns it.
func Sorted(list []string) []string {
	slices.Sort(list)
	return list
}

// Reads are the calls that a look at buckets takes, by their IAM actions.
func Reads() []string {
	return []string{
		"cloudfront:ListDistributions", "s3:GetAccessPoint", "s3:GetAccessPointPolicy", "s3:GetAccountPublicAccessBlock", "s3:GetBucketAcl",
		"s3:GetBucketLocation", "s3:GetBucketOwnershipControls", "s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock", "s3:GetBucketTagging", "s3:GetBucketWebsite",
		"s3:GetMultiRegionAccessPointPolicy", "s3:ListAccessPoints", "s3:ListAllMyBuckets", "s3:ListMultiRegionAccessPoints",
	}
}
