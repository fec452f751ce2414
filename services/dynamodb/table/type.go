// Package table is DynamoDB tables as far as their policy goes: which other accounts may read and write them.
package table

import (
	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/resource"
)

// Name is the type name.
const Name = "AWS::DynamoDB::Table"

// The writes, by their IAM actions.
const (
	PutPolicy    = "dynamodb:PutResourcePolicy"
	DeletePolicy = "dynamodb:DeleteResourcePolicy"
)

// Shape is the type as data.
func Shape() resourcepolicy.Shape[resourcepolicy.Config] {
	return resourcepolicy.Shape[resourcepolicy.Config]{
		Type: resource.Spec[resourcepolicy.Config]{
			Name: Name, SampleIDs: []string{"orders", "team.users", "Z_9"}, Events: named().Events(Name), Note: "DynamoDB refuses a policy that allows public access, also one that is put back.",
			ARN: func(partition, account, region, id string) dera.ARN {
				return dera.NewARN(partition, "dynamodb", region, account, "table/"+id)
			},
		},
		Policy: func(c *resourcepolicy.Config) *resourcepolicy.Config { return c },
		Prefix: "dynamodb-table", Noun: "DynamoDB table", Service: "DynamoDB",
		Part:       resource.Part{Action: "dynamodb:GetResourcePolicy", Also: []string{"dynamodb:ListTables"}, Absent: []string{"PolicyNotFoundException"}},
		TagsAction: "dynamodb:ListTagsOfResource",
		Put:        PutPolicy, Delete: DeletePolicy, Rivals: []string{"PutResourcePolicy", "DeleteResourcePolicy"},
		Actions: []string{"dynamodb:*"}, Below: []string{"/index/*"}, Most: 20 << 10,
		Terraform: "aws_dynamodb_resource_policy.policy", Reference: "resource_arn", CloudFormation: "AWS::DynamoDB::Table.ResourcePolicy", Property: "TableName",
	}
}

// Type is DynamoDB tables.
func Type() resource.Type { return Shape().Define() }

// named are the calls after which the policy may be another one.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/logging-using-cloudtrail.html
func named() cloudtrail.Named {
	return cloudtrail.Named{
		Source: "dynamodb.amazonaws.com", Calls: []string{"CreateTable", "PutResourcePolicy", "DeleteResourcePolicy", "DeleteTable", "TagResource", "UntagResource", "RestoreTableFromBackup", "RestoreTableToPointInTime"},
		Members: []string{"tableName", "resourceArn", "targetTableName"}, InARN: "table/",
	}
}

// Controls are the controls on DynamoDB tables.
func Controls() []control.Control {
	s := Shape()
	return []control.Control{
		// There is none on public access: DynamoDB takes no such policy.
		// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-bpa-rbp.html
		s.External("Whoever holds that account reads or writes the table, for as long as the statement stands.",
			control.Ref{Standard: "Prowler", ID: "dynamodb_table_cross_account_access", URL: "https://hub.prowler.com/check/dynamodb_table_cross_account_access"}),
	}
}
