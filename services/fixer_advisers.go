package services

// macie is what Security Hub calls Amazon Macie.
const macie = "Macie"

// The sources of events on which people start fixes, and that are no hints to a control of ours.
const (
	macieSource   = "aws.macie"
	advisorSource = "aws.trustedadvisor"
	healthSource  = "aws.health"
)

// sampleAdvisers adds what Macie, Trusted Advisor and AWS Health say of resources that we look at. Of
// AWS Health every account has rules that tell people: only one that names such an event fixes it. Trusted
// Advisor tells of every region in one, as an administrator hears of its members.
//
// https://docs.aws.amazon.com/macie/latest/user/findings-types.html
// https://docs.aws.amazon.com/awssupport/latest/user/cloudwatch-events-ta.html
// https://docs.aws.amazon.com/health/latest/ug/aws-health-events-eventbridge-schema.html
func (t *Triggers) sampleAdvisers() {
	const bucket = "AWS::S3::Bucket"
	for _, finding := range []string{"BlockPublicAccessDisabled", "BucketEncryptionDisabled", "BucketPublic", "BucketReplicatedExternally", "BucketSharedExternally", "BucketSharedWithCloudFront"} {
		t.add(isCentral, []string{bucket}, macieSource, "Macie Finding", map[string]any{"type": "Policy:IAMUser/S3" + finding, "category": "POLICY"})
	}
	t.sampleHub(bucket, macie, "*macie*", "")
	for check, types := range map[string][]string{
		"Security Groups - Specific Ports Unrestricted": {"AWS::EC2::SecurityGroup"},
		"Security Groups - Unrestricted Access":         {"AWS::EC2::SecurityGroup"},
		"Amazon S3 Bucket Permissions":                  {bucket},
		"Exposed Access Keys":                           {"AWS::IAM::AccessKey"},
		"IAM Access Key Rotation":                       {"AWS::IAM::AccessKey"},
		"IAM Password Policy":                           {"AWS::IAM::AccountPasswordPolicy"},
		"AWS CloudTrail Logging":                        {"AWS::CloudTrail::Trail", "AWS::CloudTrail::AccountTrails"},
		"Amazon EBS Public Snapshots":                   {"AWS::EC2::Snapshot"},
		"Amazon RDS Public Snapshots":                   {"AWS::RDS::DBSnapshot", "AWS::RDS::DBClusterSnapshot"},
	} {
		t.add(isCentral, types, advisorSource, "Trusted Advisor Check Item Refresh Notification", map[string]any{"check-name": check, "status": []string{"ERROR", "WARN"}})
	}
	for _, code := range []string{"AWS_RISK_CREDENTIALS_EXPOSED", "AWS_RISK_CREDENTIALS_EXPOSURE_SUSPECTED", "AWS_RISK_CREDENTIALS_COMPROMISED", "AWS_RISK_IAM_QUARANTINE"} {
		t.add(isChange, []string{"AWS::IAM::AccessKey"}, healthSource, "AWS Health Event", map[string]any{"service": "RISK", "eventTypeCode": code})
	}
}
