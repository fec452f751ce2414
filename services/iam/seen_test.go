package iam

import (
	"testing"

	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
)

// TestMakes: an action that makes what is named has no ARN before, whatever its verb.
func TestMakes(t *testing.T) {
	t.Parallel()
	for action, want := range map[string]bool{
		"sqs:CreateQueue": true, "ec2:RunInstances": true,
		"ssm:PutParameter": true, "cloudwatch:PutDashboard": true, "cloudwatch:PutCompositeAlarm": true, "cloudwatch:PutInsightRule": true,
		"config:PutConfigRule": true, "config:PutStoredQuery": true, "lightsail:PutAlarm": true, "logs:PutDeliverySource": true,
		"s3-outposts:PutObject": true, "rds:PurchaseReservedDBInstancesOffering": true,
		"s3:PutBucketPolicy": false, "kinesis:PutRecord": false, "dynamodb:PutItem": false, "ecr:PutLifecyclePolicy": false, "cloudtrail:PutEventSelectors": false,
		"sqs:PurgeQueue": false, "ssm:GetParameter": false, "ssm:DeleteParameter": false, "events:EnableRule": false,
	} {
		k := catalog.Embedded().Find(action)
		if k == nil {
			t.Fatalf("%s is not in the catalogue", action)
		}
		if got := makes(k); got != want {
			t.Errorf("%s: got %t, want %t", action, got, want)
		}
	}
}

// TestHasAll: an ARN is of a statement's resources where every reading of these says so.
func TestHasAll(t *testing.T) {
	t.Parallel()
	const jobs = "arn:aws:sqs:eu-west-1:111122223333:jobs"
	for on, want := range map[string]bool{
		"*": true, jobs: true, "arn:aws:sqs:*:*:j*": true, "arn:aws:sqs:*": true,
		"arn:aws:sqs": false, "arn:aws:*:jobs": false, "arn:aws:sqs:eu-west-1:111122223333:mail": false, "arn:aws:sqs:eu-west-1:111122223333:Jobs": false,
	} {
		st := &policy.Statement{Effect: policy.Allow, Resources: []string{on}}
		if got := hasAll(st, "sqs:PurgeQueue", []string{jobs}); got != want {
			t.Errorf("%s: got %t, want %t", on, got, want)
		}
	}
}
