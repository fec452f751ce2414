package awssim_test

import (
	"fmt"
	"testing"

	"dera.example/dera/awssim"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
)

func configClient(cloud *awssim.Cloud) *configservice.Client {
	return configservice.NewFromConfig(config(cloud, cloud.Account(hub).Credentials()))
}

func TestConfigRules(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	r := cloud.Account(hub).Region(east)
	for i := range 30 {
		r.AddConfigRule(awssim.ConfigRule{Name: fmt.Sprintf("rule%02d", i), Identifier: "EC2_IMDSV2_CHECK", Compliance: "COMPLIANT"})
	}
	r.AddConfigRule(awssim.ConfigRule{
		Name: "public-read", Identifier: "S3_BUCKET_PUBLIC_READ_PROHIBITED", ResourceTypes: []string{"AWS::S3::Bucket"}, Compliance: "NON_COMPLIANT",
		Remediation: &awssim.ConfigRemediation{Document: "AWS-DisableS3BucketPublicReadWrite", ResourceType: "AWS::S3::Bucket", Automatic: true},
	})
	c := configClient(cloud)
	var pages []int
	for p := configservice.NewDescribeConfigRulesPaginator(c, nil); p.HasMorePages(); {
		pages = append(pages, len(must(p.NextPage(t.Context()))(t).ConfigRules))
	}
	if len(pages) != 2 || pages[0] != 25 || pages[1] != 6 {
		t.Errorf("pages: got %v, want 25 and 6", pages)
	}
	one := must(c.DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{ConfigRuleNames: []string{"public-read"}}))(t).ConfigRules
	if len(one) != 1 || *one[0].Source.SourceIdentifier != "S3_BUCKET_PUBLIC_READ_PROHIBITED" || one[0].Source.Owner != types.OwnerAws || one[0].Scope.ComplianceResourceTypes[0] != "AWS::S3::Bucket" {
		t.Errorf("rule: got %+v", one)
	}
	_, err := c.DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{ConfigRuleNames: []string{"nobody"}})
	wantCode(t, err, "NoSuchConfigRuleException", 400)
	_, err = c.DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{NextToken: aws.String("nonsense")})
	wantCode(t, err, "InvalidNextTokenException", 400)

	fixes := must(c.DescribeRemediationConfigurations(t.Context(), &configservice.DescribeRemediationConfigurationsInput{ConfigRuleNames: []string{"public-read", "rule01"}}))(t)
	if got := fixes.RemediationConfigurations; len(got) != 1 || *got[0].TargetId != "AWS-DisableS3BucketPublicReadWrite" || !got[0].Automatic || *got[0].ResourceType != "AWS::S3::Bucket" {
		t.Errorf("remediations: got %+v", got)
	}
	_, err = c.DescribeRemediationConfigurations(t.Context(), &configservice.DescribeRemediationConfigurationsInput{ConfigRuleNames: []string{}})
	wantCode(t, err, "ValidationException", 400)
	broken := must(c.DescribeComplianceByConfigRule(t.Context(), &configservice.DescribeComplianceByConfigRuleInput{ComplianceTypes: []types.ComplianceType{types.ComplianceTypeNonCompliant}}))(t)
	if got := broken.ComplianceByConfigRules; len(got) != 1 || *got[0].ConfigRuleName != "public-read" || got[0].Compliance.ComplianceType != types.ComplianceTypeNonCompliant {
		t.Errorf("compliance: got %+v", got)
	}
	_, err = c.DescribeConfigurationRecorders(t.Context(), nil)
	wantCode(t, err, "NotImplemented", 501)
}

func TestDistributions(t *testing.T) {
	t.Parallel()
	cloud, now := newCloud(t)
	account := cloud.Account(hub)
	account.AddDistribution(awssim.Distribution{ID: "E1", Origins: []string{"media.s3.us-east-1.amazonaws.com", "site.s3-website-us-east-1.amazonaws.com"}, Control: "OAC1"})
	account.AddDistribution(awssim.Distribution{ID: "E2", Origins: []string{"other.s3.eu-west-1.amazonaws.com"}, Disabled: true})
	gone := account.AddDistribution(awssim.Distribution{})
	account.RemoveDistribution(gone)
	cloud.Account(member).AddDistribution(awssim.Distribution{})
	cfg := config(cloud, account.Credentials())
	cfg.Region = west // CloudFront has one endpoint, whatever the Region
	c := cloudfront.NewFromConfig(cfg)
	var ids []string
	for p := cloudfront.NewListDistributionsPaginator(c, &cloudfront.ListDistributionsInput{MaxItems: aws.Int32(1)}); p.HasMorePages(); {
		list := must(p.NextPage(t.Context()))(t).DistributionList
		for _, d := range list.Items {
			ids = append(ids, *d.Id)
			if *d.Id == "E1" {
				origins := d.Origins.Items
				if len(origins) != 2 || *origins[0].DomainName != "media.s3.us-east-1.amazonaws.com" || *origins[0].OriginAccessControlId != "OAC1" || !*d.Enabled || !d.LastModifiedTime.Equal(now.Now()) {
					t.Errorf("E1: got %+v, origins %+v", d, origins)
				}
			}
		}
	}
	if len(ids) != 2 || ids[0] != "E1" || ids[1] != "E2" {
		t.Errorf("distributions: got %v, want E1 and E2", ids)
	}
	_, err := c.ListDistributions(t.Context(), &cloudfront.ListDistributionsInput{Marker: aws.String("nonsense")})
	wantCode(t, err, "InvalidArgument", 400)
	_, err = c.GetDistribution(t.Context(), &cloudfront.GetDistributionInput{Id: aws.String("E1")})
	wantCode(t, err, "NotImplemented", 501)
}

// TestOtherServiceFaults: a fault speaks in the words of the service.
func TestOtherServiceFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name           string
		kind           awssim.Kind
		config, front  string
		status, frontS int
	}{
		{"throttle", awssim.Throttle, "ThrottlingException", "Throttling", 400, 400},
		{"error", awssim.Error5xxBefore, "InternalError", "InternalError", 500, 500},
		{"denied", awssim.Denied, "AccessDeniedException", "AccessDenied", 400, 403},
		{"expired", awssim.ExpiredToken, "ExpiredTokenException", "ExpiredToken", 400, 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cloud, _ := newCloud(t)
			cloud.Inject(awssim.Fault{Kind: tt.kind})
			_, err := configClient(cloud).DescribeConfigRules(t.Context(), nil)
			wantCode(t, err, tt.config, tt.status)
			_, err = cloudfront.NewFromConfig(config(cloud, cloud.Account(hub).Credentials())).ListDistributions(t.Context(), nil)
			wantCode(t, err, tt.front, tt.frontS)
		})
	}
	cloud, _ := newCloud(t)
	cloud.Account(hub).AddDistribution(awssim.Distribution{ID: "E1"})
	cloud.Account(hub).AddDistribution(awssim.Distribution{ID: "E2"})
	cloud.Account(hub).AddDistribution(awssim.Distribution{ID: "E3"})
	cloud.Inject(awssim.Fault{Kind: awssim.PartialPage})
	out := must(cloudfront.NewFromConfig(config(cloud, cloud.Account(hub).Credentials())).ListDistributions(t.Context(), nil))(t)
	if len(out.DistributionList.Items) != 2 || aws.ToString(out.DistributionList.NextMarker) == "" {
		t.Errorf("partial page: got %d, marker %v", len(out.DistributionList.Items), out.DistributionList.NextMarker)
	}
}
