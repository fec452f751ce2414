// Package table is DynamoDB tables: which other accounts may read and write them, and
// whether they can be deleted and restored.
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
	Update       = "dynamodb:UpdateTable"
	Backups      = "dynamodb:UpdateContinuousBackups"
)

// The parts beside policy and tags.
const (
	PartTable   = "table"
	PartBackups = "continuous backups"
)

// Table is a DynamoDB table.
type Table struct {
	resourcepolicy.Config
	Status             string `json:"status,omitempty"` // for example ACTIVE
	DeletionProtection *bool  `json:"deletion_protection,omitempty"`
	PointInTime        *bool  `json:"point_in_time_recovery,omitempty"`
}

// busy says why AWS would not change the table now, or nothing.
func (t *Table) busy() *control.Refusal {
	if t.Status == "ACTIVE" {
		return nil
	}
	return &control.Refusal{Code: "not-alone", Why: "the table is " + t.Status + ", and AWS changes only one that is ACTIVE"}
}

// Shape is the type as data.
func Shape() resourcepolicy.Shape[Table] {
	return resourcepolicy.Shape[Table]{
		Type: resource.Spec[Table]{
			Name: Name, SampleIDs: []string{"orders", "team.users", "Z_9"}, Events: named().Events(Name), Note: "DynamoDB refuses a policy that allows public access, also one that is put back.",
			ARN: func(partition, account, region, id string) dera.ARN {
				return dera.NewARN(partition, "dynamodb", region, account, "table/"+id)
			},
			Parts: []resource.Part{
				{Name: PartTable, Action: "dynamodb:DescribeTable", Cheap: true},
				{Name: PartBackups, Action: "dynamodb:DescribeContinuousBackups", Cheap: true},
			},
			Around: []string{"status"},
			Settings: []resource.Setting{
				{Path: "deletion_protection", Says: "deletion protection", Operation: Update, Order: []any{false, true}, Terraform: "aws_dynamodb_table.deletion_protection_enabled", CloudFormation: "DeletionProtectionEnabled", Denies: deletes},
				{Path: "point_in_time_recovery", Says: "point-in-time recovery", Operation: Backups, Order: []any{false, true}, Terraform: "aws_dynamodb_table.point_in_time_recovery", CloudFormation: "PointInTimeRecoveryEnabled", Denies: nothing},
			},
		},
		Policy: func(t *Table) *resourcepolicy.Config { return &t.Config },
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
		Source: "dynamodb.amazonaws.com", Calls: []string{"CreateTable", "PutResourcePolicy", "DeleteResourcePolicy", "DeleteTable", "TagResource", "UntagResource", "RestoreTableFromBackup", "RestoreTableToPointInTime", "UpdateTable", "UpdateContinuousBackups"},
		Members: []string{"tableName", "resourceArn", "targetTableName"}, InARN: "table/",
	}
}

// Controls are the controls on DynamoDB tables.
func Controls() []control.Control {
	s := Shape()
	return []control.Control{
		DeletionProtectionOff(), PointInTimeOff(),
		// There is none on public access: DynamoDB takes no such policy.
		// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-bpa-rbp.html
		s.External("Whoever holds that account reads or writes the table, for as long as the statement stands.",
			control.Ref{Standard: "Prowler", ID: "dynamodb_table_cross_account_access", URL: "https://hub.prowler.com/check/dynamodb_table_cross_account_access"}),
	}
}

func nothing(dera.Plan) []resource.Bounds { return nil }

func deletes(dera.Plan) []resource.Bounds {
	return []resource.Bounds{{Actions: []string{"dynamodb:DeleteTable"}, Error: true, Why: "deletion protection refuses to delete the table"}}
}
