package services

import (
	"slices"
	"testing"

	"dera.example/dera/cloudtrail"
)

// TestAnalysis_of_every_type: a finding of Access Analyzer names a resource by its ARN, as
// the type does. It is looked at by its whole ID, or all are; never another one.
func TestAnalysis_of_every_type(t *testing.T) {
	t.Parallel()
	more := map[string][]string{ // names with all that a service takes
		"AWS::ECR::Repository":        {"team/app", "a/b/c-d"},
		"AWS::Lambda::Function":       {"resize", "orders:live", "orders:7"},
		"AWS::SecretsManager::Secret": {"prod/db-AbCdEf", "/a/b-AbCdEf"},
		"AWS::SNS::Topic":             {"orders.fifo"},
		"AWS::SQS::Queue":             {"orders.fifo"},
		"AWS::DynamoDB::Table":        {"team.users"},
		"AWS::RDS::DBSnapshot":        {"rds:shop-2026-11-30"},
		"AWS::RDS::DBClusterSnapshot": {"shop-1"},
		"AWS::KMS::Key":               {"mrk-9f8e7d6c5b4a39281706f5e4d3c2b1a0"},
		"AWS::EFS::FileSystem":        {"fs-01234567"},
		"AWS::EC2::Snapshot":          {"snap-0123456789abcdef0"},
		"AWS::S3::Bucket":             {"files"},
		"AWS::IAM::Role":              {"deploy"},
		"AWS::Backup::BackupVault":    {"Default"},
		"AWS::Glacier::Vault":         {"old.logs"},
		"AWS::Events::EventBus":       {"default", "aws.partner/x.com/1/2"},
		"AWS::EC2::SecurityGroup":     {"sg-1"},
		"AWS::SSM::Document":          {"Restart.Service-2"},
		"AWS::EC2::NetworkAcl":        {"acl-1"},
	}
	asked := 0
	for _, typ := range Types().Types() {
		for _, id := range more[typ.Name] {
			region := "eu-west-1"
			arn := typ.ARN("aws", "111122223333", region, id)
			a := cloudtrail.Analysis{Partition: "aws", Account: "111122223333", Region: region, Resource: arn, ResourceType: typ.Name}
			for _, s := range Watch().HintsOfAnalysis(a) {
				if asked++; s.Type == typ.Name && len(s.IDs) > 0 && !slices.Equal(s.IDs, []string{id}) {
					t.Errorf("%s: looks at %q, want %q or all", arn, s.IDs, id)
				}
			}
		}
	}
	if asked < 10 {
		t.Errorf("%d hints: the test asks nothing", asked)
	}
}
