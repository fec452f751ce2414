package cloud

import (
	"maps"
	"slices"
	"strings"
)

// Quota is how often AWS takes calls of one account in one region: Rate a second in the long run, and Burst at once.
type Quota struct {
	Rate, Burst float64
	// Source says where AWS writes it; "" where AWS publishes none, and the number is a cautious one.
	Source string
}

// unknownQuota is that of a service that is not in the table.
func unknownQuota() Quota { return Quota{Rate: 5, Burst: 10} }

// quotas are the default rates of the services that dera calls, by the lower-case ID of the SDK. Where AWS counts each
// operation apart, the number is that of the scarcest one that dera calls often: a share of it takes no operation's
// quota away.
func quotas() map[string]Quota {
	const (
		ec2    = "https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html"
		trail  = "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html"
		lambda = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
		sts    = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"
		hub    = "https://docs.aws.amazon.com/securityhub/1.0/APIReference/Welcome.html"
		kms    = "https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html"
		roles  = "https://docs.aws.amazon.com/rolesanywhere/latest/userguide/quotas.html"
	)
	return map[string]Quota{
		"ec2":           {Rate: 20, Burst: 100, Source: ec2},
		"cloudtrail":    {Rate: 2, Burst: 2, Source: trail},
		"lambda":        {Rate: 15, Burst: 15, Source: lambda},
		"sts":           {Rate: 600, Burst: 600, Source: sts},
		"securityhub":   {Rate: 3, Burst: 6, Source: hub},
		"kms":           {Rate: 100, Burst: 100, Source: kms},
		"rolesanywhere": {Rate: 1, Burst: 1, Source: roles},
		// AWS publishes none for these, nor for the settings of buckets; they are known to take more than an unknown one.
		"s3":              {Rate: 100, Burst: 200},
		"iam":             {Rate: 10, Burst: 30},
		"rds":             {Rate: 10, Burst: 30},
		"sns":             {Rate: 10, Burst: 30},
		"sqs":             {Rate: 50, Burst: 100},
		"dynamodb":        {Rate: 10, Burst: 20},
		"secrets manager": {Rate: 20, Burst: 40},
		"s3 control":      {Rate: 10, Burst: 20},
		// and these less.
		"organizations": {Rate: 1, Burst: 4},
	}
}

// HasQuota reports whether the table has the service.
func HasQuota(service string) bool {
	_, ok := quotas()[service]
	return ok
}

// QuotaNames are the services of the table, for people.
func QuotaNames() string {
	return strings.Join(slices.Sorted(maps.Keys(quotas())), ", ")
}
