package document

import "slices"

// known is an account that many policies name for a reason that anybody can
// look up.
type known struct {
	name, source string
	ids          []string // account IDs and canonical user IDs
}

// knownAccounts are accounts of AWS's own that deliver logs, and of vendors whose
// own manuals say so. Others stand in trusted_accounts of the configuration.
//
// Source: the pages named, by way of the list that the fwd:cloudsec community keeps
// (github.com/fwdcloudsec/known_aws_accounts, accounts.yaml), read 2026-11-28.
func knownAccounts() []known {
	return []known{
		{"Elastic Load Balancing", "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html", []string{
			"127311923021", "033677994240", "027434742980", "797873946194", "098369216593", "754344448648", "589379963580", "718504428378",
			"383597477331", "600734575887", "114774131450", "783225319266", "582318560864", "985666609251", "054676820928", "156460612806",
			"652711504416", "635631232127", "009996457667", "897822967062", "076674570225", "507241528517", "048591011584", "190560391635",
			"638102146993", "037604701340",
		}},
		{"CloudFront log delivery", "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/AccessLogs.html", []string{
			"c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0",
		}},
		{"Datadog", "https://docs.datadoghq.com/integrations/guide/aws-manual-setup/", []string{"464622532012"}},
		{"Databricks", "https://docs.databricks.com/administration-guide/account-settings/aws-accounts.html", []string{"414351767826"}},
		{"New Relic", "https://docs.newrelic.com/docs/integrations/amazon-integrations/get-started/connect-aws-services-infrastructure", []string{"754728514883"}},
		{"Sumo Logic", "https://help.sumologic.com/03Send-Data/Sources/02Sources-for-Hosted-Collectors/Amazon-Web-Services/Grant-Access-to-an-AWS-Product", []string{"926226587429"}},
		{"Segment", "https://segment.com/docs/destinations/amazon-s3/", []string{"107630771604", "595280932656"}},
		{"Fivetran", "https://fivetran.com/docs/logs/cloudwatch/setup-guide", []string{"834469178297"}},
		{"Stitch", "https://www.stitchdata.com/docs/destinations/amazon-s3/connecting-an-amazon-s3-data-warehouse-to-stitch", []string{"218546966473"}},
	}
}

// KnownAccount is the name of the vendor or service of AWS whose account or canonical
// user it is, or "".
func KnownAccount(id string) string {
	for _, k := range knownAccounts() {
		if slices.Contains(k.ids, id) {
			return k.name
		}
	}
	return ""
}
