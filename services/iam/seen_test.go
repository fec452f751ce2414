package iam

import (
	"testing"

	"dera.example/dera/iam/catalog"
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
